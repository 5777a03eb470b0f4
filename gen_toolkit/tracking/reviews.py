"""What reviewers did, from the ledger of the workspace: durable when it was told, whatever became of the notebook."""

from __future__ import annotations

from gen_toolkit.database.engine import open_database
from gen_toolkit.events import Reviewed
from gen_toolkit.tracking import spool


def steps(review: str, reviewer: str) -> list[Reviewed]:
    """All that a reviewer did in reviews of that name, oldest first, in whatever run."""
    found = spool.events_of_kind(open_database(), Reviewed)
    return [event for event in found if (event.review, event.reviewer) == (review, reviewer)]
