"""The MLflow prompt registry: versions by content, one a text, whoever saves it at the same time."""

from __future__ import annotations

import contextlib
import getpass
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gen_toolkit import text
from gen_toolkit.errors import PromptError
from gen_toolkit.settings import load_settings
from gen_toolkit.tracking.alone import alone
from gen_toolkit.tracking.store import client, experiment_id, prepare_environment, typed_errors

if TYPE_CHECKING:
    from mlflow import MlflowClient

HASH_TAG = "gen_toolkit.hash"
_CONTENT_TAG = "gen_toolkit.content"
_AUTHOR_TAG = "gen_toolkit.author"
_ABOUT_TAGS = {"description": "gen_toolkit.description", "owner": "gen_toolkit.owner"}
_MOST_CHARACTERS = 100_000  # of a tag, which is where MLflow keeps a prompt's text
_LONGEST_NUMBER = 9
_IS_PROMPT = "tag.`mlflow.prompt.is_prompt` = 'true'"  # else MLflow leaves prompts out


@dataclass(frozen=True)
class Version:
    """A version as the registry holds it."""

    name: str
    version: int
    content: dict[str, Any]
    hash: str | None
    """None where somebody else than the toolkit wrote it."""
    comment: str = ""
    author: str | None = None
    made_at: float | None = None
    """Seconds since 1970."""


@dataclass(frozen=True)
class Entry:
    """What the registry knows of a prompt beside its versions."""

    name: str
    newest: int | None = None
    aliases: Mapping[str, int] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def description(self) -> str:
        return self.tags.get(_ABOUT_TAGS["description"], "")

    @property
    def owner(self) -> str:
        return self.tags.get(_ABOUT_TAGS["owner"], "")


def save(name: str, content: Mapping[str, Any], hash: str, template: list[Any], comment: str) -> int:  # noqa: A002
    """The version of this content: the one that is there, or a new one.

    `template` is what the MLflow UI and other programs see: the messages with their fragments in them.
    Two who save the same text at once get the same version.
    """
    rest = {key: value for key, value in content.items() if key != "messages" or value != template}
    tags = {HASH_TAG: hash, _CONTENT_TAG: _json(rest), _AUTHOR_TAG: author()}
    _check_size(name, json.dumps(template), tags[_CONTENT_TAG], json.dumps(content["output"]))
    with opened() as mlflow, alone("prompts.lock"):
        known = versions(name).get(hash)
        if known is not None:
            return known
        made = _register(
            mlflow,
            name=name,
            template=template,
            commit_message=text.scrub(comment) or None,
            tags=tags,
            response_format=content["output"],
        )
        first = versions(name)[hash]
        if first < made:  # another machine was faster with the very same
            mlflow.delete_prompt_version(name, str(made))
        return first


def _register(mlflow: MlflowClient, **arguments: Any) -> int:
    """A new version. MLflow fails where another machine makes the first one of the prompt meanwhile: then once more."""
    for last in (False, True):
        try:
            return int(mlflow.register_prompt(**arguments).version)
        except Exception as error:
            if last or getattr(error, "error_code", None) != "RESOURCE_ALREADY_EXISTS":
                raise
        time.sleep(0.2)
    raise AssertionError("unreachable")


def _json(data: Any) -> str:
    """Readable; but half of a surrogate pair fits into no database: then escaped."""
    told = json.dumps(data, ensure_ascii=False)
    return told if told == told.encode("utf-8", "replace").decode("utf-8") else json.dumps(data)


def _check_size(name: str, *stored: str) -> None:
    longest = max(map(len, stored))
    if longest > _MOST_CHARACTERS:
        raise PromptError(
            f"prompt {name!r} has {longest:,} characters as the registry stores it, which takes {_MOST_CHARACTERS:,}",
            fix="Shorten it, or give its long texts as variables; a letter beyond ASCII counts as 6.",
        )


def describe(name: str, about: Mapping[str, str]) -> None:
    """Set what is said of the prompt as a whole (`description`, `owner`); it belongs to no version."""
    with opened() as mlflow:
        for key, value in about.items():
            mlflow.set_prompt_tag(name, _ABOUT_TAGS[key], text.scrub(value))


@contextlib.contextmanager
def opened() -> Iterator[MlflowClient]:
    """The registry's client. MLflow links prompts to the experiment, so that must be there first."""
    settings = load_settings()
    prepare_environment(settings)
    uri = settings.tracking_uri
    with typed_errors(uri):
        experiment_id(uri, settings.experiment, str(settings.workspace.records / "artifacts"))
        yield client(uri)


def author() -> str:
    """The login of who runs this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may have no name for its user
        return "unknown"


def load(name: str, which: str) -> Version | None:
    """The version `which` (a number or an alias), or nothing. An alias is asked for each time."""
    if which.isdigit() and len(which) > _LONGEST_NUMBER:
        return None  # the database could not even be asked
    with opened() as mlflow:
        uri = f"prompts:/{name}/{which}" if which.isdigit() else f"prompts:/{name}@{which}"
        found = mlflow.load_prompt(uri, allow_missing=True, cache_ttl_seconds=0)
    return None if found is None else _version(name, found)


def versions(name: str) -> dict[str, int]:
    """Every version of a prompt that the toolkit wrote: hash → version (the first of equal ones)."""
    known: dict[str, int] = {}
    with opened() as mlflow:
        for found in _pages(mlflow.search_model_versions, f"name = '{name}' AND {_IS_PROMPT}"):
            said = found.tags.get(HASH_TAG)
            if said:
                known[said] = min(int(found.version), known.get(said, int(found.version)))
    return known


def history(name: str) -> list[Version]:
    """Every version of a prompt, the newest first."""
    with opened() as mlflow:
        found = list(_pages(mlflow.search_prompt_versions, name)) if entry(name) else []
    return sorted((_version(name, version) for version in found), key=lambda v: -v.version)


def entry(name: str) -> Entry | None:
    """The prompt of that name, or nothing."""
    with opened() as mlflow:
        found = mlflow.search_registered_models(f"name = '{name}' AND {_IS_PROMPT}")
    return _entry(found[0]) if found else None


def entries() -> list[Entry]:
    """Every prompt of the registry, by name."""
    with opened() as mlflow:
        return sorted(map(_entry, _pages(mlflow.search_registered_models, _IS_PROMPT)), key=lambda e: e.name)


def _pages(ask: Any, what: str) -> Iterator[Any]:
    page = None
    while True:
        found = ask(what, page_token=page)
        yield from found
        page = found.token
        if not page:
            return


def _entry(found: Any) -> Entry:
    newest = max((int(version.version) for version in found.latest_versions), default=None)
    return Entry(found.name, newest, {name: int(version) for name, version in found.aliases.items()}, dict(found.tags))


def _version(name: str, found: Any) -> Version:
    template = found.template
    if isinstance(template, str):
        template = [{"role": "user", "content": template}]  # registered by hand in the UI
    rest = json.loads(found.tags.get(_CONTENT_TAG, "{}"))
    content = {"messages": template, "output": found.response_format, "defaults": {}, **rest}
    return Version(
        name,
        int(found.version),
        content,
        found.tags.get(HASH_TAG),
        comment=found.commit_message or "",
        author=found.tags.get(_AUTHOR_TAG),
        made_at=found.creation_timestamp / 1000 if found.creation_timestamp else None,
    )
