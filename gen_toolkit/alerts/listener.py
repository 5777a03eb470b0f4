"""The listener: what people want to hear of goes to the outbox, and a sender is started. Never stops a job."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

from gen_toolkit import text
from gen_toolkit.channel import Occasion
from gen_toolkit.events import Event, JobEnded, JobsMissed, Notice


def listen(event: Event) -> None:
    if not isinstance(event, Notice):
        return
    try:
        _note(event)
    except Exception as error:  # noqa: BLE001 - a job is not lost for an alert: the line is all there is to do
        sys.stderr.write(text.one_line(f"alerts: {event.name}: {error}", 300) + "\n")


def _note(event: Notice) -> None:
    from gen_toolkit.alerts import outbox
    from gen_toolkit.alerts.declared import channels
    from gen_toolkit.alerts.history import before
    from gen_toolkit.alerts.reasons import reasons
    from gen_toolkit.alerts.send import start_sender
    from gen_toolkit.database.engine import open_database
    from gen_toolkit.settings import load_settings

    settings = load_settings()
    declared = channels(settings, event.name)
    if not declared:
        return
    database = open_database(settings)
    root = settings.workspace.root
    history = before(database, event.name, event.run) if isinstance(event, JobEnded) else None
    wanted = False
    for name, channel in declared.items():
        if isinstance(event, JobEnded) and history is not None:
            found = reasons(event, history, channel)
        else:
            found = [("missed", _missed(event))] if isinstance(event, JobsMissed) and "missed" in channel.on else []
        for occasion, line in found:
            payload = _payload(event, occasion, line, root.name)
            outbox.put(
                database,
                run=event.run,
                occasion=occasion,
                channel=name,
                pipeline=event.name,
                workspace=root,
                payload=payload,
            )
            wanted = True
    if wanted:
        start_sender(root)


def _payload(event: Notice, occasion: Occasion, line: str, workspace: str) -> dict[str, Any]:
    """Plain data; `text` alone is what chats show."""
    said = text.one_line(f"{event.name}: {line}", 400)
    return {"text": said, "occasion": occasion, "workspace": workspace, "pipeline": event.name, **event.to_json()}


def _missed(event: JobsMissed) -> str:
    def written(instant: int) -> str:
        return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")

    if event.count == 1:
        return f"missed what was due at {written(event.first)}"
    return f"missed {event.count} that were due from {written(event.first)} to {written(event.last)}"
