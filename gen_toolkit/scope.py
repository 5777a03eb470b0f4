"""What a piece of code runs inside: run, row, mode of calls, budgets. It floats in a ContextVar, used by `with`.

Also the place of a call: owner and n-th equal request (the journal's key is made of it).
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from gen_toolkit.amount import Amount
from gen_toolkit.changed import changed
from gen_toolkit.marks import environment
from gen_toolkit.surface import RUN_MARK, cell

Mode = Literal["live", "reuse", "replay"]
ROOT_MARK = "GEN_TOOLKIT_ROOT"  # the run of a job, whatever the attempt: owner of its calls
ATTEMPT_MARK = "GEN_TOOLKIT_ATTEMPT"  # its number: from the second on, answers of those before are reused
SESSION_MARK = "GEN_TOOLKIT_SESSION"
SHARED_MARK = "GEN_TOOLKIT_SHARED"  # a job whose calls have no owner: what sessions were answered answers it, too
RELEASE_MARK = "GEN_TOOLKIT_RELEASE"  # the folder of the release that is being executed
BUDGETS_MARK = "GEN_TOOLKIT_RUN_BUDGETS"  # what a job and all its processes are held to, as JSON


def new_id() -> str:
    """A UUID of version 7 (RFC 9562): ids sort by the time they were made."""
    at = f"{time.time_ns() // 1_000_000:012x}"
    random = os.urandom(10).hex()  # not by uuid.UUID: every call has an id
    variant = "89ab"[int(random[3], 16) % 4]
    return f"{at[:8]}-{at[8:]}-7{random[:3]}-{variant}{random[4:7]}-{random[7:19]}"


@dataclass(frozen=True)
class Row:
    """The row of an evaluation that is being worked on; its equal requests are counted here."""

    id: str
    repeat: int = 0
    seen: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int), compare=False)


@dataclass(frozen=True)
class Budget:
    """What the calls made under it may take together, in whatever process they are made."""

    key: str
    """Under what it is counted: `run:<root run>`, `pipeline:<name>`, `day`; of one day with `:<date>`."""
    limit: Amount
    name: str
    """How it is called before people."""
    daily: bool = False
    """Whether each day (UTC) begins anew."""

    def on(self, day: str) -> Budget:
        """The budget as it is counted on that day (`2026-11-24`)."""
        if not self.daily:
            return self
        return replace(self, key=f"{self.key}:{day}", name=f"{self.name} on {day}", daily=False)


@dataclass(frozen=True)
class Scope:
    """Where code runs."""

    run: str | None = None
    owner: str | None = None
    row: Row | None = None
    mode: Mode | None = None
    default_mode: Mode = "live"
    release: Path | None = None
    budgets: tuple[Budget, ...] = ()
    """Of every run around, outermost first. The workspace's day holds besides."""


_current: ContextVar[Scope | None] = ContextVar("gen_toolkit_scope", default=None)
_release: list[Path] = []  # set once by the first cell of a frozen notebook, for the kernel's whole life
_session: tuple[int, str] | None = None
_seen: dict[str, Counter[str]] = {}


def current() -> Scope:
    """The innermost scope; at the top what the environment of a job says."""
    if (innermost := _current.get()) is not None:
        return innermost
    marks = environment()
    return Scope(
        run=marks.get(RUN_MARK),
        owner=None if marks.get(SHARED_MARK) else marks.get(ROOT_MARK),
        default_mode="reuse" if marks.get(ATTEMPT_MARK, "1") != "1" else "live",
        release=_release[0] if _release else _path(marks.get(RELEASE_MARK)),
        budgets=_budgets(marks.get(BUDGETS_MARK, "[]")),
    )


def _path(named: str | None) -> Path | None:
    return Path(named) if named else None


@functools.lru_cache(1)
def _budgets(written: str) -> tuple[Budget, ...]:
    return tuple(Budget(**{**one, "limit": Amount.of(one["limit"])}) for one in json.loads(written))


def written(budgets: tuple[Budget, ...]) -> str:
    """Budgets for the environment of a process that is held to them: see BUDGETS_MARK."""
    return json.dumps([{**vars(one), "limit": str(one.limit)} for one in budgets])


def with_run_budget(root: str, name: str, given: str | Amount | None) -> tuple[Budget, ...]:
    """What holds inside a run: all that holds around it, and its own.

    A run that names none has the one of the settings (`budgets.run`), unless it is inside a run that has one.
    """
    around = current().budgets
    if given is None and not any(budget.key.startswith("run:") for budget in around):
        from gen_toolkit.settings import load_settings

        given = load_settings().settings.budgets.run
    return around if given is None else (*around, Budget(f"run:{root}", Amount.of(given), f"run {name!r}"))


@contextlib.contextmanager
def inside(**changes: object) -> Iterator[Scope]:
    """Run a block in a scope that differs from the current one by `changes`."""
    token = _current.set(changed(current(), **changes))
    try:
        yield current()
    finally:
        _current.reset(token)


def enter_release(folder: Path) -> None:
    """From now on prompts come from the release in `folder` (first cell of a frozen notebook)."""
    _release[:] = [folder]


def job_attempt() -> str | None:
    """The attempt of a job that this process belongs to, whatever runs were opened inside."""
    return environment().get(RUN_MARK)


def session() -> str:
    """The id of this process's session: everything outside a run belongs to it.

    Whoever starts a kernel may name its session beforehand, to find it again.
    """
    global _session
    named = environment().get(SESSION_MARK)
    if named:
        return named
    if _session is None or _session[0] != os.getpid():
        _session = (os.getpid(), new_id())
    return _session[1]


def execution() -> str | None:
    """The execution from top to bottom that this process belongs to: a job, a try, a session that was run through."""
    return environment().get(ROOT_MARK) or environment().get(SESSION_MARK)


def run_or_session() -> str:
    return current().run or session()


def is_offline() -> bool:
    """Whether this process calls no model, whatever its code says: all is answered from what is on record."""
    return environment().get("GEN_TOOLKIT_CALLS") == "replay"


def call_mode(setting: Mode | None) -> Mode:
    """`replay` in the environment wins over everything; then the innermost `calls=`; then the rest.

    `setting` is what the settings say, which hold the environment's word, too.
    """
    if is_offline():
        return "replay"
    scope = current()
    return scope.mode or setting or scope.default_mode


def place(request_hash: str) -> tuple[str, str]:
    """(place, place without owner) of the next request of this hash, counting it.

    Inside an evaluation equal requests are counted within the row; elsewhere within the owner, else where all
    cells are executed once within that execution (so that a release replays what a session recorded), else
    the cell execution, else the process.
    """
    scope = current()
    if scope.row is not None:
        number = scope.row.seen[request_hash]
        scope.row.seen[request_hash] += 1
        local = f"row {scope.row.id} repeat {scope.row.repeat} n {number}"
    else:
        counter = _seen.setdefault(scope.owner or _whole() or cell() or "process", Counter())
        number = counter[request_hash]
        counter[request_hash] += 1
        local = f"n {number}"
    return f"{scope.owner or ''} {local}", local


def _whole() -> str | None:
    return execution() or ("release" if current().release else None)


def count_anew(owner: str) -> None:
    """An owner begins again in this process: its equal requests are counted from the first."""
    _seen.pop(owner, None)


def frozen_manifest() -> dict[str, Any]:
    """The manifest of the release in whose name code runs: its prompts and model pins."""
    release = current().release
    assert release is not None, "asked only inside a release"
    return _manifest(release)


@functools.cache
def _manifest(release: Path) -> dict[str, Any]:
    return dict(json.loads((release / "manifest.json").read_text(encoding="utf-8")))
