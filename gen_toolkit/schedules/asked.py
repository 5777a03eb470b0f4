"""The run that an instant of a schedule asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gen_toolkit.errors import DatabaseError, GenToolkitError
from gen_toolkit.jobs.parameters import Parameters
from gen_toolkit.jobs.retries import Retries
from gen_toolkit.jobs.rows import NewRun
from gen_toolkit.jobs.values import as_json
from gen_toolkit.releases.freeze import verify
from gen_toolkit.releases.pipeline import Pipeline
from gen_toolkit.schedules.declared import declared_parameters, values_at
from gen_toolkit.scope import new_id
from gen_toolkit.timing.schedule import Schedule


@dataclass(frozen=True)
class Asked:
    """The live release of a pipeline, read once for many instants."""

    name: str
    facts: dict[str, Any]
    """What a run says of its release."""
    parameters: Parameters | None
    """None: there is none that can run."""
    problem: str = ""
    """Why not."""

    @classmethod
    def of(cls, pipeline: Pipeline) -> Asked:
        try:
            manifest = verify(pipeline.release_folder(), beside=False)
            retries = Retries.of(pipeline.settings().get("retries", {}), str(pipeline.file))
            facts = {
                "notebook": manifest["notebook"],
                "release": manifest["release"],
                "digest": manifest["digest"],
                "retries": {**retries.to_json(), "queued": True},
            }
            return cls(pipeline.name, facts, declared_parameters(pipeline, manifest["release"]))
        except DatabaseError:  # nobody can tell which release is live: the instant is looked at again
            raise
        except GenToolkitError as error:
            return cls(pipeline.name, {"notebook": ""}, None, str(error))

    def runs(self, schedule: Schedule, instants: Sequence[int]) -> list[tuple[NewRun, str]]:
        """Of each instant the run, and why it cannot be, if it cannot. Ids are in their order: so they are claimed."""
        ids = sorted(new_id() for _ in instants)
        return [self._run(schedule, instant, own) for instant, own in zip(instants, ids, strict=True)]

    def _run(self, schedule: Schedule, instant: int, own: str) -> tuple[NewRun, str]:
        values: dict[str, Any] = {}
        problem = self.problem
        if self.parameters is not None:
            try:
                given = values_at(schedule, self.parameters, instant)
                values = {name: as_json(value) for name, value in given.items()}
            except GenToolkitError as error:
                problem = str(error)
        run = NewRun(id=own, name=self.name, kind="job", parameters=values, due=float(instant), **self.facts)
        return run, problem
