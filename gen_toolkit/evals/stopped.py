"""An evaluation that was stopped by Ctrl-C: what is done is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gen_toolkit.evals.grid import Grid
    from gen_toolkit.evals.result import Result


class EvaluationStopped(KeyboardInterrupt):
    """Raised by `gt.evaluate` on Ctrl-C, and a KeyboardInterrupt to whoever catches that.

    `result` holds the rows that were done, None where there are none; in a notebook it is found at
    `sys.last_value.result`. The same evaluation again asks only for the others.
    """

    def __init__(self, result: Result | Grid | None, done: int, total: int) -> None:
        super().__init__(
            f"stopped with {done:,} of {total:,} rows done; the same again goes on with the rest"
            + (" (.result holds what is done)" if done else "")
        )
        self.result = result
