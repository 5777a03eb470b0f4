"""The settings of model aliases as far as answers depend on them, so that a release can be replayed elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gen_toolkit.models.provider import provider_kind
from gen_toolkit.settings import Resolved

_NOT_NEEDED = {"api_key", "base_url", "headers", "replies"}  # how one gets in and where: a replay calls nobody


def replayable(names: Iterable[str], settings: Resolved) -> dict[str, dict[str, Any]]:
    """By name what `[tool.gen_toolkit.models]` says of each alias, without address, key and headers.

    Raises UnknownAlias.
    """
    found: dict[str, dict[str, Any]] = {}
    for name in sorted(names):
        _, alias = settings.settings.alias(name)
        said = alias.model_dump(mode="json", exclude_defaults=True, exclude=_NOT_NEEDED)
        found[name] = {"provider": alias.provider, **said, "model": provider_kind(alias.provider).model_name(alias)}
    return found
