"""Starts the courier, which brings to MLflow what a command leaves; by the template where one is up."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gen_toolkit.jobs.children import Child
    from gen_toolkit.settings import Resolved

MODULE = "gen_toolkit.tracking.courier"

_last: list[Child] = []


def start_courier(settings: Resolved, lock: int) -> None:
    """See `gen_toolkit.tracking.hand_over.Start`. It is no part of any run, and outlives whoever calls this."""
    from gen_toolkit import scope
    from gen_toolkit.jobs.children import Surroundings
    from gen_toolkit.jobs.warm.caller import Caller
    from gen_toolkit.jobs.warm.start import start_warm
    from gen_toolkit.surface import RUN_MARK

    marks = {RUN_MARK, scope.ROOT_MARK, scope.ATTEMPT_MARK, scope.SESSION_MARK, scope.RELEASE_MARK, scope.BUDGETS_MARK}
    environment = {name: value for name, value in os.environ.items() if name not in marks}
    environment["GEN_TOOLKIT_WORKSPACE"] = str(settings.workspace.root)
    if "PYTHONPATH" in environment:
        environment["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, environment["PYTHONPATH"].split(os.pathsep)))
    surroundings = Surroundings(environment, Path("/"), pass_fds=[lock])
    while _last:
        _last.pop().poll()  # of a process that stays, and has started one before: it has ended
    records = settings.workspace.records
    _last.append(start_warm(records, MODULE, str(lock), surroundings=surroundings, caller=Caller.LEAVING))
