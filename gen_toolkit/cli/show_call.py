"""A call for people: what was asked, what was answered, what it took."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from gen_toolkit import display
from gen_toolkit.messages.request import content_text
from gen_toolkit.text import one_line, terminal

if TYPE_CHECKING:
    from gen_toolkit.journal.report import CallDetail, CallRow


def call_text(shown: CallDetail) -> str:
    """Facts first, then what was said, then what went wrong."""
    return "\n".join([*_facts(shown), *_asked(shown), *_answered(shown)])


def _facts(shown: CallDetail) -> Iterator[str]:
    call = shown.call
    took = f", {display.seconds(call.seconds)}" if call.seconds is not None else ""
    yield f"{call.id}  {call.status}  ({_moment(call.asked_at)}{took})"
    facts = {
        "alias": f"{call.alias} ({call.model})",
        "prompt": call.prompt,
        "run": call.run + (f", row {call.row}" if call.row else ""),
        "source": _source(call),
        "attempts": _attempts(call),
        "tokens": _tokens(call),
        "cost": None if call.state == "asked" else display.money(call.cost, 6),
        "in place of": shown.stands_in_for and _other(shown.stands_in_for),
        "instead": ", ".join(map(_other, shown.stood_in_by)),
    }
    for name, value in facts.items():
        if value:
            yield f"  {name.ljust(11)}  {one_line(value, 200)}"
    if call.status == "lost":
        yield "  its process is gone: whether it was answered, and is on the bill, is not known"


def _asked(shown: CallDetail) -> Iterator[str]:
    if shown.request is None:
        yield f"\nwhat was asked {_why_not_here(shown.call)}"
        return
    for message in shown.request:
        if isinstance(message, Mapping):
            yield f"\n[{one_line(message.get('role', '?'))}]\n{terminal(content_text(message))}"
        else:
            yield f"\n[text to embed]\n{terminal(message)}"


def _answered(shown: CallDetail) -> Iterator[str]:
    if shown.error is not None:
        said = f"{shown.error.get('message', '')}. {shown.error.get('fix', '')}".strip()
        yield f"\n[error {one_line(shown.error.get('code', ''))}]\n{one_line(said, 1000)}"
    if shown.reply is not None:
        yield f"\n[reply]\n{terminal(_said(shown.reply))}"
    elif shown.call.state == "answered":
        yield f"\nwhat was answered {_why_not_here(shown.call)}"


def _said(reply: Mapping[str, Any]) -> str:
    lines = [str(reply.get("text", ""))] if reply.get("text") else []
    lines += [f"{name}  {share:.3f}" for name, share in (reply.get("probabilities") or {}).items()]
    lines += [json.dumps(call, ensure_ascii=False) for call in reply.get("tool_calls") or ()]
    if "vectors" in reply:
        lines.append(f"vectors of {reply['vectors'].get('size')} numbers")
    reason = reply.get("finish_reason")
    lines += [f"(finish reason {reason or 'not given'})"] if reason != "stop" else []
    return "\n".join(lines)


def _why_not_here(call: CallRow) -> str:
    if call.pruned_at is not None:
        return f"was removed on {_moment(call.pruned_at)}, because of its age"
    return "was not kept: its alias keeps hashes only"


def _source(call: CallRow) -> str:
    host, _, process = call.process.partition(" ")
    return f"process {process.split(' ')[0]} on {host}" if host else "imported from a file"


def _attempts(call: CallRow) -> str:
    if call.state == "asked":
        return ""
    unanswered = f", {call.unanswered} without an answer that may be on the bill" if call.unanswered else ""
    return f"{call.attempts}{unanswered}"


def _tokens(call: CallRow) -> str:
    if call.state == "asked":
        return ""
    asked, answered = ("unknown" if n is None else str(n) for n in (call.input_tokens, call.output_tokens))
    return f"{asked} in, {answered} out"


def _other(call: CallRow) -> str:
    return f"{call.id} ({call.alias}, {call.status})"


def _moment(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
