"""What holds on this machine about the processes of a run, for `gen doctor`."""

from __future__ import annotations

import os
import sys

from gen_toolkit.errors import SetupError
from gen_toolkit.jobs.group import may_group


def guarantee() -> str:
    """How whatever a run starts is found and ended. Raises SetupError where it cannot be promised."""
    if not sys.platform.startswith("linux"):
        raise SetupError(
            "what a run leaves in other sessions is not found: this system has no subreaper and no /proc",
            fix="Jobs run; look for what a killed one left.",
        )
    if not os.access("/proc/self/environ", os.R_OK):
        raise SetupError(
            "processes of a run cannot be found here: there is no /proc",
            fix="Mount /proc. Jobs run; what a killed one leaves may stay.",
        )
    if may_group():
        return "by control group, subreaper and mark: nothing that a run starts outlives it, whoever is killed"
    return "by subreaper and mark: nothing that a run starts outlives it, whichever one process is killed"
