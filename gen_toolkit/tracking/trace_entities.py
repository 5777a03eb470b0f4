"""A traced row as MLflow's own objects: the trace, and a span for the row and for each of its calls."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gen_toolkit import text
from gen_toolkit.events import RowsTraced
from gen_toolkit.journal.said import Said
from gen_toolkit.tracking.row_trace import RowTrace, shortened, trace_id, trace_key

if TYPE_CHECKING:
    from mlflow.entities import Feedback, Span, TraceInfo

_LONGEST_PREVIEW = 1000  # MLflow's own
_OK, _FAILED = "STATUS_CODE_OK", "STATUS_CODE_ERROR"


@dataclass(frozen=True)
class Entities:
    """What MLflow stores of one row."""

    info: TraceInfo
    spans: list[Span]


def entities(event: RowsTraced, row: RowTrace, said: Mapping[str, Said], run: str, experiment: str) -> Entities:
    """`run` and `experiment` are MLflow's ids. Calls that the journal no longer has are left out."""
    from mlflow.entities import TraceInfo, TraceLocation, TraceState

    key = trace_key(event.run, row.row, row.repeat)
    calls = [said[call] for call in row.calls if call in said]
    # a call that was made for this run says when; an answer that was known before it was not waited for
    live = [call for call in calls if call.run == event.run]
    start = min((call.asked_at for call in live), default=event.time)
    end = max((call.answered_at or call.asked_at for call in live), default=start + row.seconds)
    spans = [_root(event, row, key, start, end)]
    for number, call in enumerate(calls, 1):
        began, took = (call.asked_at, _took(call)) if call.run == event.run else (start, min(_took(call), end - start))
        spans.append(_call(call, key, number, began, began + took, is_live=call.run == event.run))
    info = TraceInfo(
        trace_id=trace_id(event.run, row.row, row.repeat),
        trace_location=TraceLocation.from_experiment_id(experiment),
        request_time=int(start * 1000),
        execution_duration=int((end - start) * 1000),
        state=TraceState.ERROR if row.error else TraceState.OK,
        client_request_id=_clean(f"{row.row} repeat {row.repeat}" if row.repeat else row.row)[:50],
        request_preview=_preview(row.inputs),
        response_preview=_preview(row.error if row.output is None and row.error else row.output),
        trace_metadata=_metadata(row, run),
        tags=_tags(event),
        assessments=_assessments(event, row, run),
    )
    return Entities(info, spans)


def _took(call: Said) -> float:
    return (call.answered_at or call.asked_at) - call.asked_at


def _root(event: RowsTraced, row: RowTrace, key: bytes, start: float, end: float) -> Span:
    attributes = {
        "mlflow.spanType": "CHAIN",
        "mlflow.spanInputs": row.inputs,
        "mlflow.spanOutputs": row.output,
        "gen_toolkit.run": event.run,
        "gen_toolkit.row": row.row,
    }
    if row.repeat:
        attributes["gen_toolkit.repeat"] = row.repeat
    return _span(key, 0, _clean(event.name), start, end, attributes, row.error)


def _call(call: Said, key: bytes, number: int, start: float, end: float, *, is_live: bool) -> Span:
    attributes: dict[str, Any] = {
        "mlflow.spanType": "CHAT_MODEL",
        "mlflow.message.format": "openai",
        "mlflow.llm.model": call.model,
        "gen_toolkit.call": call.id,
        "gen_toolkit.alias": call.alias,
        "gen_toolkit.source": "called for this row" if is_live else "recorded before",
        "gen_toolkit.attempts": call.attempts,
    }
    if call.prompt:
        attributes["gen_toolkit.prompt"] = call.prompt
    if call.request is not None:
        attributes["mlflow.spanInputs"] = {"model": call.model, "messages": shortened(call.request)}
    if call.reply is not None:
        attributes["mlflow.spanOutputs"] = {"choices": [_choice(call.reply)]}
    if call.input_tokens is not None and call.output_tokens is not None:
        attributes["mlflow.chat.tokenUsage"] = _usage(call.input_tokens, call.output_tokens)
    if call.cost is not None:
        attributes["mlflow.llm.cost"] = {"total_cost": float(call.cost)}
    error = None if call.error is None else str(call.error.get("message", "failed"))
    return _span(key, number, _clean(call.prompt or call.alias), start, end, attributes, error)


def _choice(reply: Mapping[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": shortened(reply.get("text"))}
    if reply.get("tool_calls"):
        message["tool_calls"] = [
            {
                "id": call.get("id"),
                "type": "function",
                "function": {"name": call.get("name"), "arguments": call.get("written")},
            }
            for call in reply["tool_calls"]
        ]
    return {"index": 0, "message": message, "finish_reason": reply.get("finish_reason")}


def _span(
    key: bytes, number: int, name: str, start: float, end: float, attributes: Mapping[str, Any], error: str | None
) -> Span:
    from mlflow.entities import Span

    told = {name: _json(value) for name, value in attributes.items()}
    told["mlflow.traceRequestId"] = json.dumps(f"tr-{key[:16].hex()}")
    return Span.from_dict(
        {
            "trace_id": base64.b64encode(key[:16]).decode(),
            "span_id": _span_id(key, number),
            "parent_span_id": _span_id(key, 0) if number else "",
            "name": name[:250],
            "start_time_unix_nano": int(start * 1e9),
            "end_time_unix_nano": int(max(start, end) * 1e9),
            "status": {"code": _FAILED if error else _OK, "message": _clean(error or "")},
            "attributes": told,
        }
    )


def _span_id(key: bytes, number: int) -> str:
    own = int.from_bytes(key[16:24]) ^ number
    return base64.b64encode((own or 2**63).to_bytes(8)).decode()  # no span has the id 0


def _metadata(row: RowTrace, run: str) -> dict[str, str]:
    metadata = {"mlflow.sourceRun": run, "mlflow.trace_schema.version": "3"}
    tokens = row.usage.get("input_tokens"), row.usage.get("output_tokens")
    if tokens[0] is not None and tokens[1] is not None and (row.calls or any(tokens)):  # a cassette's calls have no ids
        metadata["mlflow.trace.tokenUsage"] = json.dumps(_usage(tokens[0], tokens[1]))
    if row.cost is not None and (row.calls or any(tokens)):
        metadata["mlflow.trace.cost"] = json.dumps({"total_cost": float(row.cost)})
    return metadata


def _usage(input_tokens: int, output_tokens: int) -> dict[str, int]:
    return {
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "total_tokens": input_tokens + output_tokens,
    }


def _tags(event: RowsTraced) -> dict[str, str]:
    tags = {"mlflow.traceName": _clean(event.name)[:250]}
    if event.prompt:
        link = {"name": event.prompt["name"], "version": str(event.prompt["version"])}
        tags["mlflow.linkedPrompts"] = json.dumps([link])
    return tags


def _assessments(event: RowsTraced, row: RowTrace, run: str) -> list[Feedback]:
    from mlflow.entities import AssessmentSource, Feedback

    stamp = int(event.time * 1000)
    return [
        Feedback(
            name=name,
            value=score["value"],
            source=AssessmentSource("LLM_JUDGE" if name in event.judges else "CODE", name),
            rationale=_clean("; ".join(filter(None, (score.get("label"), score.get("reason"))))) or None,
            metadata={"mlflow.assessment.sourceRunId": run},
            create_time_ms=stamp,
            last_update_time_ms=stamp,
        )
        for name, score in row.scores.items()
    ]


def _preview(data: Any) -> str | None:
    """What MLflow's list of traces shows."""
    if isinstance(data, Mapping) and len(data) == 1:
        (data,) = data.values()
    if data is None:
        return None
    told = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    told = _clean(told[: 2 * _LONGEST_PREVIEW])
    return told if len(told) <= _LONGEST_PREVIEW else told[: _LONGEST_PREVIEW - 1] + "…"


def _json(value: Any) -> str:
    return text.scrub(_utf8(json.dumps(value, ensure_ascii=False)))


def _clean(given: str) -> str:
    """For a column of its own: no half of a character, and no NUL, which Postgres has no room for."""
    return text.scrub(_utf8(given)).replace("\0", "")


def _utf8(given: str) -> str:
    return given.encode("utf-8", "replace").decode("utf-8")
