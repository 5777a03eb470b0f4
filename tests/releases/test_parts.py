"""The parts of a fan-out: every combination of a grid, or the rows of a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from gen_toolkit.errors import InputError
from gen_toolkit.releases.parts import MOST, grid, partitions


def test_a_grid_is_every_combination_in_the_order_of_its_axes() -> None:
    assert grid(["model=a,b", "limit=1, 2"]) == [
        {"model": "a", "limit": "1"},
        {"model": "a", "limit": "2"},
        {"model": "b", "limit": "1"},
        {"model": "b", "limit": "2"},
    ]


def test_values_with_commas_stand_in_a_json_list() -> None:
    assert grid(['text=["a, b", "c"]', "n=[1]"]) == [{"text": "a, b", "n": 1}, {"text": "c", "n": 1}]


@pytest.mark.parametrize(
    ("axes", "says"),
    [
        (["model"], "--grid 'model' is no axis"),
        (["=a,b"], "is no axis"),
        (["m=a", "m=b"], "is no axis again"),
        (["m="], "--grid m has no values"),
        (["m=[]"], "--grid m has no values"),
        (['m=["a"'], "is no JSON list"),
        (["a=" + "x," * 50, "b=" + "x," * 50], f"more than {MOST} parts"),
    ],
)
def test_what_is_no_grid_is_refused_in_one_line(axes: list[str], says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        grid(axes)
    assert "\n" not in str(caught.value)


def test_a_csv_file_is_a_part_a_row(tmp_path: Path) -> None:
    path = tmp_path / "parts.csv"
    path.write_bytes('\ufefflimit,text\r\n1,"a, ""b""\nc"\r\n\r\n2,\r\n'.encode())
    assert partitions(path) == [{"limit": "1", "text": 'a, "b"\nc'}, {"limit": "2", "text": ""}]


def test_a_jsonl_file_is_a_part_an_object(tmp_path: Path) -> None:
    path = tmp_path / "parts.jsonl"
    path.write_text('{"limit": 1, "tags": ["x"]}\n\n{"limit": 2}\n')
    assert partitions(path) == [{"limit": 1, "tags": ["x"]}, {"limit": 2}]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("p.csv", b"", r"p\.csv cannot be read: it is empty"),
        ("p.csv", b"limit\n", "holds no rows"),
        ("p.csv", b"a,b\n1\n", r"\(line 2\) has fewer fields than its header: 1 and not 2"),
        ("p.csv", b"a,a\n1,2\n", "has two columns that are called 'a'"),
        ("p.csv", b'a\n"x\n', r"\(line 2\) cannot be read: unexpected end of data"),
        ("p.csv", b"a\n\xff\n", r"\(line 2\), column 'a' is not UTF-8"),
        ("p.jsonl", b"[1]\n", r"\(line 1\) is list, not a mapping"),
        ("p.jsonl", b'{"a": 1}\n{"a"\n', r"\(line 2\) cannot be read as JSON"),
        ("p.jsonl", b'{"a": 1, "a": 2}\n', "the key 'a' stands twice"),
        ("p.txt", b"a\n", "neither .csv nor .jsonl"),
    ],
)
def test_what_is_no_list_of_parts_is_refused_naming_the_line(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=says):
        partitions(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        partitions(tmp_path / "no.csv")
