"""Deliver what waits in the outbox: several at once, each in its time, again after growing pauses, then given up."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from gen_toolkit import text
from gen_toolkit.alerts import outbox
from gen_toolkit.alerts.command import call
from gen_toolkit.alerts.declared import channels
from gen_toolkit.alerts.outbox import Alert
from gen_toolkit.alerts.undelivered import Undelivered
from gen_toolkit.alerts.webhook import post
from gen_toolkit.channel import Channel
from gen_toolkit.database.engine import Database
from gen_toolkit.errors import GenToolkitError
from gen_toolkit.settings import Resolved

PAUSES_S = (2.0, 10.0, 60.0, 300.0, 900.0)
"""Between the tries: six of them, over 21 minutes."""
_AT_ONCE = 8
_LONGEST_S = 330.0
"""A sender that was killed has its alerts tried again after so long; longer than any delivery takes."""

Log = Callable[[str], None]


def deliver_due(settings: Resolved, database: Database, log: Log) -> int:
    """Try what is due, at most eight at once; how many that were. Returns when each was delivered or was not."""
    taken: list[threading.Thread] = []
    while len(taken) < _AT_ONCE:
        alert = outbox.take(database, settings.workspace.root, busy_s=_LONGEST_S)
        if alert is None:
            break
        thread = threading.Thread(target=_deliver, args=(alert, settings, database, log), name="gen_toolkit alert")
        thread.start()
        taken.append(thread)
    for thread in taken:
        thread.join()
    return len(taken)


def _deliver(alert: Alert, settings: Resolved, database: Database, log: Log) -> None:
    what = f"{alert.occasion} of {alert.pipeline} (run {alert.run[:13]}) to {alert.channel}"
    problem = _problem(alert, settings)
    if problem is None:
        outbox.delivered(database, alert)
        log(f"delivered {what}")
        return
    again = PAUSES_S[alert.tries] if alert.tries < len(PAUSES_S) else None
    outbox.failed(database, alert, problem, again_s=again)
    log(f"{f'not yet delivered, again in {again:g} s:' if again else 'gave up:'} {what}: {problem}")


def _problem(alert: Alert, settings: Resolved) -> str | None:
    """What went wrong; None: it was delivered."""
    try:
        channel = channels(settings, alert.pipeline).get(alert.channel)
    except GenToolkitError as error:
        return str(error)
    if channel is None:
        return "the channel is not declared any more"
    said: list[str] = []
    thread = threading.Thread(target=_try, args=(alert, channel, settings, said), daemon=True)
    thread.start()
    thread.join(channel.timeout_s + 1)  # a server that drips would keep one try for ever
    if thread.is_alive():
        return f"no answer after {channel.timeout_s:g} s"
    return text.one_line(said[0], 300) if said else None


def _try(alert: Alert, channel: Channel, settings: Resolved, said: list[str]) -> None:
    try:
        if channel.webhook is not None:
            post(channel.webhook, channel.headers, alert.payload, alert.key, channel.timeout_s)
        else:
            call(channel.command, alert.payload, channel.timeout_s, settings.workspace.root)
    except (Undelivered, GenToolkitError) as error:
        said.append(str(error))
    except Exception as error:  # noqa: BLE001 - whatever it is, the alert was not delivered and is tried again
        said.append(f"{type(error).__name__}: {error}")


def log_file(settings: Resolved) -> Log:
    """A log that writes lines to `mlruns/alerts.log`."""
    path = settings.workspace.prepare() / "alerts.log"

    def log(line: str) -> None:
        stamped = f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {text.one_line(line, 500)}\n"
        with open(path, "a", encoding="utf-8", opener=_private) as file:
            file.write(stamped)

    return log


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
