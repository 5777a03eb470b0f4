// A box of HTML that hears keys and clicks. All HTML is made and escaped by the kernel; all decisions are its, too.
// Attributes of that HTML: data-do (a click does it), data-value, data-name (a field).
function render({ model, el }) {
  const root = document.createElement("div");
  root.className = "gen-pane";
  root.tabIndex = 0;
  root.setAttribute("role", "application");
  root.setAttribute("data-lm-suppress-shortcuts", "true"); // else JupyterLab takes single letters for its own
  el.append(root);

  const field = (name) => root.querySelector(`[data-name="${CSS.escape(name)}"]`);
  const tell = (what, value) => model.send({ do: what, value, on: model.get("on") });

  const draw = () => {
    const active = root.contains(document.activeElement) ? document.activeElement : null;
    const name = active && active !== root ? active.dataset.name : null;
    const held = name ? { value: active.value, at: active.selectionStart } : null;
    const folds = [...root.querySelectorAll("details")].map((fold) => fold.open);
    root.innerHTML = model.get("html");
    root.querySelectorAll("details").forEach((fold, at) => (fold.open = folds[at] ?? fold.open));
    const again = name && field(name);
    if (again && again.tagName !== "SELECT") {
      again.value = held.value; // what is being typed is newer than what the kernel knew
      again.focus({ preventScroll: true });
      again.setSelectionRange(held.at, held.at);
    } else if (active) {
      root.focus({ preventScroll: true });
    }
  };

  // What is under a pressed button must stay there until it is let go: else the click hits nothing.
  let isDown = false;
  let isStale = false;
  const redraw = () => {
    isStale = isDown;
    if (!isDown) draw();
  };
  const release = () => {
    isDown = false;
    if (isStale) setTimeout(redraw, 0); // after the click
  };
  document.addEventListener("pointerup", release);
  document.addEventListener("pointercancel", release);

  let later = 0;
  const listeners = {
    keydown(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const inField = event.target !== root && event.target.dataset.name;
      if (inField) {
        event.stopPropagation();
        if (event.key === "Escape" || (event.key === "Enter" && event.target.tagName === "INPUT")) {
          event.preventDefault();
          root.focus({ preventScroll: true }); // leaving the field tells its value
        }
        return;
      }
      if (event.target !== root && event.key === "Enter") return; // a button or a fold does what it does
      const focus = model.get("fields")[event.key];
      if (focus && field(focus)) {
        event.preventDefault();
        event.stopPropagation();
        field(focus).focus();
      } else if (model.get("heard").includes(event.key)) {
        event.preventDefault();
        event.stopPropagation();
        if (!event.repeat || event.key.startsWith("Arrow") || "jk".includes(event.key)) tell("key", event.key);
      }
    },
    pointerdown() {
      isDown = true;
    },
    click(event) {
      const button = event.target.closest("[data-do]");
      if (button) tell(button.dataset.do, button.dataset.value);
    },
    input(event) {
      if (!("live" in event.target.dataset)) return;
      clearTimeout(later);
      later = setTimeout(() => tell(event.target.dataset.name, event.target.value), 150);
    },
    change(event) {
      if (event.target.dataset.name) tell(event.target.dataset.name, event.target.value);
    },
  };
  for (const [name, listener] of Object.entries(listeners)) root.addEventListener(name, listener);
  model.on("change:html", redraw);
  draw();
  return () => {
    model.off("change:html", redraw);
    document.removeEventListener("pointerup", release);
    document.removeEventListener("pointercancel", release);
  };
}

export default { render };
