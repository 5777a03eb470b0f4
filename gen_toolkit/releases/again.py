"""From a run that is on record to a job: for its next attempt, or because it waited in the queue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from gen_toolkit.database.engine import open_database
from gen_toolkit.errors import GenToolkitError, ReleaseError
from gen_toolkit.jobs.execute import Finished, Job, carry_out, silent
from gen_toolkit.jobs.ledger import Ledger, Reason, RunRow
from gen_toolkit.jobs.ledger_claims import refusal
from gen_toolkit.jobs.prepare import RELEASE
from gen_toolkit.jobs.rows import Lease
from gen_toolkit.jobs.supervise import Progress
from gen_toolkit.process import this_process
from gen_toolkit.releases.start import release_job, tell_environment, try_job

_MASK = "[secret]"


def resume_run(run: str, *, progress: Progress = silent, **limits: float | None) -> Finished:
    """One more attempt of a run that did not succeed: what its calls brought is taken from the journal.

    Everything that can be refused is refused before the run is touched. Raises ResumeRefused where it is under
    way or has succeeded, NotFound, and what refuses its release.
    """
    ledger = Ledger(open_database())
    row = ledger.find(run)
    if row.state in {"running", "succeeded", "skipped"}:
        raise refusal(row.id, row.state, row.worker)
    job = job_of(row, limits)
    tell_environment(job)
    return carry_out(job, ledger.resume(row.id), progress)


def run_claimed(lease: Lease, *, progress: Progress = silent) -> Finished:
    """Execute a run that was claimed for this process. What refuses its release ends the attempt as `failed`."""
    ledger = Ledger(open_database())
    if not ledger.record(lease, process=this_process()):
        return Finished(ledger.find(lease.run))  # whoever claimed it was too slow to start us
    try:
        row = ledger.find(lease.run)
        job = job_of(row, served=row.parent is None)
    except GenToolkitError as error:
        ledger.finish(lease, "failed", Reason(error.message, error=type(error).__name__))
        return Finished(ledger.find(lease.run))
    return carry_out(job, lease, progress, stay=False)


def job_of(row: RunRow, limits: Mapping[str, float | None] | None = None, *, served: bool = False) -> Job:
    """What a run on record executes, as it can be executed now. Raises what refuses it. `served`: see `release_job`."""
    if _MASK in json.dumps(row.parameters):
        raise ReleaseError(
            f"run {row.id[:13]} was given the text of a secret, which is not on record",
            fix="Start another with gen run; a parameter of type Secret takes a reference.",
            run=row.id,
        )
    if row.kind == "try":
        job = try_job(row.name, tried(row), row.parameters, limits)
    else:
        job = release_job(row.name, row.parameters, number=row.release, limits=limits, served=served)
    if job.digest != row.digest:
        raise ReleaseError(
            f"release {row.release} of {row.name} is not the one that run {row.id[:13]} executed",
            fix="Put its folder back as it was, or start another run.",
            run=row.id,
        )
    return job


def tried(row: RunRow) -> Path:
    """Where the notebook of a try was frozen: in the folder of one of its attempts. Raises ReleaseError."""
    folders = [attempt.folder / RELEASE for attempt in Ledger(open_database()).attempts(row.id) if attempt.folder]
    found = next((folder for folder in reversed(folders) if (folder / "manifest.json").is_file()), None)
    if found is None:
        raise ReleaseError(
            f"what run {row.id[:13]} tried is not there any more", fix=f"Run: gen try {row.notebook}", run=row.id
        )
    return found
