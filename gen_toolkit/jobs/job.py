"""What is to be executed, and what came of it. Plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gen_toolkit.ipynb import Notebook
from gen_toolkit.jobs.limits import UNLIMITED, Limits
from gen_toolkit.jobs.retries import NEVER, Retries
from gen_toolkit.jobs.rows import NewRun, RunRow
from gen_toolkit.jobs.values import as_json
from gen_toolkit.secret import Secret


def silent(_cell: int, _of: int, _line: str) -> None:
    """A progress that shows nothing."""


@dataclass(frozen=True)
class Job:
    """What is to be executed, validated and ready."""

    name: str
    kind: str
    """`job`: a release; `try`: a notebook as a job would run it."""
    notebook: Notebook
    source: str
    """Path of the notebook, as people know it."""
    values: Mapping[str, Any]
    release_folder: Path
    """Holds the manifest with frozen prompts and pins."""
    release: int | None = None
    digest: str | None = None
    secrets: Sequence[str] = ()
    """Environment variables that the kernel may see."""
    limits: Limits = UNLIMITED
    retries: Retries = NEVER
    daily_budget: str | None = None
    """What all jobs of this name may spend on one day (UTC)."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Tags of its run in MLflow."""
    is_shared: bool = False
    """Whether what sessions were answered answers it, too: then its calls have no owner, and are made only where
    there is no answer."""

    @property
    def references(self) -> list[str]:
        """Of every secret that the notebook may read."""
        given = {value.reference for value in self.values.values() if isinstance(value, Secret)}
        return sorted(given | {f"env:{name}" for name in self.secrets})

    def asked_for(self, *, due: float | None = None, parent: str | None = None, queued: bool = False) -> NewRun:
        """A run of it, for the ledger. `queued`: whoever is free will execute it, and not this process."""
        retries = {**self.retries.to_json(), "queued": queued}
        return NewRun(
            name=self.name,
            kind=self.kind,
            notebook=self.source,
            parameters={name: as_json(value) for name, value in self.values.items()},
            release=self.release,
            digest=self.digest,
            due=due,
            parent=parent,
            retries=retries if queued or self.retries.attempts > 1 else None,
        )


@dataclass(frozen=True)
class Finished:
    """A run whose attempt has ended, and the signal that ended it, if one asked this process to stop."""

    run: RunRow
    signal: int | None = None
