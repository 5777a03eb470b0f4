"""How a run that another process executes is shown while it goes on: JSON lines, a terminal, or plain lines."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

from gen_toolkit import display
from gen_toolkit.text import one_line, terminal

_PROGRESS_EVERY = 10.0  # seconds: in a log a bar is a line now and then


def print_json(events: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """A line each, as they come; the last of them is returned."""
    event: dict[str, Any] = {}
    for event in events:
        if event["event"] != "still":
            print(json.dumps(event, ensure_ascii=False), flush=True)
    return event


def print_lines(events: Iterator[dict[str, Any]], title: str) -> dict[str, Any]:
    """For people: what is printed on standard output; in a terminal, below it, where the run is."""
    shown, below = _Shown(title), _Below()
    event: dict[str, Any] = {}
    try:
        for event in events:
            said = shown.tell(event)
            if said:
                below.clear()
                sys.stdout.write(said)
                sys.stdout.flush()
            if shown.at_line_start:
                below.draw(shown.live())
    finally:
        below.clear()
        if not shown.at_line_start:
            print(flush=True)
    return event


class _Below:
    """The line below what is printed, in a terminal; it is taken away before more is printed."""

    def __init__(self) -> None:
        self._is_live = sys.stderr.isatty()
        self._is_drawn = False

    def draw(self, line: str) -> None:
        if self._is_live:
            self._is_drawn = True
            self._write(f"\r\x1b[2K{one_line(line, 110)}")

    def clear(self) -> None:
        if self._is_drawn:
            self._is_drawn = False
            self._write("\r\x1b[2K")

    def _write(self, said: str) -> None:
        sys.stderr.write(said)
        sys.stderr.flush()


class _Shown:
    """What is known of the run so far, and what of it is worth a line."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._is_live = sys.stderr.isatty()
        self.at_line_start = True
        self._cell: dict[str, Any] | None = None
        self._progress, self._progress_at = "", 0.0
        self._spent: dict[str, Any] = {}
        self._told_spent: dict[str, Any] = {}

    def tell(self, event: dict[str, Any]) -> str:
        """What to print for an event; nothing for most."""
        if event["event"] == "output":
            words = terminal(event["text"])
            self.at_line_start = words.endswith("\n") if words else self.at_line_start
            return words
        line = self._line(event)
        if not line:
            return ""
        begin = "" if self.at_line_start else "\n"
        self.at_line_start = True
        return f"{begin}{line}\n"

    def _line(self, event: dict[str, Any]) -> str:
        match event["event"]:
            case "waits":
                return self._waits(event)
            case "parts":
                return f"{event['ended']} of {event['of']} parts have ended"
            case "attempt":
                self._cell, self._progress = None, ""
                away = event["folder"] is not None and not os.path.isdir(event["folder"])
                where = " (its files are not on this machine: what it prints is not seen here)" if away else ""
                return f"attempt {event['number']} is under way{where}"
            case "cell":
                self._cell, self._progress = event, ""
                return f"cell {event['cell']}/{event['of']}  {one_line(event['line'], 90)}"
            case "ran":
                return self._ran(event)
            case "progress":
                self._progress = one_line(event["line"], 60)
                if not self._is_live and event["at"] - self._progress_at >= _PROGRESS_EVERY:
                    self._progress_at = event["at"]
                    return f"  {self._progress}"
            case "spent":
                self._spent = event
            case "attempt-ended" if event["state"] != "succeeded":
                why = f": {one_line(event['reason']['message'], 200)}" if event["reason"] else ""
                return f"attempt {event['number']}  {event['state']}{why}"
        return ""  # a kept value is printed by the cell that keeps it

    def _waits(self, event: dict[str, Any]) -> str:
        until = event["not_before"]
        when = "" if until is None else f" until {time.strftime('%H:%M:%S', time.localtime(until))}"
        why = "" if event["why"] is None else f": the last attempt ended, {one_line(event['why'], 120)}"
        return f"it waits{when}{why}"

    def _ran(self, event: dict[str, Any]) -> str:
        self._cell, self._progress = None, ""
        spent = ""
        if self._spent.get("calls") and self._spent != self._told_spent:
            self._told_spent = self._spent
            spent = f", {self._money()} so far"
        if not spent and event["seconds"] < 1:
            return ""
        return f"  cell {event['cell']} took {display.seconds(event['seconds'])}{spent}"

    def _money(self) -> str:
        return f"{self._spent['calls']} calls, {display.money(self._spent['cost_usd'])}"

    def live(self) -> str:
        """Where it is, on one line."""
        parts = [self._title]
        if self._cell is not None:
            taken = display.seconds(max(0.0, time.time() - self._cell["at"]))
            parts.append(f"cell {self._cell['cell']}/{self._cell['of']} for {taken}")
        if self._spent.get("calls"):
            parts.append(self._money())
        return " · ".join(filter(None, [*parts, self._progress]))
