"""Loaded into the kernel of a job before its first cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gen_toolkit.jobs.kernel_end import end_in_order
from gen_toolkit.jobs.variables import answer
from gen_toolkit.marks import hold


def begin(kernel: Any, references: Sequence[str]) -> None:
    """Have `kernel` (an ipykernel) stay in its job, answer `gen runs peek`, and end when it is told to.

    The values of `references` (secrets) are masked wherever it answers.
    """
    hold()
    answer(kernel, references)
    end_in_order(kernel)
