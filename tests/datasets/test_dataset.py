"""Rows with ids that depend on their content only, and a digest of all of them."""

from __future__ import annotations

import datetime
import subprocess
import sys
from typing import Any

import pytest
from hostile import CORPUS, strange_characters, strange_tags
from hypothesis import given
from hypothesis import strategies as st

import gen_toolkit as gt
from gen_toolkit.errors import DatasetError

ROWS = [{"text": "good", "n": 1}, {"text": "bad", "n": 2}, {"text": "fine", "n": 3}]
PLAIN = st.dictionaries(
    st.text(max_size=5), st.none() | st.booleans() | st.integers() | st.text(max_size=5), max_size=3
)


def test_an_id_depends_on_the_content_and_not_on_the_place() -> None:
    there, back = gt.dataset(ROWS), gt.dataset(ROWS[::-1])
    assert [r.id for r in there] == [r.id for r in back][::-1]
    assert gt.dataset([{"n": 1, "text": "good"}])[0].id == there[0].id


@given(rows=st.lists(PLAIN, max_size=8), seed=st.integers(0, 3))
def test_every_row_has_an_id_of_its_own_however_it_is_reached(rows: list[dict[str, object]], seed: int) -> None:
    data = gt.dataset(rows * 2)
    one_by_one = [data[i].id for i in range(len(data))]
    assert len(set(one_by_one)) == len(data)
    assert [r.id for r in data] == one_by_one == [r.id for r in data[:]]
    assert {r.id for r in data.sample(len(data), seed=seed)} == set(one_by_one)


def test_the_digest_says_content_ids_and_order() -> None:
    same = gt.dataset([dict(reversed(row.items())) for row in ROWS], name="another name")
    assert same.digest == gt.dataset(ROWS).digest
    different = [ROWS[::-1], ROWS[:2], [{**ROWS[0], "n": "1"}, *ROWS[1:]], [*ROWS, ROWS[0]]]
    digests = {gt.dataset(rows).digest for rows in different} | {gt.dataset(ROWS, id="n").digest}
    assert len(digests) == 5
    assert gt.dataset(ROWS).digest not in digests


def test_the_digest_is_the_same_in_every_process() -> None:
    program = f"import gen_toolkit as gt; print(gt.dataset({ROWS!r}).digest)"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.strip() == gt.dataset(ROWS).digest


def test_slices_samples_where_and_map_are_datasets_and_change_nothing_in_place() -> None:
    data = gt.dataset(ROWS, name="films")
    assert [r["n"] for r in data[1:]] == [2, 3]
    assert [r["n"] for r in data[::-1]] == [3, 2, 1]
    assert [r["n"] for r in data.where(lambda row: row["n"] != 2)] == [1, 3]
    assert [r["n"] for r in data.map(lambda row: {"n": row["n"] * 10})] == [10, 20, 30]
    assert data.map(lambda row: {"long": len(row["text"])}).columns == ["text", "n", "long"]
    assert data[-1]["n"] == 3
    assert {made.name for made in (data[:1], data.sample(1), data.where(bool))} == {"films"}
    assert [dict(row) for row in data] == ROWS


def test_a_sample_is_drawn_without_replacement_and_the_same_seed_draws_the_same() -> None:
    data = gt.dataset([{"n": n} for n in range(50)])
    first, again, other = (data.sample(20, seed=seed) for seed in (1, 1, 2))
    assert first.digest == again.digest != other.digest
    assert len({r["n"] for r in first}) == 20


@pytest.mark.parametrize("count", [-1, 51, 2.5, "2"])
def test_a_sample_of_more_or_less_than_there_is_is_refused(count: Any) -> None:
    with pytest.raises(DatasetError, match=f"{count!r} rows were asked for and rows has 50"):
        gt.dataset([{"n": n} for n in range(50)]).sample(count)


def test_where_takes_values_of_columns_too_and_a_mistyped_one_is_named() -> None:
    data = gt.dataset([*ROWS, {"text": "good", "n": 4}])
    assert [r["n"] for r in data.where(text="good")] == [1, 4]
    assert [r["n"] for r in data.where(lambda row: row["n"] > 1, text="good")] == [4]
    for choose in (lambda: data.where(txt="good"), lambda: data.where(lambda row: row["txt"])):
        with pytest.raises(DatasetError, match=r"no column 'txt'.*Did you mean 'text'\?"):
            choose()


def test_what_map_puts_in_is_plain_data_as_all_rows_are() -> None:
    data = gt.dataset(ROWS)
    day = datetime.date(2026, 11, 30)
    assert data.map(lambda row: {"day": day, "n": float("nan")})[0] == {**ROWS[0], "day": "2026-11-30", "n": None}
    with pytest.raises(DatasetError, match=r"row 0.*column 'some' holds what JSON cannot"):
        data.map(lambda row: {"some": {1}})
    with pytest.raises(DatasetError, match=r"row 0.*is int, not a mapping"):
        data.map(lambda row: row["n"])


def test_given_ids_stay_with_their_rows() -> None:
    data = gt.dataset(ROWS, id="text")
    assert [r.id for r in data[1:]] == ["bad", "fine"]
    assert [r.id for r in data.where(lambda row: row["n"] > 2)] == ["fine"]
    assert [r.id for r in data.map(lambda row: {"n": 0})] == ["good", "bad", "fine"]


def test_a_missing_column_is_named_with_the_nearest() -> None:
    row = gt.dataset(ROWS)[0]
    with pytest.raises(DatasetError, match=r"no column 'txt'; it has text, n.*Did you mean 'text'\?") as raised:
        row["txt"]
    assert (raised.value.column, raised.value.row) == ("txt", row.id)
    assert row.get("txt", "none") == "none"
    assert "txt" not in row


def test_a_row_is_read_only() -> None:
    row = gt.dataset(ROWS)[0]
    with pytest.raises(TypeError):
        row["text"] = "changed"  # type: ignore[index]
    dict(row)["text"] = "changed"
    assert row["text"] == "good"


def test_to_pandas_has_the_ids_as_index() -> None:
    frame = gt.dataset(ROWS).to_pandas()
    assert list(frame.index) == [r.id for r in gt.dataset(ROWS)]
    assert frame.to_dict("records") == ROWS


@pytest.mark.parametrize("text", CORPUS, ids=ascii)
def test_the_display_shows_markup_and_never_obeys_it(text: str) -> None:
    shown = gt.dataset([{text: text, "id": text}], id="id", name=text)._repr_mimebundle_()
    assert strange_tags(shown["text/html"]) == []
    assert strange_characters(shown["text/plain"]) == []
