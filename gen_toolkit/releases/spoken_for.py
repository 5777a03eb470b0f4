"""The runs that releases rest on: what was promoted on their word can be looked up as long as it lies there."""

from __future__ import annotations

import json

from gen_toolkit.workspace import Workspace


def runs_named(workspace: Workspace) -> set[str]:
    """Ids of runs and evaluations that the manifests of all releases name as their evidence."""
    found: set[str] = set()
    for path in workspace.pipelines.glob("*/releases/*/manifest.json"):
        try:
            evidence = json.loads(path.read_text(encoding="utf-8")).get("evidence") or {}
        except (OSError, ValueError, AttributeError):
            continue  # `gen release verify` says what is wrong with it
        if isinstance(evidence, dict):
            made = evidence.get("evaluations")
            found |= {str(run) for run in (evidence.get("run"), *(made.values() if isinstance(made, dict) else ()))}
    return found - {"None"}
