"""At every command that looks at runs: a run whose supervisor is gone is not running, and says so."""

from __future__ import annotations

from collections.abc import Sequence

from gen_toolkit.database.engine import open_database
from gen_toolkit.ipynb import sweep
from gen_toolkit.jobs.execute import mark_notebook, tell_mlflow
from gen_toolkit.jobs.ledger import Ledger, Reason, RunRow
from gen_toolkit.jobs.outcome import outcome_of
from gen_toolkit.process import end_marked
from gen_toolkit.surface import RUN_MARK


def reconcile() -> Sequence[RunRow]:
    """Put right what a killed supervisor left behind; returns the runs that are now known to be lost."""
    database = open_database()
    ledger = Ledger(database)
    found = []
    for run in ledger.abandoned():
        end_marked(RUN_MARK, run.id)
        sweep(run.folder)
        reason = Reason("the process that supervised it is gone; it was killed or the machine stopped")
        if ledger.finish(run.id, "lost", reason, outcome_of(database, run)):
            lost = ledger.find(run.id)
            mark_notebook(lost)
            tell_mlflow(lost)
            found.append(lost)
    return found
