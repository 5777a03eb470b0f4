"""gen serve."""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import Any

import typer

from gen_toolkit.text import one_line, scrub


def serve(
    jobs: int = typer.Option(2, "--jobs", min=1, max=256, help="Runs at once, on this machine and workspace."),
    grace: float = typer.Option(60.0, "--grace", metavar="SECONDS", min=0, help="For what runs when told to stop."),
    as_json: bool = typer.Option(False, "--json", help="Log lines as JSON, errors too."),
) -> None:
    """Run what is due and what waits in the queue, until SIGTERM or Ctrl-C."""
    from gen_toolkit.schedules.serve import Serving
    from gen_toolkit.schedules.serve import serve as serve_until_told

    try:
        serve_until_told(Serving(jobs=jobs, grace=grace), _as_json if as_json else _for_people)
    finally:
        _give_up_what_is_left()


def _as_json(event: dict[str, Any]) -> None:
    _write(scrub(json.dumps({"at": time.time(), **event}, ensure_ascii=False)))


def _for_people(event: dict[str, Any]) -> None:
    """`2026-11-25 02:30:00  label  queued  due 2026-11-25 02:30:00 UTC  run 0193…`"""
    rest = dict(event)
    words = [rest.pop("pipeline", "") or "", str(rest.pop("event"))]
    instant = rest.pop("instant", None) or rest.pop("due", None)
    if instant:
        words.append(f"due {time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(instant))} UTC")
    if rest.get("run"):
        words.append(f"run {str(rest.pop('run'))[:13]}")
    words += [
        f"{key} {value}" for key, value in rest.items() if value not in ("", None) and (key, value) != ("count", 1)
    ]
    said = "  ".join(word for word in words if word)
    _write(f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {one_line(said, 400)}")


def _write(line: str) -> None:
    """A log that cannot be written (its disk is full, its reader gone) ends nobody who serves."""
    with contextlib.suppress(OSError):
        print(line, flush=True)


def _give_up_what_is_left() -> None:
    """Python would try once more at its end, and make of a stop in order exit code 120."""
    try:
        print(end="", flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
