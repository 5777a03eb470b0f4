"""`import gen_toolkit` is cheap, and its public names are what the table says."""

from __future__ import annotations

import ast
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import gen_toolkit as gt

HEAVY = {"mlflow", "openai", "papermill", "pandas", "IPython", "sqlalchemy", "pydantic", "xllamacpp", "jinja2", "numpy"}
PUBLIC = sorted(set(gt.__all__) - {"__version__"})


def loaded_by(code: str) -> set[str]:
    code += "\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not HEAVY & loaded_by("import gen_toolkit")


def test_a_scripted_call_loads_no_other_provider_and_no_tracking(workspace: Path) -> None:
    loaded = loaded_by("import gen_toolkit as gt; gt.chat('hi', model=gt.ScriptedModel('hello'))")
    assert not {"mlflow", "openai", "xllamacpp", "papermill", "pandas", "IPython"} & loaded


@pytest.mark.parametrize("name", gt.__all__)
def test_every_public_name_is_importable(name: str) -> None:
    assert getattr(gt, name) is not None


def test_no_public_name_is_hidden_by_a_submodule_of_the_root() -> None:
    assert not set(PUBLIC) & {module.name for module in pkgutil.iter_modules(gt.__path__)}


def test_type_checkers_see_the_same_names_from_the_same_places() -> None:
    tree = ast.parse(Path(gt.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    seen = {alias.asname: str(node.module).removeprefix("gen_toolkit.") for node in imports for alias in node.names}
    assert seen == gt._HOME_OF


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'chatt'"):
        gt.chatt  # noqa: B018


def test_dir_lists_the_public_names() -> None:
    assert dir(gt) == sorted(gt.__all__)
