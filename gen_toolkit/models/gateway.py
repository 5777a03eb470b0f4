"""From an alias to the chain that answers: journal → retry under one deadline → provider."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gen_toolkit import scope
from gen_toolkit.errors import ReleaseError
from gen_toolkit.journal.store import open_cassette, open_journal
from gen_toolkit.messages.request import digest
from gen_toolkit.models.links.journal import JournalLink
from gen_toolkit.models.links.retry import RetryLink
from gen_toolkit.models.provider import ModelProvider, Provider, provider_kind
from gen_toolkit.models.scripted import ScriptedModel
from gen_toolkit.settings import Alias, Resolved, load_settings

Model = str | ScriptedModel | None


@dataclass(frozen=True)
class Door:
    """An alias, resolved: who answers, and through what chain."""

    alias: str
    provider: str
    model: str
    options: Mapping[str, Any]
    concurrency: int
    chain: Provider


_providers: dict[tuple[int, str, str, Path], ModelProvider] = {}


def open_door(model: Model) -> Door:
    """The way to a model. Raises UnknownAlias or SettingError before any call."""
    settings = load_settings()
    journal = open_journal()
    cassette = open_cassette(settings)
    if isinstance(model, ScriptedModel):
        retry = RetryLink(model, max_attempts=1, deadline_s=3600)
        return Door(model.name, "scripted", model.model, {}, 8, JournalLink(retry, journal, cassette))
    name, alias = settings.settings.alias(model)
    _refuse_unpinned(name)
    kind = provider_kind(alias.provider)
    provider = _provider(name, alias, settings)
    retry = RetryLink(provider, max_attempts=alias.max_attempts, deadline_s=alias.deadline_s)
    chain = JournalLink(retry, journal, cassette)
    return Door(name, alias.provider, kind.model_name(alias), alias.options, alias.concurrency, chain)


def _provider(name: str, alias: Alias, settings: Resolved) -> ModelProvider:
    """One provider an alias and workspace: connections are kept between calls, and never shared by a fork."""
    key = (os.getpid(), name, digest(alias.model_dump(mode="json")), settings.workspace.root)
    if key not in _providers:
        _providers[key] = provider_kind(alias.provider)(name, alias, settings)
    return _providers[key]


def prove_ready(name: str) -> None:
    """Find out before a run starts what would fail every call of it. In `replay` nothing is called."""
    if scope.call_mode() != "replay":
        settings = load_settings()
        name, alias = settings.settings.alias(name)
        _provider(name, alias, settings).ready()


def pin(name: str) -> dict[str, str]:
    """What an alias means today: the facts that a release freezes."""
    name, alias = load_settings().settings.alias(name)
    return {
        "provider": alias.provider,
        "model": provider_kind(alias.provider).model_name(alias),
        "options": digest(alias.options),
    }


def _refuse_unpinned(name: str) -> None:
    """Inside a release only the aliases that it pinned may be called."""
    if scope.current().release is None:
        return
    pins = scope.frozen_manifest()["models"]
    if name not in pins:
        raise ReleaseError(
            f"this release does not name the model alias {name!r}; it names {', '.join(sorted(pins)) or 'none'}",
            fix="Promote a notebook that names it, or list it in models of pipeline.toml and promote again.",
            alias=name,
        )
    now = pin(name)
    if now != pins[name]:
        changed = ", ".join(f"{k} {pins[name].get(k)} → {now[k]}" for k in now if now[k] != pins[name].get(k))
        raise ReleaseError(
            f"the model alias {name!r} is not what was reviewed: {changed}",
            fix="Put the alias back, or promote again.",
            alias=name,
        )
