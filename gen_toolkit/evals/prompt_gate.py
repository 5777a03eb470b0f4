"""The gate before `live`: a version goes there on the word of an evaluation, or of a person who says why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gen_toolkit.errors import GateRefused
from gen_toolkit.prompts.registry import LIVE, find_version
from gen_toolkit.tracking import registry
from gen_toolkit.tracking.aliases import Move, check_alias, move
from gen_toolkit.tracking.evaluations import Evaluation, evaluations_of

FEWEST_ROWS = 30
# as evals.verdict writes them: "accuracy: better than label@2 (+0.100; 9 rows won, 0 lost of 40; …"
_VERDICT = re.compile(
    r"(?P<finding>better than|worse than|no difference shown to|too few rows to compare with) "
    r"(?P<baseline>.*?) \([+-]\d.*? lost of (?P<rows>\d+)(?P<fails>[^)]*; more rows fail: )?",
    re.DOTALL,
)
_PASSES = {"better than", "no difference shown to"}


@dataclass(frozen=True)
class Gate:
    """Whether a version may go live, and what that rests on."""

    passed: bool
    said: str
    evaluation: Evaluation | None = None


def promote(
    name: str, which: str, alias: str, *, reason: str = "", rows: int = FEWEST_ROWS
) -> tuple[int, Move | None, Gate | None]:
    """Let an alias point to a version; returns the version, the move (None: it was there already) and the gate.

    To `live` only through the gate, or with a reason, which is recorded. Raises GateRefused, PromptNotFound.
    """
    check_alias(alias)
    version = find_version(name, which)
    if alias != LIVE:
        return version.version, move(name, alias, version.version, "promote", why=reason), None
    entry = registry.entry(name)
    before = entry.aliases.get(LIVE) if entry else None
    if before == version.version:
        return version.version, None, None
    gate = look(version, registry.load(name, str(before)) if before else None, rows)
    if not gate.passed and not reason.strip():
        raise GateRefused(
            f"{name}@{version.version} does not go live: {gate.said}",
            fix=_advice(name, version.version, before),
            prompt=name,
            version=version.version,
            alias=alias,
        )
    said = gate.said if gate.passed else f"overridden: {gate.said}"
    return version.version, move(name, alias, version.version, "promote", why=reason, gate=said), gate


def look(version: registry.Version, live: registry.Version | None, rows: int = FEWEST_ROWS) -> Gate:
    """What the evaluations of a version say. It passes when the newest that can be judged by is not worse.

    One can be judged by when it ended well and scored at least `rows` rows; and, where a version is live
    already, when it was compared with that one. A grid is one evaluation: none of its cells may be worse.
    """
    found = evaluations_of(_names(version))
    if not found:
        return Gate(False, "no evaluation of it is known")
    most = max(map(_scored, found))
    if most < rows:
        return Gate(False, f"its evaluations scored {most} rows at most, and {rows} are asked for")
    for cells in _by_grid(found):
        judged = [(cell, said) for cell in cells if (said := _against(cell, live)) or live is None]
        if any(_scored(cell) >= rows for cell, _ in judged):
            return _judged(judged, rows)
    assert live is not None, "where nothing is live, rows are all that is asked for"
    return Gate(False, f"none of its evaluations is compared with {live.name}@{live.version}, which is live")


def _by_grid(found: Iterable[Evaluation]) -> Iterable[list[Evaluation]]:
    """The cells of a grid together, and any other evaluation alone."""
    groups: dict[str, list[Evaluation]] = {}
    for evaluation in found:
        groups.setdefault(evaluation.grid or evaluation.run, []).append(evaluation)
    return groups.values()


def _judged(cells: Sequence[tuple[Evaluation, Mapping[str, str]]], rows: int) -> Gate:
    told = []
    for cell, verdicts in cells:
        where = f"run {cell.run[:13]}, {_scored(cell)} rows"
        for scorer, said in verdicts.items():
            found = _read(scorer, said)
            if found is None or found["finding"] not in _PASSES or int(found["rows"]) // cell.repeats < rows:
                return Gate(False, f"{said} ({where}; {rows} are asked for)", cell)
            if found["fails"]:
                return Gate(False, f"more of its rows fail: {said} ({where})", cell)
        told.append(f"{'; '.join(verdicts.values()) or 'nothing was live to compare with'} ({where})")
    return Gate(True, "; ".join(told), cells[0][0])


def _against(evaluation: Evaluation, live: registry.Version | None) -> dict[str, str]:
    """The verdicts that compare with the live version, whatever follows its name in the title of a result; else all."""
    if live is None:
        return evaluation.verdicts
    found = {}
    for scorer, said in evaluation.verdicts.items():
        verdict = _read(scorer, said)
        if verdict and any(re.match(re.escape(name) + r"(?![\w.@#-])", verdict["baseline"]) for name in _names(live)):
            found[scorer] = said
    return found


def _read(scorer: str, said: str) -> re.Match[str] | None:
    """The parts of a verdict; None where it is none that we know."""
    return _VERDICT.match(said.removeprefix(f"{scorer}: "))


def _names(version: registry.Version) -> list[str]:
    """How evaluations name this text: as a version, and, evaluated before it was saved, by its hash."""
    by_hash = [f"{version.name}#{version.hash[:8]}"] if version.hash else []
    return [f"{version.name}@{version.version}", *by_hash]


def _scored(evaluation: Evaluation) -> int:
    """Rows with a score; an unknown number of them counts as none, and the repeats of a row as one."""
    return ((evaluation.rows or 0) - (evaluation.failed or 0)) // evaluation.repeats


def _advice(name: str, version: int, live: int | None) -> str:
    baseline = f', baseline="{name}@{LIVE}"' if live else ""
    return (
        f'Evaluate it: gt.evaluate(gt.load_prompt("{name}@{version}"), rows, scorer=…{baseline}); '
        f'or say why not: gen prompts promote {name} {version} {LIVE} --reason "…"'
    )
