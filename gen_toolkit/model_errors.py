"""Errors of calls to models: what a provider did, and what that means for trying again and for the bill."""

from __future__ import annotations

from typing import ClassVar

from gen_toolkit.failure import GenToolkitError


class ModelError(GenToolkitError):
    """A call that brought no usable answer. Data: `alias`, `attempts`; of a stream `partial`, the text so far."""

    code = "model"
    exit_code = 3
    attempts: int = 1
    billed: bool | None = None
    """Whether the attempt is on the bill; None: it may be, nobody can tell."""
    elsewhere: ClassVar[bool] = False
    """Whether another model might answer: then the alias's fallbacks are asked."""
    partial: str = ""
    call: str | None = None
    """Id of the failed call in the journal."""


class ModelUnreachable(ModelError):
    """No connection, or it broke before an answer came."""

    code = "model-unreachable"
    retryable = True
    elsewhere = True


class ModelRefused(ModelError):
    """The server said no, and will again: bad request, bad key, no such model. Data: `status`, `reason`.

    `reason` is `context-length`, `content-filter`, `redirect`, or "" where the status says it all.
    """

    code = "model-refused"
    billed = False
    reason: str = ""


class QuotaExhausted(ModelRefused):
    """The account has used up what it paid for. Data: `status`."""

    code = "quota"
    elsewhere = True


class ModelOverloaded(ModelError):
    """The server said "not now": 408, 409, 429 or 5xx. Data: `status`, `retry_after` (seconds)."""

    code = "model-overloaded"
    retryable = True
    elsewhere = True


class BadReply(ModelError):
    """The server said yes and sent something that is no answer."""

    code = "bad-reply"
    retryable = True
    elsewhere = True


class OutputMismatch(ModelError):
    """An answer that does not fit the declared output. Data: `text`, `expected`, `reason`."""

    code = "output-mismatch"
    exit_code = 1
    text: str
    reason: str


class DeadlineExceeded(ModelError):
    """The total deadline of the call, attempts and waits included, has passed. Data: `deadline_s`."""

    code = "deadline"
    exit_code = 4
    elsewhere = True
