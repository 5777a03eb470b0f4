"""Model aliases, looked at and tried: what one means, what it needs, and whether it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from gen_toolkit import scope
from gen_toolkit.alias import Alias
from gen_toolkit.database.engine import open_database
from gen_toolkit.errors import GenToolkitError, ModelError, SettingError, from_json
from gen_toolkit.journal.report import find_call, list_calls
from gen_toolkit.messages.reply import Reply
from gen_toolkit.models.chat import chat
from gen_toolkit.models.price import worst_case
from gen_toolkit.models.provider import provider_kind
from gen_toolkit.models.scripted import ScriptedProvider
from gen_toolkit.secret import Secret
from gen_toolkit.settings import Resolved, load_settings

QUESTION = "Answer with one word: ok."
_BOUND = 16  # tokens: a small model may go on and on; another server's may not know the option


@dataclass(frozen=True)
class Facts:
    """What an alias means, without asking it anything."""

    alias: str
    provider: str
    model: str | None
    base_url: str | None
    key: str | None
    """The reference to its key, never the key."""
    key_problem: str | None
    """Why the key cannot be read."""
    limits: Mapping[str, float]
    price_known: bool
    fallbacks: tuple[str, ...]
    data: str
    problem: str | None
    """Why no call can be made with it."""


@dataclass(frozen=True)
class Checked:
    """An alias that answered, and what that took."""

    alias: str
    model: str
    reply: Reply


def look_at(name: str) -> Facts:
    """The facts of an alias. Makes no call and no connection. Raises UnknownAlias."""
    settings = load_settings().settings
    name, alias = settings.alias(name)
    model, problem = _model(alias)
    limits = {"requests_per_minute": alias.requests_per_minute, "tokens_per_minute": alias.tokens_per_minute}
    return Facts(
        alias=name,
        provider=alias.provider,
        model=model,
        base_url=_without_user(alias.base_url),
        key=alias.api_key,
        key_problem=_problem(lambda: Secret(alias.api_key).value if alias.api_key else None),
        limits={limit: number for limit, number in limits.items() if number is not None},
        price_known=worst_case(alias, model or "", 1, 1) is not None,
        fallbacks=tuple(alias.fallbacks),
        data=alias.data,
        problem=problem or _problem(lambda: settings.fallbacks(name)),
    )


def check(name: str) -> Checked:
    """Make one small call. Raises what keeps this alias from answering, also where a fallback answered instead."""
    settings = load_settings()
    name, alias = settings.settings.alias(name)
    run = scope.new_id()
    options: dict[str, Any] = {"max_tokens": _BOUND} if alias.provider == "embedded" else {}
    with scope.inside(run=run, mode="live", row=None):
        if scope.call_mode(settings.settings.calls) == "replay":
            raise SettingError("nothing is called in replay", fix="Unset GEN_TOOLKIT_CALLS to try a model.")
        try:
            reply = chat(_question(name, alias, settings), model=name, **options)
        except ModelError as error:
            raise _own_failure(run, name) or error from None
    failure = _own_failure(run, name) if reply.model != name else None
    if failure is not None:
        failure.fix = f"{failure.fix} Its fallback {reply.model!r} answers.".strip()
        raise failure
    return Checked(name, look_at(name).model or "", reply)


def _question(name: str, alias: Alias, settings: Resolved) -> str:
    """A script answers what it was told to: a text that it has a reply for."""
    if alias.provider == "scripted":
        return ScriptedProvider(name, alias, settings).example() or QUESTION
    return QUESTION


def _own_failure(run: str, name: str) -> GenToolkitError | None:
    """Why the alias itself did not answer, as the journal has it: the last error may be a fallback's."""
    database = open_database()
    failed = [
        call for call in list_calls(database, run=run, limit=100) if call.alias == name and call.state == "failed"
    ]
    if not failed:
        return None
    error = find_call(database, failed[-1].id).error
    return from_json(error) if error else None


def _model(alias: Alias) -> tuple[str | None, str | None]:
    """The model's name at the provider, or why there is none."""
    try:
        return provider_kind(alias.provider).model_name(alias), None
    except GenToolkitError as error:
        return alias.model, str(error)
    except Exception as error:  # noqa: BLE001 - somebody's plugin: it must not hide the other aliases
        return alias.model, f"its provider cannot be loaded ({type(error).__name__}: {error})"


def _problem(look: Callable[[], object]) -> str | None:
    """What keeps this from being read, in a line."""
    try:
        look()
    except GenToolkitError as error:
        return str(error)
    return None


def _without_user(address: str | None) -> str | None:
    if address is None:
        return None
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
