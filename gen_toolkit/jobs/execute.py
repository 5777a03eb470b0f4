"""Execute a notebook as a job: ask for a run, prepare, supervise, finish, tell. The whole story of an attempt."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gen_toolkit import scope
from gen_toolkit.database.engine import Database, open_database
from gen_toolkit.database.place import references
from gen_toolkit.errors import DatabaseError, GenToolkitError
from gen_toolkit.ipynb import code_hash
from gen_toolkit.jobs.environment import remember_secrets
from gen_toolkit.jobs.heartbeat import beating
from gen_toolkit.jobs.job import Finished as Finished
from gen_toolkit.jobs.job import Job as Job
from gen_toolkit.jobs.job import silent as silent
from gen_toolkit.jobs.ledger import Again, Ledger
from gen_toolkit.jobs.mlflow_use import first_use, included_files
from gen_toolkit.jobs.outcome import outcome_of, total_of
from gen_toolkit.jobs.patience import insist, wait
from gen_toolkit.jobs.prepare import environment_of, prepared_folder
from gen_toolkit.jobs.retries import Retries
from gen_toolkit.jobs.rows import Lease, Reason, RunRow
from gen_toolkit.jobs.supervise import Ending, Progress, drop_work, ended_in_order, supervise
from gen_toolkit.jobs.tell import mark_notebook, tell_end, tell_start
from gen_toolkit.process import this_process
from gen_toolkit.settings import Resolved, load_settings
from gen_toolkit.tracking.find import await_mlflow_run
from gen_toolkit.tracking.run import CODE_TAG


def execute(job: Job, progress: Progress = silent) -> Finished:
    """Ask for a run of `job`, have it at once, and execute it. Raises DatabaseError before there is a run."""
    settings, attempt = load_settings(), scope.new_id()
    database = open_database(settings)
    remember_secrets(job.references)
    folder = prepared_folder(job, attempt, settings)
    lease = Ledger(database).begin(job.asked_for(), attempt=attempt, folder=folder)
    assert lease is not None, "no instant is asked for"
    return carry_out(job, lease, progress)


def carry_out(job: Job, lease: Lease, progress: Progress = silent, *, stay: bool = True) -> Finished:
    """Execute the run that this process has the lease of, and record how it ended, whatever happens to it.

    Where it is to be tried again this process waits and does it; without `stay` it leaves that to whoever
    claims it then. What is returned is the ledger's word.
    """
    settings = load_settings()
    work = _Work(job, settings, open_database(settings), progress, stay)
    held: Lease | None = lease
    while held is not None:
        finished = _attempt(work, held)
        if not stay or finished.signal is not None or finished.run.state != "queued":
            return finished
        with ended_in_order() as hold_off_signals:
            seconds = max(0.0, (finished.run.not_before or 0.0) - work.ledger.now())
            came = wait(seconds, partial(progress, 0, 0), partial(_waits_no_longer, work.ledger, lease.run))
            if came is not None:
                hold_off_signals()
                work.ledger.cancel(lease.run)
                tell(work.database, held)
                return Finished(work.ledger.find(lease.run), came)
        held = work.ledger.take(lease.run, ttl=lease.ttl)
    return Finished(work.ledger.find(lease.run))


@dataclass(frozen=True)
class _Work:
    """What is to be done, and with what."""

    job: Job
    settings: Resolved
    database: Database
    progress: Progress
    stay: bool

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.database)


def _attempt(work: _Work, lease: Lease) -> Finished:
    job, ledger = work.job, work.ledger
    remember_secrets(job.references)
    prepared = _prepared(work, lease)
    if prepared is None:
        return Finished(ledger.find(lease.run))
    run, folder = prepared
    with ended_in_order() as hold_off_signals, beating(ledger, lease) as heartbeat:

        def under_way() -> dict[str, str]:
            heartbeat.start()  # not before the run's first process was
            return _mlflow_environment(job, lease.attempt)

        try:
            ending = supervise(
                lease.attempt,
                folder,
                environment=environment_of(job, run, lease, folder, work.settings),
                late_environment=under_way,
                cwd=work.settings.workspace.root,
                limits=job.limits,
                orders=heartbeat.orders,
                progress=work.progress,
                secrets=[*job.references, *references(work.settings)],
            )
        except GenToolkitError as error:
            _finish(work, lease, Ending("failed", _refused(error)), folder, again=False)
            raise
        except BaseException:
            _finish(work, lease, Ending("killed", Reason("its supervisor broke")), folder, again=False)
            raise
        hold_off_signals()  # a second Ctrl-C must not leave a run that nobody knows the end of
        _finish(work, lease, ending, folder, again=ending.signal is None)
        return Finished(ledger.find(lease.run), ending.signal)


def _prepared(work: _Work, lease: Lease) -> tuple[RunRow, Path] | None:
    """The run, on record as it starts, and the folder of this attempt. What stands in the way ends the attempt.

    None: the lease is lost already.
    """
    ledger = work.ledger
    try:
        folder = prepared_folder(work.job, lease.attempt, work.settings)
        run = ledger.find(lease.run)
        if run.folder is None and not ledger.record(lease, folder=folder, process=this_process()):
            return None
        tell_start(run, lease, work.settings, {CODE_TAG: code_hash(work.job.notebook), **work.job.labels})
    except GenToolkitError as error:
        with contextlib.suppress(DatabaseError):  # what cannot be written now is found out by the next command
            ledger.finish(lease, "failed", _refused(error))
        raise
    return run, folder


def _waits_no_longer(ledger: Ledger, run: str) -> bool:
    """Whether somebody has cancelled a run, or taken it up, while it waited for its next attempt."""
    with contextlib.suppress(DatabaseError):  # it is asked once more
        return ledger.find(run).state != "queued"
    return False


def _refused(error: GenToolkitError) -> Reason:
    return Reason(error.message, error=type(error).__name__)


def _mlflow_environment(job: Job, attempt: str) -> dict[str, str]:
    """Where the notebook's own `mlflow.*` calls land: in this attempt's run, when MLflow answers in time.

    Of a notebook that makes none MLflow is not asked, and not even loaded here.
    """
    if first_use(job.notebook["cells"], included_files(job.release_folder)) is None:
        return {}
    found = await_mlflow_run(attempt)
    return {"MLFLOW_RUN_ID": found} if found else {}


def _finish(work: _Work, lease: Lease, ending: Ending, folder: Path, *, again: bool) -> None:
    """The ledger first, then the copies. An end that the ledger refuses is told to nobody."""
    end = partial(record_end, work.database, lease, ending, folder, again=again, stay=work.stay)
    say = partial(work.progress, 0, 0)
    if insist(end, say):
        insist(partial(tell, work.database, lease), say)


def record_end(
    database: Database,
    lease: Lease,
    ending: Ending,
    folder: Path | None,
    *,
    again: bool = True,
    stay: bool = False,
    seen: float | None = None,
) -> bool:
    """How an attempt ended, with what it brought; False where the ledger refuses. `again`: as its retries say."""
    ledger = Ledger(database)
    assert ending.state not in {"queued", "running", "skipped"}, "not an end"
    outcome = {**outcome_of(database, lease.attempt, folder), **ending.measured.to_json()}
    total = total_of(database, outcome, [one.id for one in ledger.attempts(lease.run)])
    wait = None
    if again:
        retries = Retries.from_json(ledger.find(lease.run).retries)
        wait = retries.wait(ending.state, ending.reason, lease.number)
    more = None if wait is None else Again(wait, keep=stay)
    return ledger.finish(lease, ending.state, ending.reason, outcome, total=total, again=more, seen=seen)  # type: ignore[arg-type]


def tell(database: Database, lease: Lease) -> None:
    """Bring the copies up to the ledger's word on an attempt that ended. May be done twice."""
    ledger = Ledger(database)
    attempt = next(one for one in ledger.attempts(lease.run) if one.id == lease.attempt)
    with contextlib.suppress(OSError):  # a full disk: the ledger has it, and the copy is made by the next command
        mark_notebook(attempt)
        if attempt.state == "succeeded" and attempt.folder is not None:
            drop_work(attempt.folder)
        tell_end(ledger.find(lease.run), attempt)
        ledger.told(attempt.id)
