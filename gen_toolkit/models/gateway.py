"""From an alias to the chain that answers. The order of the links stands here, and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gen_toolkit import scope
from gen_toolkit.alias import Alias
from gen_toolkit.errors import InputError, ReleaseError
from gen_toolkit.journal.accounts import open_accounts
from gen_toolkit.journal.store import open_cassette, open_journal
from gen_toolkit.messages.request import Request, digest
from gen_toolkit.models.guard import Rules
from gen_toolkit.models.limits.open import open_limiter
from gen_toolkit.models.links.budget import BudgetLink
from gen_toolkit.models.links.fallback import FallbackLink
from gen_toolkit.models.links.guard import ReplyGuardLink, RequestGuardLink
from gen_toolkit.models.links.journal import JournalLink
from gen_toolkit.models.links.limit import LimitLink
from gen_toolkit.models.links.retry import RetryLink
from gen_toolkit.models.offline import Offline
from gen_toolkit.models.provider import ModelProvider, Provider, provider_kind
from gen_toolkit.models.scripted import ScriptedModel
from gen_toolkit.settings import Resolved, load_settings

Model = str | ScriptedModel | None


@dataclass(frozen=True)
class Door:
    """A model under its alias, with what it may take to get its answer."""

    alias: str
    settings: Alias
    chain: Provider
    model: str = ""

    def addressed(self, request: Request) -> Request:
        """The request as the alias itself, before any that stands in for it, will be asked it."""
        return request.addressed(self.alias, self.settings.provider, self.model, self.settings.options)


@dataclass(frozen=True)
class _Way:
    """One alias, resolved: who answers, and through what links."""

    alias: str
    settings: Alias
    model: str
    chain: Provider

    def address(self, request: Request) -> Request:
        return request.addressed(self.alias, self.settings.provider, self.model, self.settings.options)


_ALONE = Alias(provider="scripted", max_attempts=1, deadline_s=3600)
_providers: dict[tuple[int, str, str, Path], ModelProvider] = {}
_doors: dict[tuple[int, str | None], tuple[Resolved, Door, tuple[str, ...]]] = {}


def open_door(model: Model) -> Door:
    """The door to a model and to those that stand in for it. Raises UnknownAlias or SettingError before any call."""
    settings = load_settings()
    if isinstance(model, ScriptedModel):
        way = _way(model.name, _ALONE, model, model.model, settings)
        return Door(model.name, _ALONE, FallbackLink([way]), model.model)
    if model is not None and not isinstance(model, str):
        kind = type(model).__name__
        raise InputError(f"model= is {kind}, neither the alias of a model nor a gt.ScriptedModel", fix="Name an alias.")
    key = (os.getpid(), model)
    known = _doors.get(key)
    if known is None or known[0] is not settings:
        known = _doors[key] = (settings, *_new_door(model, settings))
    _, door, aliases = known
    for alias in aliases:
        _refuse_unpinned(alias)
    return door


def _new_door(model: str | None, settings: Resolved) -> tuple[Door, tuple[str, ...]]:
    name, alias = settings.settings.alias(model)
    named = [(name, alias), *settings.settings.fallbacks(name)]
    ways = []
    for each, its in named:
        its_model = provider_kind(its.provider).model_name(its)
        ways.append(_way(each, its, _provider(each, its, settings), its_model, settings))
    return Door(name, alias, FallbackLink(ways), ways[0].model), tuple(each for each, _ in named)


def _way(name: str, alias: Alias, provider: Provider, model: str, settings: Resolved) -> _Way:
    """Guard of the request → journal → guard of the reply → retry → budget → rate limit → provider."""
    journal = open_journal(settings)
    chain: Provider = provider
    if not isinstance(provider, ScriptedModel):  # one that is made up on the spot has no limit, and shares none
        chain = LimitLink(chain, open_limiter(name, alias, journal.commits))
    chain = BudgetLink(chain, alias, open_accounts(journal), settings.settings.budgets.day)
    chain = RetryLink(chain, max_attempts=alias.max_attempts, deadline_s=alias.deadline_s)
    chain = ReplyGuardLink(chain, Rules(alias.guard.output), journal.commits)
    chain = JournalLink(chain, journal, settings.settings.calls, open_cassette(settings), bodies=alias.bodies == "full")
    return _Way(name, alias, model, RequestGuardLink(chain, Rules(alias.guard.input), journal.commits))


def _provider(name: str, alias: Alias, settings: Resolved) -> ModelProvider:
    """One provider an alias and workspace: connections are kept between calls, and never shared by a fork."""
    if scope.is_offline():
        return Offline()
    key = (os.getpid(), name, digest(alias.model_dump(mode="json")), settings.workspace.root)
    if key not in _providers:
        _providers[key] = provider_kind(alias.provider)(name, alias, settings)
    return _providers[key]


def mask(model: Model) -> Callable[[str], str]:
    """What an alias's guard makes of a text that is to be stored beside its calls; without an alias, all guards."""
    settings = load_settings().settings
    aliases = settings.models.values() if model is None else []
    if isinstance(model, str):
        aliases = [settings.alias(model)[1]]
    rules = [found for alias in aliases if not (found := Rules(alias.guard.input)).is_empty]
    if not rules:
        return str  # the text itself

    def masked(text: str) -> str:
        for each in rules:
            text = each.applied(text)[0]
        return text

    return masked


def prove_ready(name: str) -> None:
    """Find out before a run starts what would fail every call of it. In `replay` nothing is called."""
    settings = load_settings()
    if scope.call_mode(settings.settings.calls) != "replay":
        name, alias = settings.settings.alias(name)
        _provider(name, alias, settings).ready()


def pin(name: str) -> dict[str, str]:
    """What an alias means today: the facts that a release freezes."""
    name, alias = load_settings().settings.alias(name)
    facts = {
        "provider": alias.provider,
        "model": provider_kind(alias.provider).model_name(alias),
        "options": digest(alias.options),
    }
    return facts | ({"fallbacks": ", ".join(alias.fallbacks)} if alias.fallbacks else {})


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
