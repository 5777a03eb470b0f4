"""The channels that hold for a pipeline: those of the settings, changed and added to by its pipeline.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gen_toolkit.channel import Channel
from gen_toolkit.errors import SettingError, nearest
from gen_toolkit.settings import Resolved


def channels(settings: Resolved, pipeline: str) -> dict[str, Channel]:
    """By name. Raises SettingError naming file and key."""
    known = dict(settings.settings.alerts)
    file = settings.workspace.pipelines / pipeline / "pipeline.toml"
    return {**known, **read_channels(_table(file), str(file), known)}


def read_channels(table: Mapping[str, Any], origin: str, known: Mapping[str, Channel]) -> dict[str, Channel]:
    """`[alerts.NAME]` tables as channels; one that is `known` is changed by the keys it names."""
    found = {}
    for name, given in table.items():
        if not isinstance(given, dict):
            raise SettingError(f"{origin}: alerts.{name} is no table", fix=f"Write [alerts.{name}].")
        base = known[name].model_dump(exclude_unset=True) if name in known else {}
        try:
            found[name] = Channel(**{**base, **given})
        except ValidationError as error:
            raise _setting_error(error, origin, f"alerts.{name}") from None
    return found


def _setting_error(error: ValidationError, origin: str, where: str) -> SettingError:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    unknown = first["type"] == "extra_forbidden"
    said = " is not known" if unknown else f": {first['msg'].removeprefix('Value error, ')}"
    setting = f"{where}.{key}" if key else where
    return SettingError(
        f"{origin}: {setting}{said}",
        fix=(nearest(key, Channel.model_fields) if unknown else "") or "See docs/alerts.md.",
        setting=setting,
        origin=origin,
    )


def _table(file: Path) -> dict[str, Any]:
    try:
        if not file.is_file():
            return {}
        table = tomllib.loads(file.read_text(encoding="utf-8")).get("alerts", {})
    except (OSError, ValueError, RecursionError) as error:
        raise SettingError(f"{file} cannot be read: {error}", fix="Correct the file.") from None
    if not isinstance(table, dict):
        raise SettingError(f"{file}: alerts is {table!r}", fix="It must be a table.")
    return table
