"""The commands, in a process of their own: MLflow is told by another, which outlives it."""

from __future__ import annotations

from typing import NoReturn

from gen_toolkit.cli.app import main as run
from gen_toolkit.jobs.courier import start_courier
from gen_toolkit.tracking.hand_over import by_courier


def main() -> NoReturn:
    by_courier(start_courier)
    run()
