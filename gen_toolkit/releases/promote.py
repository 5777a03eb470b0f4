"""gen promote: check, freeze, prove, let through the gates, make live."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gen_toolkit import text
from gen_toolkit.database.engine import open_database
from gen_toolkit.errors import GateRefused, InputError
from gen_toolkit.jobs.execute import silent
from gen_toolkit.jobs.supervise import Progress
from gen_toolkit.releases.check import checked
from gen_toolkit.releases.evidence import Case, Judged
from gen_toolkit.releases.found import answers_of
from gen_toolkit.releases.freeze import freeze
from gen_toolkit.releases.gates import read_gates
from gen_toolkit.releases.judge import judge
from gen_toolkit.releases.leaks import ALLOWED
from gen_toolkit.releases.make import make, read_evidence
from gen_toolkit.releases.pipeline import Pipeline, pipeline_of
from gen_toolkit.releases.proof import ANY, Proof, prove
from gen_toolkit.releases.proof import Wanted as Wanted
from gen_toolkit.releases.seal import verify
from gen_toolkit.settings import load_settings


@dataclass(frozen=True)
class Promoted:
    """The release that a notebook is now, made or found."""

    pipeline: Pipeline
    number: int
    digest: str
    made: bool
    case: Case
    """What speaks for it; empty where it was live already."""
    executed: bool = False
    """Whether the notebook was executed for this."""


def promote(
    path: Path, name: str, wanted: Wanted = ANY, *, override: str = "", progress: Progress = silent
) -> Promoted:
    """Freeze the notebook as the next release of pipeline `name` and make it live, on the word of an execution.

    Promoting what is there already makes nothing: the release of the same digest is returned. `override` is why it
    is promoted although a gate says no. Raises CheckFailed with the findings, GateRefused with the gates.
    """
    pipeline = pipeline_of(load_settings().workspace, name, must_exist=False)
    operator = pipeline.settings()
    subject = checked(path, tuple(operator.get("include", ())))
    frozen = freeze(subject, tuple(operator.get("models", ())))
    known = _find(pipeline, frozen.digest)
    if known is not None and known == pipeline.live:
        return Promoted(pipeline, known, frozen.digest, made=False, case=Case())
    proof = prove(subject, frozen, operator, wanted, progress)
    case = _case(pipeline, operator, proof, override)
    if not case.passed:
        _refuse(pipeline, path, case, known)
    number = known
    if number is None:
        answers = answers_of(open_database(), proof.execution)
        number = make(pipeline, frozen, subject, case, answers, personal=operator.get("personal_data") != ALLOWED)
    pipeline.set_live(number)
    return Promoted(pipeline, number, frozen.digest, made=known is None, case=case, executed=proof.made)


def _case(pipeline: Pipeline, operator: Mapping[str, Any], proof: Proof, override: str) -> Case:
    if override and not text.one_line(override, 500).strip():
        raise InputError("an override needs a reason", fix='Say why: --override "reason"')
    number = pipeline.live
    live = None
    if number is not None:
        verify(pipeline.release_folder(number))
        live = read_evidence(pipeline.release_folder(number))
    gates = read_gates(operator.get("gates"), str(pipeline.file))
    title = None if number is None else f"release {number}"
    judged = () if gates is None else judge(gates, proof.evidence, live, title)
    return Case(proof.evidence, judged, live, text.scrub(override.strip()))


def _refuse(pipeline: Pipeline, path: Path, case: Case, known: int | None) -> None:
    """Raises GateRefused, unless there is a reason why not and a place to write it down."""
    failed = [gate for gate in case.gates if not gate.passed]
    if case.reason and known is None:
        return
    many = f"{len(failed)} of {len(case.gates)} gates say no" if len(failed) > 1 else "a gate says no"
    advice = dict.fromkeys(gate.advice for gate in failed if gate.advice)
    fix = " ".join(advice) or "Make it better, or say why it may pass."
    if known is not None:
        back = f"gen release rollback {pipeline.name} {known}"
        fix = f"It is release {known} already. To go back to it all the same: {back}"
    elif "--override" not in fix:
        fix = f'{fix} To promote it all the same: --override "reason"'
    raise GateRefused(
        f"{path.name} does not become a release of {pipeline.name}: {many}: {failed[0].gate} ({failed[0].said})",
        fix=fix,
        pipeline=pipeline.name,
        run=case.evidence.run if case.evidence else None,
        gates=[told(gate) for gate in case.gates],
    )


def told(gate: Judged) -> dict[str, Any]:
    """A gate as data: on what, what is asked, what was found, whether it passed."""
    return {"gate": gate.about or gate.gate, "asked": gate.asked, "found": gate.said, "passed": gate.passed}


def _find(pipeline: Pipeline, digest: str) -> int | None:
    for number in reversed(pipeline.numbers()):
        try:
            manifest = json.loads((pipeline.releases / str(number) / "manifest.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # a damaged release is not this one; `gen run` names it
        if manifest.get("digest") == digest:
            return number
    return None
