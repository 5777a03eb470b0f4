"""A release, written: everything of it in a folder beside the others, which then gets its number by a rename."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gen_toolkit.errors import ReleaseError
from gen_toolkit.ipynb import write_text
from gen_toolkit.journal.asked import Asked, cassette_lines, cassette_text
from gen_toolkit.releases.files import writing
from gen_toolkit.releases.finding import Finding, Subject
from gen_toolkit.releases.freeze import Frozen, name_of, write_release
from gen_toolkit.releases.pipeline import Pipeline
from gen_toolkit.releases.promotion.evidence import Case, Evidence
from gen_toolkit.releases.promotion.leaks import refuse_leaks, texts_of_call, texts_of_notebook, texts_of_values
from gen_toolkit.releases.reproduction.reference import CASSETTE, read_reference, write_reference
from gen_toolkit.releases.review.page import Page, write_review
from gen_toolkit.releases.side import side_of
from gen_toolkit.text import scrub
from gen_toolkit.tracking.registry import author
from gen_toolkit.tracking.source import git_commit, git_diff

EVIDENCE, DIRTY = "evidence.json", "dirty.diff"
_MOST_DIFF = 200_000
"""Characters of `dirty.diff`; what comes after is left out, and the file says so."""


def make(
    pipeline: Pipeline,
    frozen: Frozen,
    subject: Subject,
    case: Case | None = None,
    answers: Sequence[Asked] = (),
    findings: Sequence[Finding] = (),
    *,
    personal: bool = True,
) -> int:
    """The number of the new release.

    With a `case` also what it rests on, and with the `answers` of that execution what it takes to do it again;
    `findings` are what check warned of. Raises CheckFailed where a prompt holds a secret, or what is written beside
    the release one or, with `personal`, personal data.

    All or nothing; whoever calls it has the pipeline alone.
    """
    with writing(pipeline.releases):
        pipeline.releases.mkdir(parents=True, exist_ok=True)
        for left in pipeline.releases.glob(".new-*"):  # by a promotion that was killed: no other is under way
            shutil.rmtree(left, ignore_errors=True)
        number = max(pipeline.numbers(), default=0) + 1
        title = f"release {number} of {pipeline.name}"
        refuse_leaks(_asked(frozen), personal=False, what=title)  # included files and code: check has looked
        fresh = Path(tempfile.mkdtemp(dir=pipeline.releases, prefix=".new-"))
        try:
            fresh.chmod(0o755)
            facts = _facts(pipeline, number, subject, fresh)
            if case is not None:
                facts |= _beside(fresh, case, answers, title, personal)
                about = {**facts, "digest": frozen.digest, "notebook": name_of(subject)}
                side = side_of(f"release {number}", frozen)
                write_review(fresh, Page.of(pipeline, about, side, case, findings))
            write_release(frozen, fresh, subject, facts)
            fresh.rename(pipeline.releases / str(number))
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return number


def refuse_unwritable(pipeline: Pipeline) -> None:
    """Raises InputError, or SetupError on a read-only disk, where no release could be written: before anything is
    executed for one."""
    places = (pipeline.releases, *pipeline.releases.parents)
    with writing(pipeline.releases):
        place = next(place for place in places if place.exists())
        if not place.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if not os.access(place, os.W_OK):
            problem = errno.EROFS if os.statvfs(place).f_flag & os.ST_RDONLY else errno.EACCES
            raise OSError(problem, os.strerror(problem))


def read_evidence(folder: Path) -> Evidence | None:
    """What a release rests on; None where nobody said."""
    try:
        return Evidence.from_json(json.loads((folder / EVIDENCE).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ReleaseError(f"{folder / EVIDENCE} cannot be read: {error}", fix="Restore it from git.") from None


def _facts(pipeline: Pipeline, number: int, subject: Subject, folder: Path) -> dict[str, Any]:
    root = subject.workspace.root
    commit = git_commit(root) or ""
    if commit.endswith("-dirty"):
        diff = scrub(git_diff(root, without=("*.ipynb", "pipelines")))
        if len(diff) > _MOST_DIFF:
            diff = f"{diff[:_MOST_DIFF]}\n… and {len(diff) - _MOST_DIFF:,} characters more\n"
        refuse_leaks([(f"the uncommitted change ({DIRTY})", diff)], personal=False, what="the release")
        write_text(folder / DIRTY, diff)
    return {
        "name": pipeline.name,
        "release": number,
        "promoted_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "promoted_by": author(),
        "commit": commit.removesuffix("-dirty") or None,
        "dirty": commit.endswith("-dirty"),
        "replaces": pipeline.live,
    }


def _beside(folder: Path, case: Case, answers: Sequence[Asked], title: str, personal: bool) -> dict[str, Any]:
    """The files that stand beside what runs, and what the manifest says of them."""
    evidence = case.evidence
    if evidence is None or evidence.notebook is None:
        return {}
    lines = cassette_lines(answers)
    write_text(folder / CASSETTE, cassette_text(lines))
    told = scrub(json.dumps(evidence.to_json(), ensure_ascii=False, indent=1)) + "\n"
    write_text(folder / EVIDENCE, told)
    write_reference(folder, evidence.notebook, evidence.parameters, evidence.kept, owner=evidence.run, due=evidence.at)
    rows = [row for scored in evidence.evaluations for row in scored.scores]
    reference = read_reference(folder)
    refuse_leaks(
        [
            *((_place(answers, key), texts_of_call(entry)) for key, entry in lines.items()),
            *texts_of_notebook(reference.brought.notebook, "the executed notebook"),
            *texts_of_values(evidence.kept, "the kept value"),
            *texts_of_values(evidence.parameters, "the parameter"),
            *texts_of_values(reference.effects, "the result of gt.once"),
            ("an id of a row", "\n".join(rows)),
        ],
        personal=personal,
        what=title,
    )
    return {"evidence": _summary(case), "override": _override(case)}


def _asked(frozen: Frozen) -> Iterator[tuple[str, str]]:
    """The texts that it sends to models, as far as its code does not hold them."""
    for part, what in (("prompts", "the prompt"), ("prompt_files", "the prompt file"), ("fragments", "the fragment")):
        yield from texts_of_values(frozen.content.get(part, {}), what)


def _place(answers: Sequence[Asked], key: str) -> str:
    """Which call it is, as a person can find it."""
    call = next(answer for answer in answers if answer.key == key)
    row = f", row {call.row}" if call.row else ""
    return f"the reply of {call.alias!r} to {call.prompt or 'a request'}{row}"


def _summary(case: Case) -> dict[str, Any] | None:
    evidence = case.evidence
    if evidence is None:
        return None
    return {
        "run": evidence.run,
        "evaluations": {scored.name: scored.run for scored in evidence.evaluations},
        "verdicts": {scored.name: dict(scored.verdicts) for scored in evidence.evaluations if scored.verdicts},
        "gates": [{"gate": one.gate, "passed": one.passed, "said": one.said} for one in case.gates],
    }


def _override(case: Case) -> Mapping[str, Any] | None:
    if case.passed:
        return None
    return {
        "by": author(),
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "reason": case.reason,
        "failed": [f"{gate.gate}: {gate.said}" for gate in case.gates if not gate.passed],
    }
