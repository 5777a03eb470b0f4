"""What a notebook keeps stands in the ledger as long as it is small; larger values are files, and can be had whole."""

from __future__ import annotations

import json
from pathlib import Path

from gen_toolkit import text
from gen_toolkit.jobs import kept as limits
from gen_toolkit.jobs.kept import ARTIFACT, fitted, is_elsewhere, whole, word

ROWS = [{"n": n, "text": "x" * 100} for n in range(1000)]


def test_small_values_stay_and_large_ones_are_files_for_their_user_only(tmp_path: Path) -> None:
    kept = {"accuracy": 0.7, "label": None, "rows": ROWS, "long": "é" * 70_000}
    found = fitted(kept, tmp_path)
    assert (found["accuracy"], found["label"]) == (0.7, None)
    assert found["rows"][ARTIFACT] == "kept/rows.json"
    assert (found["rows"]["items"], found["long"]["items"]) == (1000, None)
    path = tmp_path / "kept" / "rows.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert found["rows"]["bytes"] == path.stat().st_size - 1
    assert {name: whole(value, tmp_path) for name, value in found.items()} == kept
    assert len(json.dumps(found)) < 1000
    assert word(found["rows"]) == f"1,000 items, {found['rows']['bytes'] / 1000:.0f} kB, in kept/rows.json"


def test_the_same_value_has_the_same_sum(tmp_path: Path) -> None:
    one, same, other = (fitted({"rows": rows}, tmp_path) for rows in (ROWS, list(ROWS), ROWS[1:]))
    assert one == same
    assert one != other


def test_many_small_ones_do_not_add_up() -> None:
    found = fitted({f"v{n}": "x" * 50_000 for n in range(100)}, None)
    assert len(json.dumps(found)) < limits.ROOM + 100 * 250
    assert sum(map(is_elsewhere, found.values())) == 81


def test_without_a_folder_or_a_file_the_word_in_its_place_is_left(tmp_path: Path) -> None:
    found = fitted({"rows": ROWS}, tmp_path / "gone")
    assert whole(found["rows"], tmp_path) == whole(found["rows"], None) == found["rows"]
    outside = {ARTIFACT: "../../secrets.json", "bytes": 1, "items": None}
    (tmp_path / "secrets.json").write_text('"stolen"')
    (tmp_path / "a").mkdir()
    assert whole(outside, tmp_path / "a") == outside


def test_a_secret_is_in_no_file(tmp_path: Path) -> None:
    text.remember_secret("hunter2-and-more")
    found = fitted({"rows": ["hunter2-and-more"] * 9000}, tmp_path)
    assert "hunter2" not in (tmp_path / "kept/rows.json").read_text()
    assert whole(found["rows"], tmp_path) == ["[secret]"] * 9000
