"""Settings: argument > environment > file > default, each with its origin, and errors that name the place."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from gen_toolkit.errors import SettingError, UnknownAlias
from gen_toolkit.settings import load_settings
from gen_toolkit.text import scrub


def write(workspace: Path, toml: str) -> Path:
    file = workspace / "gen_toolkit.toml"
    file.write_text(toml, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("argument", "environment", "file", "value"),
    [
        (None, None, None, None),
        (None, None, "live", "live"),
        (None, "reuse", "live", "reuse"),
        ("replay", "reuse", "live", "replay"),
    ],
)
def test_precedence_and_origin(
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    argument: str | None,
    environment: str | None,
    file: str | None,
    value: str | None,
) -> None:
    path = write(workspace, f'calls = "{file}"' if file else "")
    if environment:
        monkeypatch.setenv("GEN_TOOLKIT_CALLS", environment)
    settings = load_settings(**({"calls": argument} if argument else {}))
    origins = {None: "default", file: str(path), environment: "environment GEN_TOOLKIT_CALLS", argument: "argument"}
    assert (settings.settings.calls, settings.origin("calls")) == (value, origins[value] if value else "default")


def test_a_changed_file_is_read_again(workspace: Path) -> None:
    write(workspace, 'experiment = "one"')
    assert load_settings().experiment == "one"
    write(workspace, 'experiment = "two"')
    assert load_settings().experiment == "two"


@pytest.mark.parametrize(
    ("toml", "names"),
    [
        ('modle = "fast"', ["'modle'", "Did you mean 'model'?"]),
        ('[models.fast]\nbase_ulr = "x"', ["'models.fast.base_ulr'", "Did you mean 'base_url'?"]),
        ('calls = "sometimes"', ["'calls'", "'live', 'reuse' or 'replay'"]),
        ('[models.fast]\nmodel = "m"\ndeadline_s = 0', ["'models.fast.deadline_s'", "greater than 0"]),
        ('[models.fast]\nmodel = "m"\nprice = {input = -1, output = 1}', ["'models.fast.price.input'"]),
        ('[models.fast]\nmodel = "m"\nbase_url = "localhost:8000/v1"', ["'models.fast.base_url'", "http"]),
        ('[models.fast]\nmodel = "m"\nbase_url = "http://localhost:no/v1"', ["'models.fast.base_url'", "http"]),
        ("calls = \n", ["cannot be read", "line 1"]),
    ],
)
def test_a_bad_setting_is_named_with_its_file(workspace: Path, toml: str, names: list[str]) -> None:
    path = write(workspace, toml)
    with pytest.raises(SettingError) as caught:
        load_settings()
    said = str(caught.value)
    assert all(name in said for name in [*names, str(path)]), said
    assert "\n" not in said


def test_the_key_itself_is_refused_where_a_reference_belongs_and_not_repeated(workspace: Path) -> None:
    write(workspace, '[models.fast]\nmodel = "m"\napi_key = "sk-0123456789"')
    with pytest.raises(SettingError, match="env:NAME") as caught:
        load_settings()
    assert "sk-0123456789" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GEN_TOOLKIT_CALLS", "sometimes"),
        ("GEN_TOOLKIT_MODELS", "not json"),
        ("GEN_TOOLKIT_WARM", "numpy"),
        ("GEN_TOOLKIT_BUDGETS", "1 USD"),
    ],
)
def test_a_bad_value_of_the_environment_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingError, match=name):
        load_settings()


def test_a_table_that_is_none_is_refused(workspace: Path) -> None:
    (workspace / "gen_toolkit.toml").unlink()
    (workspace / "pyproject.toml").write_text("[tool]\ngen_toolkit = 3")
    with pytest.raises(SettingError, match="table"):
        load_settings()


def test_pyproject_serves_as_well(workspace: Path) -> None:
    (workspace / "gen_toolkit.toml").unlink()
    (workspace / "pyproject.toml").write_text('[tool.gen_toolkit]\nexperiment = "films"')
    assert load_settings().experiment == "films"


def test_the_experiment_is_named_for_the_folder(workspace: Path) -> None:
    assert load_settings().experiment == workspace.name


@pytest.mark.parametrize(
    ("argument", "mlflow", "ours", "expected"),
    [
        (None, None, None, "sqlite:///{records}/mlflow.db"),
        (None, None, "http://ours", "http://ours"),
        (None, "http://theirs", "http://ours", "http://theirs"),
        ("http://argument", "http://theirs", "http://ours", "http://argument"),
    ],
)
def test_where_tracking_goes(
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    argument: str | None,
    mlflow: str | None,
    ours: str | None,
    expected: str,
) -> None:
    if mlflow:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow)
    if ours:
        write(workspace, f'tracking_uri = "{ours}"')
    settings = load_settings(**({"tracking_uri": argument} if argument else {}))
    assert settings.tracking_uri == expected.format(records=workspace / "mlruns")


def test_a_database_that_is_named_by_a_relative_path_is_the_same_for_every_process(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(workspace, 'tracking_uri = "sqlite:///mine.db"')
    monkeypatch.chdir(workspace / "notebooks")
    assert load_settings().tracking_uri == f"sqlite:///{workspace}/mine.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///theirs.db")  # MLflow's own calls go there
    assert load_settings().tracking_uri == f"sqlite:///{workspace}/notebooks/theirs.db"


def test_the_origin_of_the_tracking_uri_names_mlflows_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://theirs")
    assert load_settings().origin("tracking_uri") == "environment MLFLOW_TRACKING_URI"


@pytest.mark.parametrize("password", ["hunter2pw", "pw4all"])
def test_the_password_of_mlflows_address_is_masked_and_where_it_is_stays_readable(
    monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    named = f"https://ada:{password}@mlflow.here/"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", named)
    assert load_settings().tracking_uri == named
    assert scrub(f"at {named}") == "at https://[secret]@mlflow.here/"


@pytest.mark.parametrize(("named", "path"), [(None, "mlruns/gen_toolkit.db"), ("other/x.db", "other/x.db")])
def test_where_the_database_is(workspace: Path, named: str | None, path: str) -> None:
    if named:
        write(workspace, f'database = "{named}"')
    assert load_settings().database == workspace / path


@pytest.mark.parametrize("named", ["postgresql://me@db/records", "env:RECORDS", "file:/run/secrets/records"])
def test_a_database_elsewhere_is_named_by_its_address_or_a_reference(workspace: Path, named: str) -> None:
    write(workspace, f'database = "{named}"')
    assert load_settings().database == named


@pytest.mark.parametrize(
    "named", ["postgresql://me:hunter2-hunter2@db/r", "postgresql://db/r?user=me&password=hunter2-hunter2"]
)
def test_a_password_has_no_place_in_the_settings_file(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    write(workspace, f'database = "{named}"')
    with pytest.raises(SettingError, match=r"holds a password.*env:NAME") as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)
    monkeypatch.setenv("GEN_TOOLKIT_DATABASE", named)
    assert load_settings().database == named


def test_an_alias_is_read_with_its_types(workspace: Path) -> None:
    write(workspace, '[models.fast]\nmodel = "m"\nprice = {input = 0.25, output = "2"}\noptions = {temperature = 0}')
    name, alias = load_settings().settings.alias("fast")
    assert (name, alias.provider, alias.deadline_s, alias.options) == ("fast", "openai", 60, {"temperature": 0})
    assert alias.price is not None
    assert (alias.price.input, alias.price.output) == (Decimal("0.25"), Decimal(2))


def test_local_is_always_there_and_may_be_replaced(workspace: Path) -> None:
    assert load_settings().settings.alias()[1].provider == "embedded"
    write(workspace, '[models.local]\nprovider = "scripted"\nreplies = "r.json"')
    assert load_settings().settings.alias()[1].provider == "scripted"


def test_an_unknown_alias_offers_the_nearest(workspace: Path) -> None:
    write(workspace, '[models.fast]\nmodel = "m"')
    with pytest.raises(UnknownAlias, match=r"no model alias 'fsat'; known: fast, local\. Did you mean 'fast'\?"):
        load_settings().settings.alias("fsat")
