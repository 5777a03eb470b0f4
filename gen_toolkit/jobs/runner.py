"""The child process that executes one notebook with papermill: `python -m gen_toolkit.jobs.runner FOLDER`.

It reads one line of JSON from its standard input (environment for the kernel) and says on standard
output, a line of JSON each, how far it is and how it ended. It never decides whether a run succeeded by
papermill's word: every code cell must have run, without an error that its tags do not allow.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from gen_toolkit import text
from gen_toolkit.ipynb import write_text
from gen_toolkit.jobs.environment import remember_secrets
from gen_toolkit.process import die_with_parent

NOTEBOOK = "notebook.ipynb"
_SAVE_SHARE = 0.1  # at most this share of the time goes into saving while cells run


def main() -> None:
    die_with_parent()
    folder = Path(sys.argv[1])
    say = _Teller()
    import papermill
    from papermill.engines import NBClientEngine, papermill_engines

    task = json.loads(sys.stdin.readline() or "null")
    if task is None:
        os._exit(1)  # the supervisor is gone
    threading.Thread(target=_leave_with_supervisor, daemon=True).start()
    os.environ.update(task["environment"])
    remember_secrets(task["secrets"])

    class Engine(NBClientEngine):  # type: ignore[misc]  # papermill has no types
        """papermill's own engine; saving and progress are ours."""

        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> Any:
            return _execute(nb_man, kernel_name, folder, task["connection_file"], say, options)

    papermill_engines.register("gen_toolkit", Engine)
    say(event="ready")
    try:
        papermill.execute_notebook(
            str(folder / "prepared.ipynb"),
            None,
            engine_name="gen_toolkit",
            kernel_name="python3",
            progress_bar=False,
            cwd=task["cwd"],
        )
    except papermill.PapermillExecutionError:
        pass  # told by the engine, with the cell
    except Exception as error:  # noqa: BLE001 - the supervisor must hear of whatever it was
        say(event="broken", error=type(error).__name__, message=str(error)[:2000])
        raise SystemExit(1) from None


def _leave_with_supervisor() -> None:
    """The supervisor holds our standard input open for as long as it lives."""
    sys.stdin.read()
    os._exit(1)


class _Teller:
    """Lines of JSON to the supervisor, on the real standard output; prints of libraries go to the log."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)

    def __call__(self, **facts: Any) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._out.write(json.dumps(facts) + "\n")
            self._out.flush()


def _execute(
    nb_man: Any, kernel_name: str, folder: Path, connection_file: str, say: _Teller, options: dict[str, Any]
) -> Any:
    from jupyter_client.manager import AsyncKernelManager
    from nbclient.exceptions import DeadKernelError
    from papermill.clientwrap import PapermillNotebookClient

    code = [cell for cell in nb_man.nb.cells if cell.cell_type == "code" and cell.source.strip()]
    ran: set[int] = set()
    saver = _Saver(folder / NOTEBOOK, nb_man)
    kernels: list[Any] = []

    def started(cell_index: int, **_: Any) -> None:
        say(event="cell", cell=cell_index + 1, of=len(nb_man.nb.cells))

    def executed(cell_index: int, **_: Any) -> None:
        ran.add(cell_index)
        saver.save()

    class Client(PapermillNotebookClient):  # type: ignore[misc]  # papermill has no types
        """Passes on what a person watching wants to see: streams to the log, progress to the supervisor."""

        def start_new_kernel(self, **kwargs: Any) -> None:
            super().start_new_kernel(**kwargs)
            kernels.append(self.km.provisioner.process)  # forgotten by its manager once it is dead

        def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
            _pass_on(msg, say)
            return super().process_message(msg, cell, cell_index)

    manager = AsyncKernelManager(kernel_name=kernel_name, transport="ipc", connection_file=connection_file)
    client = Client(
        nb_man,
        km=manager,
        kernel_name=kernel_name,
        on_cell_start=started,
        on_cell_executed=executed,
        startup_timeout=options.get("start_timeout", 60),
        timeout=None,
        raise_on_iopub_timeout=False,
        iopub_timeout=30,
        log_output=False,
    )
    try:
        client.execute(preexec_fn=die_with_parent)
    except (DeadKernelError, RuntimeError):  # the second is what a kernel's death while it starts is told by
        if not kernels or kernels[0].poll() is None:
            raise
        say(event="dead", cell=_running_cell(nb_man), status=kernels[0].poll())
        return
    finally:
        saver.save(force=True)
    say(event="done", **_judge(nb_man.nb, ran, len(code)))


def _pass_on(message: Any, say: _Teller) -> None:
    kind, content = message["msg_type"], message["content"]
    if kind == "stream":
        sys.stderr.write(text.scrub(content["text"]))
        sys.stderr.flush()
        lines = content["text"].strip().splitlines()
        if content["name"] == "stderr" and lines:
            say(event="progress", line=lines[-1][:300])
    elif kind in {"display_data", "update_display_data"} and content.get("transient", {}).get("display_id"):
        say(event="progress", line=str(content["data"].get("text/plain", ""))[:300])


def _running_cell(nb_man: Any) -> int | None:
    for index, cell in enumerate(nb_man.nb.cells):
        if cell.metadata.get("papermill", {}).get("status") == "running":
            return index + 1
    return None


def _judge(notebook: Any, ran: set[int], wanted: int) -> dict[str, Any]:
    """How it ended, by what the cells show."""
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or "raises-exception" in cell.metadata.get("tags", []):
            continue
        for output in cell.outputs:
            if output.output_type == "error":
                return {
                    "state": "failed",
                    "cell": index + 1,
                    "error": output.ename,
                    "message": output.evalue,
                    "excerpt": "\n".join(output.traceback[-4:]),
                }
    done = sum(cell.cell_type == "code" and i in ran for i, cell in enumerate(notebook.cells))
    if done < wanted:
        message = f"only {done} of {wanted} code cells ran; the notebook stopped half way"
        return {"state": "failed", "cell": max(ran, default=0) + 1, "error": "Stopped", "message": message}
    return {"state": "succeeded"}


class _Saver:
    """Saves the notebook whole or not at all, and no more often than the share of time allows."""

    def __init__(self, path: Path, nb_man: Any) -> None:
        self._path, self._nb_man = path, nb_man
        self._next = 0.0

    def save(self, force: bool = False) -> None:
        if not force and time.monotonic() < self._next:
            return
        import nbformat

        start = time.monotonic()
        write_text(self._path, text.scrub(nbformat.writes(self._nb_man.nb)) + "\n")
        took = time.monotonic() - start
        self._next = time.monotonic() + took / _SAVE_SHARE


if __name__ == "__main__":
    main()
