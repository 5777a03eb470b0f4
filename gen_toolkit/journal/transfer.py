"""Calls in a file of JSON lines, one a call: to keep them, or to bring them into another workspace.

A line holds what the journal knows of a call but the process that made it: nobody waits for it elsewhere.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gen_toolkit.amount import from_pico, to_pico
from gen_toolkit.database.engine import Database
from gen_toolkit.database.sql import select
from gen_toolkit.database.tables import calls
from gen_toolkit.errors import InputError, NotFound
from gen_toolkit.journal.call import stored
from gen_toolkit.journal.report import is_of_run
from gen_toolkit.messages.reply import Reply

_BATCH = 500  # calls a transaction
_BODIES = ("request", "reply", "error")

_Id = Annotated[str, Field(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
_Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
_Count = Annotated[int, Field(ge=0, lt=2**31)]
_Moment = Annotated[float, Field(ge=0, lt=10**11)]  # seconds since 1970


class Line(BaseModel):
    """A call as a line of the file has it. `cost` is in USD, written as a text."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    id: _Id
    key: _Hash
    cassette_key: _Hash
    request_hash: _Hash
    run: Annotated[str, Field(min_length=1, max_length=36)]
    owner: Annotated[str, Field(min_length=1, max_length=36)] | None
    row: str | None
    alias: Annotated[str, Field(min_length=1)]
    model: str
    prompt: str | None
    request: list[Any] | None
    state: Literal["asked", "answered", "failed"]
    reply: dict[str, Any] | None
    error: dict[str, Any] | None
    attempts: _Count
    unanswered: _Count
    input_tokens: _Count | None
    output_tokens: _Count | None
    cost: Annotated[Decimal, Field(strict=False, ge=0, lt=10**6)] | None
    pruned_at: _Moment | None
    instead_of: _Id | None
    asked_at: _Moment
    answered_at: _Moment | None

    @model_validator(mode="after")
    def _fits_together(self) -> Line:
        if (self.error is None) == (self.state == "failed"):
            raise ValueError("a call has an error if it failed, and only then")
        if self.state != "answered" and self.reply is not None:
            raise ValueError("only a call that was answered has a reply")
        if (self.answered_at is None) != (self.state == "asked"):
            raise ValueError("a call has an end unless it was only asked")
        if self.error is not None and not all(isinstance(self.error.get(name), str) for name in ("code", "message")):
            raise ValueError("an error has a code and a message")
        if self.reply is not None:
            try:
                Reply.from_json(self.reply)
            except (KeyError, TypeError, ValueError, InvalidOperation) as error:
                raise ValueError(f"the reply is none ({type(error).__name__}: {error})") from None
        return self


@dataclass(frozen=True)
class Imported:
    """What an import did."""

    added: int
    known: int
    """Calls that were there already; nothing about them was changed."""


def export_calls(database: Database, path: Path, run: str | None = None) -> int:
    """Write all calls to `path`, whole or not at all; returns how many. Readable for its owner only.

    `run`, an id or its beginning: those of this run. Raises NotFound where there are none.
    """
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        _refuse(path, f"cannot be written: {error.strerror}", "Name a folder that is there and writable.")
    count = 0
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            for row in _rows(database, run):
                file.write(stored(_exported(row)) + "\n")
                count += 1
            if not count:
                what = "to export" if run is None else f"of run {run!r}"
                raise NotFound(f"there are no calls {what}", fix="`gen calls cost --by run` shows the runs.", run=run)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        if isinstance(error, OSError):
            _refuse(path, f"cannot be written: {error.strerror}", "Check free space and permissions.")
        raise
    return count


def import_calls(database: Database, path: Path) -> Imported:
    """Add the calls of a file. Twice is once; a file with a line that is none is refused before anything is added."""
    for _ in _lines(path):
        pass
    added = count = 0
    lines = _lines(path)
    while batch := {line.id: line for line in islice(lines, _BATCH)}:
        count += len(batch)
        with database.write() as connection:
            there = set(connection.execute(select(calls.c.id).where(calls.c.id.in_(list(batch)))).scalars())
            fresh = [_row(line) for line in batch.values() if line.id not in there]
            if fresh:
                connection.execute(calls.insert(), fresh)
        added += len(fresh)
    return Imported(added, count - added)


def _rows(database: Database, run: str | None) -> Iterator[Any]:
    """In the order they were made, a batch at a time: a journal may be larger than the memory."""
    last = ""
    while True:
        query = select(calls).where(calls.c.id > last).order_by(calls.c.id).limit(_BATCH)
        with database.read() as connection:
            found = connection.execute(query if run is None else query.where(is_of_run(run))).all()
        if not found:
            return
        yield from found
        last = found[-1].id


def _exported(row: Any) -> dict[str, Any]:
    facts = {name: getattr(row, name) for name in Line.model_fields}
    facts |= {name: None if facts[name] is None else json.loads(facts[name]) for name in _BODIES}
    return {**facts, "cost": None if row.cost is None else f"{from_pico(row.cost):f}"}


def _row(line: Line) -> dict[str, Any]:
    facts = line.model_dump()
    facts |= {name: None if facts[name] is None else stored(facts[name]) for name in _BODIES}
    return {**facts, "cost": None if line.cost is None else to_pico(line.cost), "process": ""}


def _lines(path: Path) -> Iterator[Line]:
    try:
        with path.open("rb") as file:
            yield from _parsed(path, file)
    except OSError as error:
        _refuse(path, f"cannot be read: {error.strerror}", "Name a file that `gen calls export` wrote.")


def _parsed(path: Path, lines: Iterable[bytes]) -> Iterator[Line]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield Line.model_validate(json.loads(line, parse_constant=_no_number))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            problem = f"{where}: {first['msg']}" if where else first["msg"].removeprefix("Value error, ")
        except RecursionError:
            problem = "it is nested too deeply"
        except ValueError as error:
            problem = str(error)
        else:
            continue
        _refuse(path, f"line {number} is not a recorded call: {problem}", "Mend or remove the line; nothing was added.")


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _refuse(path: Path, problem: str, fix: str) -> NoReturn:
    raise InputError(f"{path} {problem}", fix=fix, path=str(path)) from None
