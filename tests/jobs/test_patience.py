"""Waiting for the next attempt ends when there is nothing to wait for any more."""

from __future__ import annotations

import pytest

from gen_toolkit.jobs import patience


def test_a_wait_ends_when_it_is_over_however_long_it_was_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_LOOKS_EVERY", 0.0)
    said: list[str] = []
    answers = iter([False, False, True])
    assert patience.wait(3600, said.append, lambda: next(answers)) is None
    assert said == ["trying again in 3600 s"]
    assert next(answers, None) is None
