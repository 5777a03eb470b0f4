"""gen run NAME --grid, --partitions: one parent run, a child for each part, so many at once, one table in the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gen_toolkit.database.engine import open_database
from gen_toolkit.errors import InputError, ParameterError
from gen_toolkit.jobs.execute import Job
from gen_toolkit.jobs.ledger import Filter, Ledger, RunRow
from gen_toolkit.jobs.rows import FAN_OUT, NewRun
from gen_toolkit.jobs.values import as_json
from gen_toolkit.releases.fan_out_run import Progress, Spread, carry_out_parts
from gen_toolkit.releases.parts import MOST, Part
from gen_toolkit.releases.start import release_job, tell_environment
from gen_toolkit.scope import new_id


def fan_out(
    name: str,
    given: Mapping[str, Any],
    parts: Sequence[Part],
    *,
    number: int | None = None,
    jobs: int = 2,
    progress: Progress,
) -> Spread:
    """Execute a release once for each part, with what is `given` to all of them. Refused as a whole or started.

    The parent succeeds when every part did. Raises what refuses a part, naming it.
    """
    ready: list[Job] = []
    for place, part in enumerate(parts, 1):  # all of one release, also when another goes live meanwhile
        ready.append(_job(name, ready[0].release if ready else number, given, part, place))
    ledger = Ledger(open_database())
    first = ready[0]
    tell_environment(first)
    parent = NewRun(
        name=name,
        kind=FAN_OUT,
        notebook=first.source,
        parameters={key: as_json(first.values[key]) for key in given},
        release=first.release,
        digest=first.digest,
    )
    ids = sorted(new_id() for _ in ready)  # parts are told and executed in the order of their ids
    asked = [replace(job.asked_for(parent=parent.id, queued=True), id=own) for job, own in zip(ready, ids, strict=True)]
    lease = ledger.begin(parent, parts=asked)
    assert lease is not None, "no instant is asked for"
    return carry_out_parts(lease, jobs=jobs, progress=progress)


def resume_fan_out(parent: RunRow, *, jobs: int = 2, progress: Progress) -> Spread:
    """Execute the parts that have not succeeded. Raises ResumeRefused where the parent is under way."""
    ledger = Ledger(open_database())
    missing = [part for part in ledger.list(Filter(parent=parent.id), limit=MOST) if part.state != "succeeded"]
    if not missing and parent.state == "succeeded":
        raise InputError(
            f"all parts of run {parent.id[:13]} have succeeded", fix="Start another: gen run NAME --grid …"
        )
    lease = ledger.resume(parent.id)
    again = [part.id for part in missing if not part.is_open]
    return carry_out_parts(lease, jobs=jobs, progress=progress, again=again)


def _job(name: str, number: int | None, given: Mapping[str, Any], part: Part, place: int) -> Job:
    twice = given.keys() & part.keys()
    if twice:
        raise ParameterError(f"parameter {min(twice)} is given with -p and by the parts", fix="Leave one of them out.")
    try:
        return release_job(name, {**given, **part}, from_text=True, number=number)
    except InputError as error:
        raise type(error)(f"part {place}: {error.message}", fix=error.fix, **error.data) from None
