"""Findings as SARIF 2.1.0, which code hosts show beside the lines of a change.

The form: OASIS, Static Analysis Results Interchange Format 2.1.0, section 3. A notebook has no lines that a
person would know, so a finding names the cell in its message and its logical location.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gen_toolkit.releases.finding import Finding

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(found: Mapping[Path, Sequence[Finding]], root: Path) -> dict[str, Any]:
    """One log with one run: the findings of several notebooks, their paths relative to `root`."""
    rules = sorted({finding.rule for findings in found.values() for finding in findings})
    results = [_result(finding, path, root) for path, findings in found.items() for finding in findings]
    driver = {"name": "gen check", "rules": [{"id": rule} for rule in rules]}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _uri(name: str) -> str:
    """RFC 3986: what may not stand in an address is written in percents, also bytes that are no text."""
    return quote(os.fsencode(name))


def _result(finding: Finding, path: Path, root: Path) -> dict[str, Any]:
    absolute = Path(os.path.realpath(path))  # unlike resolve(), it takes links that lead in a circle
    name = absolute.relative_to(root).as_posix() if absolute.is_relative_to(root) else path.name
    place: dict[str, Any] = {"physicalLocation": {"artifactLocation": {"uri": _uri(name)}, "region": {"startLine": 1}}}
    if finding.cell:
        place["logicalLocations"] = [{"name": f"cell {finding.cell}", "kind": "element"}]
    message = f"{f'cell {finding.cell}: ' if finding.cell else ''}{finding.message}. {finding.fix}"
    return {"ruleId": finding.rule, "level": finding.level, "message": {"text": message}, "locations": [place]}
