"""gt.recorded: real requests and replies from the journal as rows to evaluate on."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, get_args

from gen_toolkit import text
from gen_toolkit.database.engine import open_database
from gen_toolkit.datasets.dataset import Dataset
from gen_toolkit.datasets.redacted import ALL, Private, redacted
from gen_toolkit.errors import DatasetError, nearest
from gen_toolkit.journal.recent import Answered, Wanted, count_without_texts, recent
from gen_toolkit.messages.request import content_text


def recorded(
    *,
    run: str | None = None,
    pipeline: str | None = None,
    prompt: str | None = None,
    model: str | None = None,
    last: int = 200,
    redact: Collection[Private] = ALL,
) -> Dataset:
    """The last real requests, and what was replied to them: one row a call, oldest first.

    Given are any of: `run` (an id, or 8 or more characters of it), `pipeline` (all its jobs), `prompt` (a
    name, for all its versions, or `name@4`) and `model` (an alias). Columns: `request` (the text of the last
    message of the user), `messages` (all of them), `reply`, `model`, `prompt`. A row's id is the call's, so
    the same call is the same row whatever else was called since.

    What the workspace's aliases guard their requests against is redacted, and besides what `redact` names;
    secrets that this process has read always are. A judge's calls are the prompt `judge-NAME`: name the `prompt` that
    you want where an evaluation was recorded. Raises DatasetError where nothing was recorded, or no longer is.
    """
    _check(last, redact)
    wanted = Wanted(run, pipeline, prompt, model)
    database = open_database()
    found = recent(database, wanted, last)
    if not found:
        raise _nothing(wanted, count_without_texts(database, wanted))
    masked = redacted(redact)
    return Dataset([_row(call, masked) for call in found], name=f"calls of {wanted}", ids=[call.id for call in found])


def _row(call: Answered, masked: Callable[[Any], Any]) -> dict[str, Any]:
    asked = [message for message in call.messages if message.get("role") == "user"] or call.messages
    return {
        "request": masked(content_text(asked[-1])),
        "messages": masked(call.messages),
        "reply": masked(call.text),
        "model": call.alias,
        "prompt": call.prompt,
    }


def _check(last: Any, redact: Any) -> None:
    if type(last) is not int or last < 1:
        raise DatasetError(f"last={last!r} is no number of calls", fix="Give a whole number from 1 on.")
    known = get_args(Private)
    for name in [redact] if isinstance(redact, str) else redact:
        if isinstance(redact, str) or name not in known:
            raise DatasetError(
                f"redact={text.one_line(repr(redact))} names what is not known",
                fix=nearest(str(name), known) or f"Give a list of {', '.join(known)}.",
            )


def _nothing(wanted: Wanted, without: int) -> DatasetError:
    if without:
        return DatasetError(
            f"of {wanted} {without} calls were answered, and no request and reply is kept",
            fix="See the settings `bodies_days` and, of an alias, `bodies`; a release holds the calls it was made of.",
            calls=without,
        )
    return DatasetError(f"no answered call of {wanted} is recorded", fix="Check the names with `gen calls`.")
