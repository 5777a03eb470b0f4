"""The built-in listener: every event goes to the spool; outside a job somebody is woken who brings it on to MLflow."""

from __future__ import annotations

from gen_toolkit.database.engine import open_database
from gen_toolkit.events import Event, Notice
from gen_toolkit.settings import load_settings
from gen_toolkit.surface import surface
from gen_toolkit.tracking import spool
from gen_toolkit.tracking.hand_over import wake_writer


def listen(event: Event) -> None:
    if isinstance(event, Notice):
        return
    settings = load_settings()
    spool.put(open_database(settings), event, settings.tracking_uri, settings.experiment)
    if surface() != "job":  # in a job its supervisor sees to it
        wake_writer(settings)
