"""The table `[schedule]` of pipeline.toml: read, checked against the release it would run, written."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from gen_toolkit.errors import GenToolkitError, ParameterError
from gen_toolkit.jobs.parameters import Parameters
from gen_toolkit.releases.files import folders_with
from gen_toolkit.releases.parameters import released_parameters
from gen_toolkit.releases.pipeline import Pipeline, pipeline_of
from gen_toolkit.timing.schedule import Schedule, read_schedule
from gen_toolkit.workspace import Workspace


def schedule_of(pipeline: Pipeline) -> Schedule | None:
    """What the pipeline's file says about fire times. Raises SettingError naming file and key."""
    table = pipeline.settings().get("schedule")
    return None if table is None else read_schedule(table, str(pipeline.file))


def scheduled(workspace: Workspace) -> dict[str, tuple[Pipeline, Schedule | GenToolkitError]]:
    """Every pipeline of the workspace that has a schedule, by name; where its file is wrong, the error."""
    found: dict[str, tuple[Pipeline, Schedule | GenToolkitError]] = {}
    for folder in folders_with("pipeline.toml", workspace.pipelines):
        pipeline = Pipeline(folder.name, folder)
        try:
            schedule = schedule_of(pipeline_of(workspace, folder.name, must_exist=False))
        except GenToolkitError as error:
            found[folder.name] = (pipeline, error)
            continue
        if schedule is not None:
            found[folder.name] = (pipeline, schedule)
    return found


def declared_parameters(pipeline: Pipeline, number: int | None = None) -> Parameters:
    """The parameters of a release, by default of the live one. Raises ReleaseError where there is none."""
    return released_parameters(pipeline.release_folder(number))


def values_at(schedule: Schedule, declared: Parameters, instant: int) -> dict[str, Any]:
    """What the run of an instant is given: the schedule's parameters and the due time, each of its declared type.

    Raises ParameterError for what the release does not take.
    """
    given = dict(schedule.parameters)
    if schedule.due is not None:
        given[schedule.due] = _due_value(schedule.due, declared, schedule, instant)
    checked = declared.values(given)
    return {name: checked[name] for name in given}


def _due_value(name: str, declared: Parameters, schedule: Schedule, instant: int) -> Any:
    parameter = next((item for item in declared.items if item.name == name), None)
    if parameter is None:
        return None  # `values` says what there is
    moment = schedule.local(instant)
    for value in (moment, moment.date(), moment.isoformat()):
        try:
            return parameter.check(value, strict=True)
        except ParameterError:
            continue
    raise ParameterError(
        f"parameter {name}: a due time cannot be given as {parameter.annotation}",
        fix="Declare it as date, datetime or str.",
        parameter=name,
    )


def write_schedule(pipeline: Pipeline, changes: Mapping[str, Any]) -> Schedule:
    """Change keys of `[schedule]` (None removes one), and of its parameters those named; all else in the file stays.

    Raises SettingError, ParameterError or ReleaseError before anything is written. Where `paused` alone is changed
    the release is not looked at: what cannot run can be silenced.
    """
    wanted = pipeline.settings().get("schedule", {})
    _change(wanted, changes)
    schedule = read_schedule(wanted, str(pipeline.file))
    if changes.keys() != {"paused"}:
        values_at(schedule, declared_parameters(pipeline), 0)
    for name, value in (changes.get("parameters") or {}).items():
        if value is None:
            raise ParameterError(
                f"parameter {name}: a file of TOML cannot hold none", fix="Leave it out.", parameter=name
            )

    def change(document: Any) -> None:
        import tomlkit

        if "schedule" not in document:
            document["schedule"] = tomlkit.table()
        _change(document["schedule"], changes)

    pipeline.edit(change)
    return schedule


def _change(table: MutableMapping[str, Any], changes: Mapping[str, Any]) -> None:
    """In place, so that comments of a document of tomlkit stay."""
    for key, value in changes.items():
        if value is None:
            table.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(table.get(key), MutableMapping):
            table[key].update(value)
        else:
            table[key] = value
