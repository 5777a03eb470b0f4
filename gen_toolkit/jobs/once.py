"""gt.once: what a notebook does in the world (a mail, a ticket, a payment) is done once, in however many attempts."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import inspect
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, TypeVar

from gen_toolkit import scope, text
from gen_toolkit.database.engine import Database, open_database
from gen_toolkit.database.sql import Connection, Row, insert_new, now, select
from gen_toolkit.database.tables import effects, runs
from gen_toolkit.errors import EffectUnknown, InputError, KeepError, ReplayMiss, RunFailed
from gen_toolkit.process import is_alive, this_process

Result = TypeVar("Result")

_KEY = re.compile(r"[^\x00-\x1f]{1,200}")


def once(
    key: str,
    fn: Callable[..., Result],
    *args: Any,
    on_unknown: Literal["raise", "retry"] = "raise",
    **kwargs: Any,
) -> Result:
    """Call `fn(*args, **kwargs)` once a run, and return its result; later attempts of the run get it from the record.

    That it begins is on record before, its result after. What was begun, and whose result nobody recorded (the
    process died, or `fn` raised), may have been done: then EffectUnknown is raised, or with
    `on_unknown="retry"` it is called again. A parameter of `fn` called `idempotency_key` is given a text that is
    the same each time, for services that tell repetitions by it.

    `key` names what is done ("mail to Ada"), once for each thing that is done. It counts within the run of a job
    with all its attempts, within a `gt.run(resume=True)`, else within the session. The result is plain data
    (JSON), and comes back as such. Raises InputError for a key or function that cannot be used, KeepError for
    a result that is no plain data (it is done all the same, and the next attempt gets None). With
    GEN_TOOLKIT_CALLS=replay nothing is done in the world: what is not on record is a ReplayMiss.
    """
    _check(key, fn, on_unknown)
    owner = scope.current().owner or scope.session()
    database = open_database()
    with _alone(owner, key) as alone:
        done = _begin(database, owner, key, on_unknown, alone)
        if done is not None:
            return json.loads(done.result) if done.result else None  # type: ignore[return-value]  # what was recorded
        if _takes_idempotency_key(fn):
            kwargs["idempotency_key"] = hashlib.sha256(f"{owner}\0{key}".encode()).hexdigest()[:32]
        return _recorded(database, owner, key, fn(*args, **kwargs))


def _recorded(database: Database, owner: str, key: str, result: Result) -> Result:
    """The result, durable, as it comes back in every attempt."""
    try:
        recorded = json.dumps(result, allow_nan=False)
    except (TypeError, ValueError) as error:
        _record(database, owner, key, None)
        raise KeepError(
            f"{key!r} is done, and its result ({type(result).__name__}) cannot be recorded: {error}",
            fix="Return plain data: numbers, texts, lists and dicts of them.",
            name=key,
        ) from None
    _record(database, owner, key, recorded)
    return json.loads(recorded)  # type: ignore[no-any-return]  # the same in this attempt and in the next


def _check(key: Any, fn: Any, on_unknown: str) -> None:
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise InputError(f"{key!r} cannot name what is done", fix="Use a text of 1 to 200 characters, in one line.")
    if on_unknown not in {"raise", "retry"}:
        raise InputError(f"on_unknown={on_unknown!r} is neither", fix="Use 'raise' or 'retry'.")
    if not callable(fn) or asyncio.iscoroutinefunction(fn):
        raise InputError(f"{key!r}: what is called must be a plain function", fix="Give the function, not its result.")


def _takes_idempotency_key(fn: Callable[..., Any]) -> bool:
    try:
        return "idempotency_key" in inspect.signature(fn).parameters
    except (TypeError, ValueError):
        return False  # written in C, without a signature


_doing: set[tuple[str, str]] = set()
_lock = threading.Lock()


@contextlib.contextmanager
def _alone(owner: str, key: str) -> Iterator[bool]:
    """Whether no other thread of this process is at it."""
    with _lock:
        alone = (owner, key) not in _doing
        _doing.add((owner, key))
    try:
        yield alone
    finally:
        if alone:
            with _lock:
                _doing.discard((owner, key))


def _begin(database: Database, owner: str, key: str, on_unknown: str, alone: bool) -> Row[Any] | None:
    """Put on record that it begins, unless it was done. Raises EffectUnknown where nobody knows."""
    mine = (effects.c.owner == owner) & (effects.c.key == key)
    with database.write() as connection:
        _prove_holder(connection, owner)
        at = float(connection.execute(select(now())).scalar_one())
        found = connection.execute(select(effects).where(mine)).first()
        if found is not None and found.state == "done":
            return found
        if found is not None and (on_unknown == "raise" or not alone or _is_at_it(found)):
            raise _unknown(found, key, under_way=not alone or _is_at_it(found))
        if scope.is_offline():
            raise ReplayMiss(
                f"replay: {key!r} is not on record as done, and nothing is done in the world",
                fix="Unset GEN_TOOLKIT_CALLS to have it done.",
                key=key,
                alias="",
            )
        begun = {"run": scope.run_or_session(), "process": this_process(), "state": "begun", "begun_at": at}
        insert_new(connection, effects, [{"owner": owner, "key": key, **begun}])
        connection.execute(effects.update().where(mine).values(begun))
    return None


def effects_of(database: Database, owner: str) -> dict[str, Any]:
    """What was done for a run or a session, by key, with its results."""
    query = select(effects.c.key, effects.c.result).where(effects.c.owner == owner, effects.c.state == "done")
    with database.read() as connection:
        return {key: json.loads(result) if result else None for key, result in connection.execute(query)}


def take_as_done(database: Database, owner: str, done: Mapping[str, Any]) -> None:
    """Let `owner`, which does all anew, find on record what was done for another."""
    with database.write() as connection:
        at = float(connection.execute(select(now())).scalar_one())
        for key, result in done.items():
            facts = {"run": owner, "process": "", "state": "done", "begun_at": at, "done_at": at}
            connection.execute(effects.insert().values(owner=owner, key=key, result=json.dumps(result), **facts))


def _record(database: Database, owner: str, key: str, result: str | None) -> None:
    mine = (effects.c.owner == owner) & (effects.c.key == key)
    with database.write() as connection:
        done = {"state": "done", "result": None if result is None else text.scrub(result), "done_at": now()}
        connection.execute(effects.update().where(mine).values(done))


def _prove_holder(connection: Connection, owner: str) -> None:
    """An attempt that was taken from its process does nothing in the world any more."""
    run = connection.execute(select(runs.c.attempt, runs.c.state).where(runs.c.id == owner)).first()
    attempt = scope.job_attempt()
    if run is not None and attempt is not None and (run.attempt, run.state) != (attempt, "running"):
        raise RunFailed(
            f"this attempt of run {owner[:13]} is over: the ledger says that it is {run.state}",
            fix="Nothing was done. See: gen runs show " + owner[:13],
            run=owner,
            state=run.state,
        )


def _is_at_it(row: Row[Any]) -> bool:
    """Another process, which still runs, has begun it."""
    return bool(row.process != this_process() and is_alive(row.process))


def _unknown(row: Row[Any], key: str, under_way: bool) -> EffectUnknown:
    if under_way:
        what, fix = f"{key!r} is being done by another process or thread", "Wait for it."
    else:
        what = f"{key!r} was begun and its result was never recorded: nobody knows whether it was done"
        fix = 'Look there; then call it with on_unknown="retry", or give what is to be done another key.'
    return EffectUnknown(what, fix=fix, key=key, begun_at=row.begun_at)
