"""Modules that a job could not import, or that a release would not hold."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from gen_toolkit.releases.finding import Finding, Rule, Subject

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def local_imports_are_included(subject: Subject) -> Iterator[Finding]:
    for module in sorted(subject.references.imports - _included(subject)):
        if module != "gen_toolkit" and _is_local(module, subject):
            yield Finding(
                "local-import",
                f"{module!r} is imported from the workspace and would not be frozen",
                f'Name it in include of pipeline.toml: include = ["{module}.py"], or install it as a package.',
            )


def imports_are_installed(subject: Subject) -> Iterator[Finding]:
    for module in _foreign(subject):
        if not _is_installed(module) and module not in subject.references.optional_imports:
            yield Finding(
                "missing-import",
                f"{module!r} is not installed here, so a job could not import it",
                f"Install the package that has it, and declare it: pip install {module}",
            )


def imports_are_declared(subject: Subject) -> Iterator[Finding]:
    """Only where the workspace declares anything: a folder without [project] is no package."""
    declared = _declared(subject.workspace.root / "pyproject.toml")
    if declared is None:
        return
    providers = importlib.metadata.packages_distributions()
    for module in _foreign(subject):
        distributions = {_normal(name) for name in providers.get(module, ())}
        if distributions and module != "gen_toolkit" and not distributions & declared:
            yield Finding(
                "undeclared-import",
                f"{module!r} comes from {' or '.join(sorted(distributions))}, which pyproject.toml does not declare",
                "Add it to dependencies.",
                level="warning",
            )


def _foreign(subject: Subject) -> list[str]:
    known = _included(subject) | set(sys.stdlib_module_names)
    return sorted(name for name in subject.references.imports - known if not _is_local(name, subject))


def _included(subject: Subject) -> set[str]:
    return {Path(name).parts[0].removesuffix(".py") for name in subject.include if Path(name).parts}


def _is_local(module: str, subject: Subject) -> bool:
    folders = {subject.workspace.root, subject.path.resolve().parent}
    return any((f / f"{module}.py").is_file() or (f / module / "__init__.py").is_file() for f in folders)


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # a name without a spec, as __main__ is
        return module in sys.modules


def _declared(path: Path) -> set[str] | None:
    try:
        project = tomllib.loads(path.read_text(encoding="utf-8")).get("project")
    except (OSError, ValueError):
        return None
    if not isinstance(project, dict):
        return None
    lines = [
        *project.get("dependencies", []),
        *(x for extra in project.get("optional-dependencies", {}).values() for x in extra),
    ]
    return {_normal(found[0]) for line in lines if isinstance(line, str) and (found := _NAME.match(line.strip()))}


def _normal(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


IMPORTS: tuple[Rule, ...] = (local_imports_are_included, imports_are_installed, imports_are_declared)
