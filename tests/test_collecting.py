"""The collector of cycles is put back as it was."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from gen_toolkit.collecting import collected_rarely


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_it_looks_rarely_inside_and_as_before_afterwards() -> None:
    gc.set_threshold(700, 10, 10)
    with collected_rarely():
        with collected_rarely():
            pass
        assert gc.get_threshold()[0] == 50_000  # another evaluation is still going on
    assert gc.get_threshold() == (700, 10, 10)


def test_it_is_put_back_after_an_error() -> None:
    gc.set_threshold(700, 10, 10)
    with pytest.raises(KeyError), collected_rarely():
        raise KeyError
    assert gc.get_threshold() == (700, 10, 10)


@pytest.mark.parametrize("own", [(0, 10, 10), (90_000, 10, 10)], ids=["off", "rarer"])
def test_who_set_it_otherwise_keeps_it(own: tuple[int, int, int]) -> None:
    gc.set_threshold(*own)
    with collected_rarely():
        assert gc.get_threshold() == own
    assert gc.get_threshold() == own


def test_what_is_set_inside_stays() -> None:
    gc.set_threshold(700, 10, 10)
    with collected_rarely():
        gc.set_threshold(500, 5, 5)
    assert gc.get_threshold() == (500, 5, 5)
