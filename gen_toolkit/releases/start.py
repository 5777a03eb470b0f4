"""gen run and gen try: from a release, or a notebook as it stands, to a job."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from gen_toolkit import display, text
from gen_toolkit.errors import ParameterError, ReleaseError
from gen_toolkit.ipynb import read_notebook
from gen_toolkit.jobs.environment import remember_secrets
from gen_toolkit.jobs.execute import Finished, Job, execute, silent
from gen_toolkit.jobs.limits import UNLIMITED, Limits
from gen_toolkit.jobs.parameters import Parameters
from gen_toolkit.jobs.retries import Retries
from gen_toolkit.jobs.supervise import Progress
from gen_toolkit.jobs.values import as_json
from gen_toolkit.models.gateway import pin, prove_ready
from gen_toolkit.releases.cells import read_code
from gen_toolkit.releases.check import checked, parameters_of
from gen_toolkit.releases.environment import refuse_or_tell
from gen_toolkit.releases.finding import Subject
from gen_toolkit.releases.freeze import Frozen, aliases_in, freeze, write_release
from gen_toolkit.releases.pipeline import pipeline_of
from gen_toolkit.releases.references import References, find_references
from gen_toolkit.releases.seal import verify
from gen_toolkit.secret import Secret
from gen_toolkit.settings import Resolved, load_settings

ENVIRONMENT_TAG, AS_REVIEWED = "gen_toolkit.environment", "as reviewed"
"""Tag of a job's run: what of the installed packages was not what was reviewed."""


def run_release(
    name: str,
    given: Mapping[str, str],
    *,
    number: int | None = None,
    progress: Progress = silent,
    **limits: float | None,
) -> Finished:
    """Execute a release. Everything that can be refused is refused before a kernel starts.

    `limits`, by the names of `Limits`, go before those of pipeline.toml.
    """
    job = release_job(name, from_files(given), from_text=True, number=number, limits=limits)
    tell_environment(job)
    return execute(job, progress)


def try_notebook(
    path: Path, given: Mapping[str, str], *, progress: Progress = silent, **limits: float | None
) -> Finished:
    """Execute a notebook exactly as a release of it would be, without making one."""
    subject = checked(path)
    values = subject.parameters.values(from_files(given), from_text=True)
    models = {name for parameter in subject.references.model_parameters for name in aliases_in(values[parameter])}
    frozen = freeze(subject, tuple(models))
    with frozen_for_a_try(subject, frozen) as folder:
        return execute(try_job(path.stem, folder, values, limits), progress)


@contextlib.contextmanager
def frozen_for_a_try(subject: Subject, frozen: Frozen) -> Iterator[Path]:
    """A folder with what would be released, for as long as it takes to execute it."""
    folder = Path(tempfile.mkdtemp(dir=load_settings().workspace.prepare(), prefix="try-"))
    try:
        write_release(frozen, folder, subject, {"name": subject.path.stem, "release": None})
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def release_job(
    name: str,
    given: Mapping[str, Any],
    *,
    from_text: bool = False,
    number: int | None = None,
    limits: Mapping[str, float | None] | None = None,
    served: bool = False,
) -> Job:
    """A release, by default the live one, with parameters, as it can be executed. Raises what refuses it.

    Where the installed packages are not those that were reviewed it is refused or told as `environment` in
    pipeline.toml says; by default, where nobody watches (`served`), refused.
    """
    pipeline = pipeline_of(load_settings().workspace, name)
    folder = pipeline.release_folder(number)
    operator = pipeline.settings()
    return _job(
        Job(
            name=name,
            kind="job",
            notebook={},
            source="",
            values=given,
            release_folder=folder,
            limits=Limits.of(operator).but(**limits or {}),
            retries=Retries.of(operator.get("retries", {}), str(pipeline.file)),
            daily_budget=operator.get("budget"),
        ),
        from_text=from_text,
        environment=operator.get("environment", "refuse" if served else "warn"),
    )


def tell_environment(job: Job) -> None:
    """Before it starts, to the person who waits."""
    line = job.labels.get(ENVIRONMENT_TAG, AS_REVIEWED)
    if line != AS_REVIEWED:
        display.say(line)


def try_job(name: str, folder: Path, given: Mapping[str, Any], limits: Mapping[str, float | None] | None = None) -> Job:
    """What `gen try` froze in a folder, with parameters, as it can be executed. Raises what refuses it."""
    asked = Job(
        name=name,
        kind="try",
        notebook={},
        source="",
        values=given,
        release_folder=folder,
        limits=UNLIMITED.but(**limits or {}),
    )
    return _job(asked)


def _job(asked: Job, *, from_text: bool = False, environment: str | None = None) -> Job:
    """The job, after its release was proven to be what was reviewed, its values valid, and its models ready.

    `environment`: what to do where packages differ; None: they are not looked at.
    """
    folder = asked.release_folder
    manifest = verify(folder, beside=False)
    changed = refuse_or_tell(manifest, environment) if environment else ""
    notebook = read_notebook(folder / "notebook.ipynb")
    parameters = parameters_of(notebook, folder / "notebook.ipynb")
    references = find_references(read_code(notebook), {item.name for item in parameters.items})
    values = parameters.values(asked.values, from_text=from_text)
    _refuse_other_models(manifest, references, values)
    _prove_ready(references, values)
    job = replace(
        asked,
        notebook=notebook,
        source=manifest["notebook"],
        values=values,
        release=manifest["release"],
        digest=manifest["digest"],
        labels={ENVIRONMENT_TAG: changed or AS_REVIEWED} if environment else {},
        secrets=_secrets(manifest["models"], references, parameters, values, load_settings()),
    )
    _refuse_secret_texts(job)
    return job


def _refuse_secret_texts(job: Job) -> None:
    """What is given as a text stands in the cell that sets it, and on record: a secret never does."""
    remember_secrets(job.references)
    for name, value in job.values.items():
        told = json.dumps(as_json(value), ensure_ascii=False)
        if text.scrub(told) != told:
            raise ParameterError(
                f"parameter {name} holds the value of a secret",
                fix="Declare it as Secret, and give its reference, env:NAME or file:/path.",
                parameter=name,
            )


def from_files(given: Mapping[str, str]) -> dict[str, Any]:
    """`k=@file.json` stands for the file's content."""
    values: dict[str, Any] = {}
    for name, value in given.items():
        if not value.startswith("@"):
            values[name] = value
            continue
        try:
            values[name] = json.loads(Path(value[1:]).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ReleaseError(
                f"parameter {name}: {value[1:]} cannot be read as JSON: {error}", fix="Correct the file."
            ) from None
    return values


def _refuse_other_models(manifest: Mapping[str, Any], references: References, values: Mapping[str, Any]) -> None:
    """A run may call only the models that the release pinned, and only as they were."""
    pins = manifest["models"]
    for parameter in references.model_parameters:
        for alias in sorted(aliases_in(values[parameter]) - pins.keys()):
            raise ReleaseError(
                f"parameter {parameter}: this release does not name the model alias {alias!r}; "
                f"it names {', '.join(sorted(pins)) or 'none'}",
                fix="List it in models of pipeline.toml and promote again.",
                alias=alias,
            )
    for name, reviewed in pins.items():
        now = pin(name)
        for fact, value in reviewed.items():
            if now[fact] != value:
                raise ReleaseError(
                    f"the model alias {name!r} is not what was reviewed: its {fact} was {value}, now {now[fact]}",
                    fix="Put the alias back, or promote again.",
                    alias=name,
                )


def _prove_ready(references: References, values: Mapping[str, Any]) -> None:
    """No kernel starts for a run whose model has no key, no weights or no server, or whose secret is missing."""
    used = set(references.models) | {n for p in references.model_parameters for n in aliases_in(values[p])}
    if references.default_model:
        used.add(load_settings().settings.model)
    for name in sorted(used):
        prove_ready(name)
    for value in values.values():
        if isinstance(value, Secret):
            _ = value.value


def _secrets(
    models: Mapping[str, Any],
    references: References,
    parameters: Parameters,
    values: Mapping[str, Any],
    settings: Resolved,
) -> list[str]:
    """The environment variables the kernel may see: of the secrets that the reviewed code and the given
    parameters name, and of the pinned aliases' keys and headers. The manifest's own list is for readers only."""
    keys = [Secret(key) for name in models for key in settings.settings.alias(name)[1].references]
    named = [*values.values(), *(item.default for item in parameters.items), *keys]
    found = {value.variable for value in named if isinstance(value, Secret)}
    return sorted({name for name in found if name} | references.secrets)
