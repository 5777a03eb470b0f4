"""The MLflow prompt registry: versions by content, aliases without a stale cache."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gen_toolkit.errors import PromptError
from gen_toolkit.settings import Resolved, load_settings
from gen_toolkit.tracking.store import client, experiment_id, prepare_environment, typed_errors

if TYPE_CHECKING:
    from mlflow import MlflowClient

_HASH_TAG = "gen_toolkit.hash"
_CONTENT_TAG = "gen_toolkit.content"
# MLflow's own rule, and nothing that reads as a version (`7`, `v7`, `latest`)
_ALIAS = re.compile(r"(?!\d+$|[vV]\d+$|(?i:latest)$)[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


@dataclass(frozen=True)
class Version:
    """A version as the registry holds it."""

    name: str
    version: int
    content: dict[str, Any]
    hash: str | None


def save(name: str, content: Mapping[str, Any], hash: str, comment: str, alias: str | None) -> int:  # noqa: A002
    """The version of this content: the one that is there, or a new one. Moves `alias` to it."""
    if alias:
        _check_alias(alias)
    with _opened(load_settings()) as mlflow:
        version = versions(name).get(hash)
        if version is None:
            rest = {"output": content["output"], "defaults": content["defaults"]}
            made = mlflow.register_prompt(
                name,
                content["messages"],
                commit_message=comment or None,
                tags={_HASH_TAG: hash, _CONTENT_TAG: json.dumps(rest, ensure_ascii=False)},
                response_format=content["output"],
            )
            version = int(made.version)
        if alias:
            mlflow.set_prompt_alias(name, alias, version)
    return version


@contextlib.contextmanager
def _opened(settings: Resolved) -> Iterator[MlflowClient]:
    """The registry's client. MLflow links prompts to the experiment, so that must be there first."""
    prepare_environment(settings)
    uri = settings.tracking_uri
    with typed_errors(uri):
        experiment_id(uri, settings.experiment, str(settings.workspace.records / "artifacts"))
        yield client(uri)


def _check_alias(alias: str) -> None:
    if not _ALIAS.fullmatch(alias):
        raise PromptError(
            f"{alias!r} cannot be an alias: it would read as a version, or is no word",
            fix="Use letters, digits, '-' and '_': staging, live.",
        )


def load(name: str, which: str) -> Version | None:
    """The version `which` (a number or an alias), or nothing. An alias is asked for each time."""
    with _opened(load_settings()) as mlflow:
        uri = f"prompts:/{name}/{which}" if which.isdigit() else f"prompts:/{name}@{which}"
        found = mlflow.load_prompt(uri, allow_missing=True, cache_ttl_seconds=0)
    return None if found is None else _version(name, found)


def versions(name: str) -> dict[str, int]:
    """Every version of a prompt that the toolkit wrote: hash → version (the first of equal ones)."""
    known: dict[str, int] = {}
    with _opened(load_settings()) as mlflow:
        page = None
        while True:
            mine = f"name = '{name}' AND tag.`mlflow.prompt.is_prompt` = 'true'"  # else prompts are left out
            found = mlflow.search_model_versions(mine, page_token=page)
            for version in found:
                said = version.tags.get(_HASH_TAG)
                if said:
                    known[said] = min(int(version.version), known.get(said, int(version.version)))
            page = found.token
            if not page:
                return known


def _version(name: str, found: Any) -> Version:
    template = found.template
    if isinstance(template, str):
        template = [{"role": "user", "content": template}]  # registered by hand in the UI
    rest = json.loads(found.tags.get(_CONTENT_TAG, "{}"))
    content = {
        "messages": template,
        "output": rest.get("output", found.response_format),
        "defaults": rest.get("defaults", {}),
    }
    return Version(name, int(found.version), content, found.tags.get(_HASH_TAG))
