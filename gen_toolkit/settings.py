"""Settings of a workspace: argument > environment > file > default; each value knows where it came from.

The file is the workspace's `gen_toolkit.toml`, or `[tool.gen_toolkit]` of its pyproject.toml. In the
environment a setting is called GEN_TOOLKIT_<NAME>; model aliases are set in the file.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from gen_toolkit import text
from gen_toolkit.alias import Alias
from gen_toolkit.amount import Amount
from gen_toolkit.channel import Channel
from gen_toolkit.errors import InputError, SettingError, UnknownAlias, nearest
from gen_toolkit.marks import environment
from gen_toolkit.workspace import Workspace, find_workspace

Mode = Literal["live", "reuse", "replay"]
_SQLITE = "sqlite:///"
_PASSWORD = re.compile(r"[a-z+]+://[^:/@]*:[^@]+@|.*[?&]password=")


class Budgets(BaseModel):
    """What may be spent, as `"0.50 USD"`, `"200000 tokens"` or both with a comma between."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: str | None = None
    """By each run of its own that names no other budget."""
    day: str | None = None
    """By the whole workspace on one day (UTC)."""

    @field_validator("run", "day")
    @classmethod
    def _is_amount(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                Amount.of(value)
            except InputError as error:
                raise ValueError(str(error)) from None
        return value


class Settings(BaseSettings):
    """All settings, resolved once and passed on."""

    model_config = SettingsConfigDict(env_prefix="GEN_TOOLKIT_", extra="forbid", frozen=True)

    workspace: ClassVar[Workspace]

    experiment: str | None = None
    """The MLflow experiment; by default the workspace folder's name."""
    tracking_uri: str | None = None
    """Where MLflow is; by default `mlruns/mlflow.db` of the workspace. MLFLOW_TRACKING_URI wins over it."""
    delivery: Literal["background", "wait", "later"] = "background"
    """How runs come to MLflow. Those of a command: by a process in the background, or before it ends (in at most
    15 s). `later`, also of a notebook: with the next `gen` command that looks at MLflow."""
    database: str | None = None
    """The toolkit's own database: a path (SQLite), by default `mlruns/gen_toolkit.db` of the workspace; a
    PostgreSQL address, or a reference to one, `env:NAME` or `file:PATH`, where it holds a password."""
    calls: Mode | None = None
    """Default mode of calls; see the journal."""
    cassette: str | None = None
    """A file of recorded calls, relative to the workspace."""
    cassette_bodies: bool = False
    """Whether a cassette holds the messages that were sent, too."""
    model: str = "local"
    """The alias used when a call names none."""
    models: dict[str, Alias] = {}
    budgets: Budgets = Budgets()
    warm: list[str] = []
    """Modules that a template imports besides what it always does; pipelines name theirs in pipeline.toml."""
    alerts: dict[str, Channel] = {}
    """Whom to tell when a job fails, recovers, is slow, over budget or missed."""
    bodies_days: float = Field(default=30, gt=0)
    """How long the journal keeps requests and replies of calls that nothing holds; hashes and costs stay."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the names are pydantic-settings' own
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings

    def alias(self, name: str | None = None) -> tuple[str, Alias]:
        """The alias of that name (default: the setting `model`); `local` is always there."""
        wanted = name or self.model
        known = {"local": Alias(provider="embedded"), **self.models}
        if wanted not in known:
            raise UnknownAlias(
                f"there is no model alias {wanted!r}; known: {', '.join(sorted(known))}",
                fix=nearest(wanted, known) or f"Add [tool.gen_toolkit.models.{wanted}] to the workspace's settings.",
                alias=wanted,
                known=sorted(known),
            )
        return wanted, known[wanted]

    def fallbacks(self, name: str) -> list[tuple[str, Alias]]:
        """The aliases that stand in for `name`, in turn. Raises SettingError where data would go elsewhere."""
        _, alias = self.alias(name)
        found = [self.alias(other) for other in alias.fallbacks]
        for other, stand_in in found:
            if stand_in.data != alias.data:
                raise SettingError(
                    f"model alias {name!r} (data {alias.data!r}) falls back to {other!r} (data {stand_in.data!r})",
                    fix="Fall back only between aliases with the same data label, or correct the label.",
                    setting=f"models.{name}.fallbacks",
                )
        return found


class Resolved(BaseModel):
    """Settings together with their workspace and the origin of each value that is not a default."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    workspace: Workspace
    settings: Settings
    origins: dict[str, str]

    @property
    def experiment(self) -> str:
        return self.settings.experiment or self.workspace.root.name or "gen_toolkit"

    @property
    def database(self) -> Path | str:
        """The path of a file; else what names a PostgreSQL database: its address, or a reference to it."""
        named = self.settings.database
        if named and (named.startswith(("env:", "file:")) or "://" in named):
            return named
        return (self.workspace.root / named) if named else self.workspace.records / "gen_toolkit.db"

    @property
    def tracking_uri(self) -> str:
        """Argument, else MLFLOW_TRACKING_URI, else the setting, else the workspace's own database.

        The path of a database starts at the workspace, in the variable, as MLflow has it, at the current folder;
        here it is absolute: who delivers to it may be in another. A password in it is masked from now on.
        """
        named = (
            self._mlflow_variable or self.settings.tracking_uri or _SQLITE + str(self.workspace.records / "mlflow.db")
        )
        if not named.startswith(_SQLITE):
            text.remember_password(named)
            return named
        start = Path() if self._mlflow_variable else self.workspace.root
        return _SQLITE + os.path.abspath(start / named.removeprefix(_SQLITE))

    @property
    def _mlflow_variable(self) -> str | None:
        """MLflow's own variable, where it decides."""
        return None if self.origins.get("tracking_uri") == "argument" else os.environ.get("MLFLOW_TRACKING_URI")

    def origin(self, name: str) -> str:
        if name == "tracking_uri" and self._mlflow_variable:
            return "environment MLFLOW_TRACKING_URI"
        return self.origins.get(name, "default")


_VARIABLES = [f"GEN_TOOLKIT_{name.upper()}" for name in Settings.model_fields]
_cache: dict[tuple[object, ...], Resolved] = {}


def load_settings(workspace: Workspace | None = None, **arguments: Any) -> Resolved:
    """The settings of `workspace` (default: found from the current folder).

    The same object as long as nothing has changed: every call of a model asks. Raises SettingError for
    an unknown name or an impossible value, naming where it stands.
    """
    workspace = workspace or find_workspace()
    changed = workspace.configuration.stat().st_mtime_ns if workspace.configuration else 0
    variables = tuple(map(environment().get, _VARIABLES))
    key = (workspace, changed, variables, repr(sorted(arguments.items())) if arguments else "")
    found = _cache.get(key)
    if found is None:
        _cache.clear()
        found = _cache[key] = _load(workspace, arguments)
    return found


def refuse_no_folder(workspace: Workspace) -> None:
    """Only a workspace that is named can be none; a mistyped one would be made, and be empty."""
    if not workspace.root.is_dir():
        what = "is no folder" if workspace.root.exists() else "is not there"
        raise SettingError(
            f"GEN_TOOLKIT_WORKSPACE: {workspace.root} {what}",
            fix="Correct the name, or make a workspace there: gen init DIR",
            setting="workspace",
            origin="environment GEN_TOOLKIT_WORKSPACE",
        )


def _load(workspace: Workspace, arguments: dict[str, Any]) -> Resolved:
    refuse_no_folder(workspace)
    file = _read_file(workspace)
    origins = {name: str(workspace.configuration) for name in file}
    for name in Settings.model_fields:
        if f"GEN_TOOLKIT_{name.upper()}" in os.environ:
            origins[name] = f"environment GEN_TOOLKIT_{name.upper()}"
            file.pop(name, None)  # the environment's source fills it in
    origins.update(dict.fromkeys(arguments, "argument"))
    try:
        settings = Settings(**{**file, **arguments})
    except ValidationError as error:
        raise _setting_error(error, origins, workspace) from None
    except SettingsError as error:  # a table or a list in the environment must be JSON
        found = re.search(r'field "(\w+)"', str(error))
        name = found[1] if found else "models"
        raise SettingError(
            f"the environment variable GEN_TOOLKIT_{name.upper()} is not JSON",
            fix=f"Unset it, and set {name} in the file.",
            setting=name,
            origin=f"environment GEN_TOOLKIT_{name.upper()}",
        ) from None
    _refuse_password(settings, file, workspace)
    return Resolved(workspace=workspace, settings=settings, origins=origins)


def _refuse_password(settings: Settings, file: dict[str, Any], workspace: Workspace) -> None:
    """A password has no place in a file that is shared. The environment may hold one."""
    if file.get("database") is not None and _PASSWORD.match(settings.database or ""):
        raise SettingError(
            f"setting 'database' ({workspace.configuration}) holds a password",
            fix="Write env:NAME or file:PATH where the whole address stands, or keep the password in ~/.pgpass.",
            setting="database",
            origin=str(workspace.configuration),
        )


def _read_file(workspace: Workspace) -> dict[str, Any]:
    path = workspace.configuration
    if path is None:
        return {}
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingError(f"{path} cannot be read: {error}", fix="Correct the file.", origin=str(path)) from None
    own = data if path.name == "gen_toolkit.toml" else data["tool"]["gen_toolkit"]
    if not isinstance(own, dict):
        raise SettingError(f"{path}: tool.gen_toolkit is no table", fix="Write [tool.gen_toolkit].", origin=str(path))
    return own


def _setting_error(error: ValidationError, origins: dict[str, str], workspace: Workspace) -> SettingError:
    first = error.errors()[0]
    path = [str(part) for part in first["loc"]]
    name = ".".join(path)
    tables: dict[str, type[BaseModel]] = {"models": Alias, "alerts": Channel, "budgets": Budgets}
    known = set((tables.get(path[0], Settings) if len(path) > 1 else Settings).model_fields)
    fix = nearest(path[-1], known) if first["type"] == "extra_forbidden" else ""
    origin = origins.get(path[0], str(workspace.configuration))
    return SettingError(
        f"setting {name!r} ({origin}): {first['msg'].removeprefix('Value error, ')}",
        fix=fix or "See docs/settings.md.",
        setting=name,
        origin=origin,
    )
