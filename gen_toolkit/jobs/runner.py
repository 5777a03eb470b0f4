"""The process that executes one notebook with papermill: `python -m gen_toolkit.jobs.runner FOLDER LINK RAW`.

A child of the reaper, which it asks to start the kernel, and through which it tells the supervisor, a line of
JSON each, how far it is and how it ended. LINK is the descriptor of that line, RAW the one from which it reads
what the kernel's process writes past its channels.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from gen_toolkit import text
from gen_toolkit.ipynb import write_text
from gen_toolkit.jobs.collect import Collector, Log
from gen_toolkit.jobs.environment import remember_secrets
from gen_toolkit.jobs.judge import is_work, judge, running_cell
from gen_toolkit.jobs.late import Late
from gen_toolkit.jobs.link import Link
from gen_toolkit.jobs.steps import Steps
from gen_toolkit.jobs.unsaid import reply_unless_unsaid, shown

NOTEBOOK = "notebook.ipynb"
KERNEL = "python3"
_SAVE_SHARE = 0.05  # at most this share of the time goes into saving while cells run
_SHUTDOWN = 5.0  # seconds for the kernel's own clearing up at its end


class _Stopped(BaseException):
    """The run is to end before its next cell."""


def main() -> None:
    folder, link, raw = Path(sys.argv[1]), Link(int(sys.argv[2])), int(sys.argv[3])
    # jsonschema checks addresses with a module that takes a second to import; nobody asks it to
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # how an import is refused
    from gen_toolkit.jobs.kernel import started_kernel

    task = link.task()
    remember_secrets(task["secrets"])
    log = Log(task["output_mb"] * 1_000_000)
    log.follow(raw)
    try:
        kernel = started_kernel(link, task["connection_file"], KERNEL, task["cwd"])
        _run(folder, link, task, log, kernel)
    except Exception as error:  # noqa: BLE001 - the supervisor must hear of whatever it was
        link.say(event="broken", error=type(error).__name__, message=str(error)[:2000])
    log.close()
    os._exit(0)  # all is said and saved; clearing up takes a tenth of a second, and threads could hang in it


def _run(folder: Path, link: Link, task: dict[str, Any], log: Log, kernel: Any) -> None:
    """While the kernel starts, what speaks with it is loaded."""
    import papermill
    from papermill.engines import NBClientEngine, papermill_engines

    steps = Steps(folder)

    def say(event: str, line: str) -> None:
        link.say(event=event, line=line)
        steps.progress(line)

    collector = Collector(task["output_mb"], log, say)

    class Engine(NBClientEngine):  # type: ignore[misc]  # papermill has no types
        """papermill's own engine; kernel, saving and progress are ours."""

        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **_: Any) -> Any:
            _execute(nb_man, kernel_name, folder, task, link, kernel, collector, steps)

    papermill_engines.register("gen_toolkit", Engine)
    link.say(event="ready")
    with contextlib.suppress(papermill.PapermillExecutionError):  # told by the engine, with the cell
        papermill.execute_notebook(
            str(folder / "prepared.ipynb"),
            None,
            engine_name="gen_toolkit",
            kernel_name=KERNEL,
            progress_bar=False,
            cwd=task["cwd"],
        )


def _execute(
    nb_man: Any,
    kernel_name: str,
    folder: Path,
    task: dict[str, Any],
    link: Link,
    kernel: Any,
    collector: Collector,
    steps: Steps,
) -> None:
    from nbclient.exceptions import DeadKernelError
    from papermill.clientwrap import PapermillNotebookClient

    ran: set[int] = set()
    saver = _Saver(folder / NOTEBOOK, nb_man)
    began = 0.0
    late = Late(link, nb_man.nb)

    def started(cell_index: int, **_: Any) -> None:
        nonlocal began
        if not cell_index:
            _prepare(client.kc, task, steps)
        late.bring_to(client.kc, cell_index)
        if link.stopped.is_set():
            raise _Stopped
        collector.begin()
        began = time.monotonic()
        link.say(event="cell", cell=cell_index + 1, of=len(nb_man.nb.cells))
        if is_work(nb_man.nb.cells[cell_index]):
            first = text.one_line(nb_man.nb.cells[cell_index].source.strip().partition("\n")[0], 100)
            steps.say("cell", cell=cell_index + 1, of=len(nb_man.nb.cells), line=first)

    def executed(cell_index: int, **_: Any) -> None:
        ran.add(cell_index)
        link.cell(False)
        seconds = round(time.monotonic() - began, 4)
        link.say_next(event="ran", cell=cell_index + 1, seconds=seconds)
        steps.say("ran", cell=cell_index + 1, seconds=seconds)
        saver.save()

    class Client(PapermillNotebookClient):  # type: ignore[misc]  # papermill has no types
        """Takes of the kernel's messages what the collector lets through."""

        def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
            if msg["msg_type"] == "execute_input":
                link.cell(True)
            return super().process_message(msg, cell, cell_index) if collector.take(msg, cell) else None

        async def _async_poll_for_reply(self, msg_id: str, cell: Any, timeout: Any, idle: Any, alive: Any) -> Any:
            reply = super()._async_poll_for_reply(msg_id, cell, timeout, idle, alive)
            said = await reply_unless_unsaid(reply, idle)
            if said is None:
                alive.cancel()
            return shown(cell, said)

    client = Client(
        nb_man,
        km=kernel,
        kernel_name=kernel_name,
        on_cell_start=started,
        on_cell_executed=executed,
        startup_timeout=60,
        timeout=None,
        raise_on_iopub_timeout=False,
        iopub_timeout=30,
        log_output=False,
    )
    try:
        client.execute()
        client.kc.shutdown()
        assert link.kernel is not None, "it executed"
        link.kernel.wait(_SHUTDOWN)
    except _Stopped:
        link.flush()
        return
    except (DeadKernelError, RuntimeError):  # the second is what a kernel's death while it starts is told by
        if link.kernel is None or link.kernel.poll() is None:
            raise
        cell = running_cell(nb_man.nb)
        link.say(event="dead", cell=cell, status=link.kernel.poll(), out_of_memory=link.kernel.out_of_memory)
        return
    finally:
        failure = saver.save(force=True)
    link.say(event="done", **judge(nb_man.nb, ran), unsaved=failure)


def _prepare(client: Any, task: dict[str, Any], steps: Steps) -> None:
    """Have an IPython kernel ready for its job (jobs/begin.py), and leave word where it is reached."""
    if client.implementation == "ipython":
        module = "__import__('gen_toolkit.jobs.begin', fromlist=['begin'])"
        code = f"{module}.begin(get_ipython().kernel, {task['secrets']!r})"
        client.execute(code, silent=True, store_history=False, allow_stdin=False, stop_on_error=False)
    steps.say("kernel", implementation=client.implementation, connection=task["connection_file"])


class _Saver:
    """Saves the notebook whole or not at all, and no more often than the share of time allows."""

    def __init__(self, path: Path, nb_man: Any) -> None:
        self._path, self._nb_man = path, nb_man
        self._next = 0.0

    def save(self, force: bool = False) -> str | None:
        """Why it could not be written, if so: while cells run that is no reason to stop them."""
        if not force and time.monotonic() < self._next:
            return None
        start = time.monotonic()
        failure = None
        try:
            # lines are for who reads it in the end: `json` indents in Python, and writes all else in C
            written = json.dumps(self._nb_man.nb, ensure_ascii=False, indent=1 if force else None, sort_keys=True)
            write_text(self._path, text.scrub(written) + "\n")
        except OSError as error:
            failure = error.strerror
        took = time.monotonic() - start
        self._next = time.monotonic() + took / _SAVE_SHARE
        return failure


if __name__ == "__main__":
    main()
