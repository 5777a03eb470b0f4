"""The shape of everything that answers requests: providers at the end of the chain, links before it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from functools import cache
from importlib.metadata import entry_points
from typing import Protocol, cast

from gen_toolkit.alias import Alias
from gen_toolkit.errors import SettingError, nearest
from gen_toolkit.messages.piece import Piece
from gen_toolkit.messages.reply import Reply
from gen_toolkit.messages.request import Request
from gen_toolkit.settings import Resolved

Pieces = AsyncGenerator[Piece, None]


class Provider(Protocol):
    """Answers one request, or raises a ModelError."""

    async def send(self, request: Request) -> Reply:
        """The whole reply."""
        ...

    def stream(self, request: Request) -> Pieces:
        """The reply as it is written; the last piece carries it whole. To be closed: use `aclosing`."""
        ...


class ModelProvider(Provider, Protocol):
    """The end of a chain: one alias at one provider."""

    def ready(self) -> None:
        """Raise what would keep every call from being answered: no key, no weights, no server there."""


class ProviderKind(Protocol):
    """What an entry point of the group `gen_toolkit.models` names."""

    def __call__(self, name: str, alias: Alias, settings: Resolved) -> ModelProvider: ...

    def model_name(self, alias: Alias) -> str:
        """The resolved model name: part of every call's key, so it must not need a connection."""
        ...


@cache
def provider_kind(name: str) -> ProviderKind:
    """The provider that an alias names. Raises SettingError for an unknown one."""
    points = {point.name: point for point in entry_points(group="gen_toolkit.models")}
    if name not in points:
        raise SettingError(
            f"there is no provider {name!r}; known: {', '.join(sorted(points))}",
            fix=nearest(name, points) or "Install the package that brings it, or correct the alias.",
        )
    load: Callable[[], object] = points[name].load
    return cast("ProviderKind", load())
