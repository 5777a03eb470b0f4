"""`gen try` of cells that break what they can reach: it ends as the table says, and nothing is left of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from command_lines import running
from hostile import strange_characters
from notebook_cells import furnish, gen, written

from gen_toolkit.process import marked
from gen_toolkit.surface import RUN_MARK
from tests.corpus.hostile_cells import LEFT, LONG, SHORT, Tried

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class World:
    """A workspace among other folders, and what the commands said."""

    outside: dict[str, bytes | None]
    """What lay beside the workspace before."""
    place: Path
    ended: Mapping[str, CompletedProcess[str]]

    def row(self, name: str) -> dict[str, Any]:
        return dict(json.loads(self.ended[name].stdout))


def outside(place: Path) -> dict[str, bytes | None]:
    """Everything that lies beside the workspace, with its content; but for IPython's profile, which it makes itself."""
    inside = {place / "work", place / "home/.ipython"}
    found = [path for path in place.rglob("*") if not inside & {path, *path.parents}]
    return {str(path): path.read_bytes() if path.is_file() else None for path in found}


def tried(place: Path, cases: Mapping[str, Tried]) -> World:
    root = furnish(place / "work", warm=True)
    for name in ("home", "elsewhere", "temporary"):
        (place / name).mkdir()
    (place / "elsewhere/victim.txt").write_text("as it was")
    environment = {"HOME": str(place / "home"), "TMPDIR": str(place / "temporary")}
    before = outside(place)

    def run(name: str) -> CompletedProcess[str]:
        case = cases[name]
        path = written(root / f"notebooks/{name.replace(' ', '-')}.ipynb", *case.cells, parameters=case.parameters)
        return gen("try", path, *case.options, "--json", cwd=root, timeout=400, **environment)

    with ThreadPoolExecutor(3) as pool:
        return World(before, place, dict(zip(cases, pool.map(run, cases), strict=True)))


def assert_as_told(world: World, name: str, case: Tried) -> None:
    done = world.ended[name]
    row = world.row(name)
    assert (row["state"], done.returncode) == (case.state, case.exit_code), (row["reason"], done.stderr)
    assert "Traceback" not in done.stderr
    assert done.stdout.count("\n") == 1
    if case.says is None:
        assert row["reason"] is None
    else:
        said = f"{row['reason']['error'] or ''}: {row['reason']['message']}"
        assert case.says in said
        assert "\n" not in said
        assert strange_characters(said + row["reason"]["excerpt"]) == []
        assert row["outcome"]["kept"] == {}
        assert "never printed" not in Path(row["outcome"]["log"]).read_text()
    assert {**row["outcome"]["kept"], **case.keeps} == row["outcome"]["kept"]
    assert marked(RUN_MARK, row["attempt"]) == []


def assert_nothing_is_left(world: World) -> None:
    assert outside(world.place) == world.outside
    assert running(LEFT) == []


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> World:
    return tried(tmp_path_factory.mktemp("short"), SHORT)


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> World:
    return tried(tmp_path_factory.mktemp("long"), LONG)


@pytest.mark.parametrize("name", SHORT)
def test_a_run_ends_as_its_table_says(short: World, name: str) -> None:
    assert_as_told(short, name, SHORT[name])


def test_no_process_and_no_file_outside_the_workspace_is_left(short: World) -> None:
    assert_nothing_is_left(short)


@pytest.mark.long
@pytest.mark.parametrize("name", LONG)
def test_a_run_of_the_longer_ones_ends_as_its_table_says(long: World, name: str) -> None:
    assert_as_told(long, name, LONG[name])


@pytest.mark.long
def test_no_process_and_no_file_outside_the_workspace_is_left_of_the_longer_ones(long: World) -> None:
    assert_nothing_is_left(long)
