"""Events are frozen data and come back from JSON as they were."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from gen_toolkit import events

SAMPLES: list[events.Event] = [
    events.RunStarted(run="r", name="n", run_kind="job", params={"limit": 3}),
    events.Recorded(run="r", metrics={"accuracy": 0.5}, tags={"a": "b"}),
    events.TableRecorded(run="r", file="rows.json", columns=["a"], rows=[[1], [None]]),
    events.FileRecorded(run="r", file="a.txt", content="x"),
    events.PromptUsed(run="r", name="p", version=2),
    events.DatasetUsed(run="r", name="reviews", digest="d1", rows=2, columns={"text": "string"}),
    events.RowsTraced(run="r", name="p@2", prompt={"name": "p", "version": 2}, judges=[], rows=[{"row": "1"}]),
    events.Assessed(run="r", row="1", repeat=0, name="ok", value=True, reason="", by="ada", source="human"),
    events.Reviewed(
        run="r", review="tone", reviewer="ada", scale=["bad", "good"], row="1", repeat=0, subject="s", label=None
    ),
    events.ValueKept(run="r", name="v", value={"a": [1]}),
    events.RunEnded(run="r", state="succeeded"),
]


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: event.kind)
def test_an_event_survives_json(event: events.Event) -> None:
    assert events.from_json(event.kind, json.loads(json.dumps(event.to_json()))) == event


def test_there_is_a_sample_of_every_kind() -> None:
    assert {event.kind for event in SAMPLES} == set(events.KINDS)


def test_events_are_frozen() -> None:
    changed: Any = SAMPLES[0]
    with pytest.raises(dataclasses.FrozenInstanceError):
        changed.run = "other"
