"""Loaded into a kernel: has it end at once when it is told to, every time."""

from __future__ import annotations

import atexit
from typing import Any

_PATIENCE = 5.0  # seconds; the thread that is waited for has only its last state to tell


def end_in_order(kernel: Any) -> None:
    """See to it that `kernel` (an ipykernel) stops the thread that sends after the one that still has to say something.

    ipykernel 7.4 ends the sending one first, at exit: where the control thread, in which the shutdown was asked for,
    tells that it is idle after that, the two wait for ever, and who shuts the kernel down has to kill it.
    """
    atexit.register(_stop_control, kernel.parent)  # what is registered last comes first


def _stop_control(app: Any) -> None:
    control = app.control_thread
    if control is not None and control.is_alive():
        control.stop()
        control.join(_PATIENCE)
