"""gen promote: check, freeze, prove, let through the gates, make live."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gen_toolkit import text
from gen_toolkit.database.engine import open_database
from gen_toolkit.errors import GateRefused, GenToolkitError, InputError, ReleaseError
from gen_toolkit.jobs.execute import silent
from gen_toolkit.jobs.supervise import Progress
from gen_toolkit.journal.asked import Asked
from gen_toolkit.releases.check import passed
from gen_toolkit.releases.freeze import freeze
from gen_toolkit.releases.pipeline import Pipeline, pipeline_of
from gen_toolkit.releases.promotion.evidence import Case, Judged
from gen_toolkit.releases.promotion.found import answers_of
from gen_toolkit.releases.promotion.gates import read_gates
from gen_toolkit.releases.promotion.judge import judge
from gen_toolkit.releases.promotion.leaks import ALLOWED
from gen_toolkit.releases.promotion.make import make, read_evidence, refuse_unwritable
from gen_toolkit.releases.promotion.proof import ANY, Proof, prove
from gen_toolkit.releases.promotion.proof import Wanted as Wanted
from gen_toolkit.releases.seal import MANIFEST, verify
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
    if override and not override.strip():
        raise InputError("an override needs a reason", fix='Say why: --override "reason"')
    pipeline = pipeline_of(load_settings().workspace, name, must_exist=False)
    operator = pipeline.settings()
    report = passed(path, tuple(operator.get("include", ())))
    subject = report.subject
    frozen = freeze(subject, tuple(operator.get("models", ())))
    known, standing = same_release(pipeline, frozen.digest), pipeline.standing
    if known is not None and known == standing.number == standing.said:
        return Promoted(pipeline, known, frozen.digest, made=False, case=Case())
    refuse_unwritable(pipeline)
    proof = prove(subject, frozen, operator, wanted, progress)
    answers = answers_of(open_database(), proof.execution)
    with pipeline.alone():  # of two at once the second finds what the first has made, and is compared with it
        known = same_release(pipeline, frozen.digest)
        case = case_of(pipeline, proof, answers, text.scrub(override.strip()))
        if not case.passed and not case.reason:
            raise _refusal(pipeline, path, case, known)
        personal = operator.get("personal_data") != ALLOWED
        number = known or make(pipeline, frozen, subject, case, answers, report.warnings, personal=personal)
        pipeline.set_live(number, "promote", "" if case.passed else case.reason)
    return Promoted(pipeline, number, frozen.digest, made=known is None, case=case, executed=proof.made)


def case_of(pipeline: Pipeline, proof: Proof, answers: Sequence[Asked], reason: str = "") -> Case:
    """What speaks for and against what was executed, as the pipeline's gates and its live release are now."""
    number = pipeline.live
    warnings = list(_incomplete(answers))
    live = None
    if number is not None:
        try:
            folder = pipeline.release_folder(number)
            verify(folder)
            live = read_evidence(folder)
        except GenToolkitError as error:  # it must not keep a good one from coming; what asks for it says no
            warnings.append(f"what is live cannot be compared with: {error.message}")
    gates = read_gates(pipeline.settings().get("gates"), str(pipeline.file))
    title = None if number is None else f"release {number}"
    judged = () if gates is None else judge(gates, proof.evidence, live, title)
    return Case(proof.evidence, judged, live, reason, tuple(warnings))


def _incomplete(answers: Sequence[Asked]) -> Iterator[str]:
    without = sorted({one.alias for one in answers if one.reply is None and one.error is None})
    if without:
        yield f"the journal keeps no replies of {', '.join(without)}: the release cannot be executed offline"


def _refusal(pipeline: Pipeline, path: Path, case: Case, known: int | None) -> GateRefused:
    failed = [gate for gate in case.gates if not gate.passed]
    many = f"{len(failed)} of {len(case.gates)} gates say no" if len(failed) > 1 else "a gate says no"
    advice = dict.fromkeys(gate.advice for gate in failed if gate.advice)
    fix = " ".join(advice) or "Make it better."
    if known is not None:
        fix = f"It is release {known} already. To go back to it: gen release rollback {pipeline.name} --to {known}"
    elif "--override" not in fix:
        fix = f'{fix} To promote it all the same, say why: --override "reason"'
    return GateRefused(
        f"{path.name} does not become a release of {pipeline.name}: {many}: {failed[0].gate} ({failed[0].said})",
        fix=fix,
        pipeline=pipeline.name,
        run=case.evidence.run if case.evidence else None,
        gates=[told(gate) for gate in case.gates],
    )


def told(gate: Judged) -> dict[str, Any]:
    """A gate as data: on what, what is asked, what was found, whether it passed."""
    return {"gate": gate.about or gate.gate, "asked": gate.asked, "found": gate.said, "passed": gate.passed}


def same_release(pipeline: Pipeline, digest: str) -> int | None:
    """The number of the release of that digest, if there is one that can be run."""
    for number in reversed(pipeline.numbers()):
        folder = pipeline.releases / str(number)
        # a damaged release is not this one; `gen run` names it
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, ReleaseError):
            if json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["digest"] == digest:
                verify(folder)
                return number
    return None
