"""Modules that a job could not import, or that a release would not hold."""

from __future__ import annotations

import ast
import contextlib
import importlib.metadata
import importlib.util
import re
import sys
import tomllib
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path, PurePosixPath

from gen_toolkit.releases.finding import Finding, Rule, Subject
from gen_toolkit.releases.imported import imports_of, runs_of

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def local_imports_are_included(subject: Subject) -> Iterator[Finding]:
    """Those of the notebook, and those of the files that it includes."""
    told = set()
    for module, importer in _imports(subject):
        found = next(filter(None, (_not_frozen(name, subject) for name in _with_packages(module))), None)
        if found and found not in told:
            told.add(found)
            name, file = found
            yield Finding(
                "local-import",
                f"{name!r} is imported {importer}from the workspace and would not be frozen",
                f'Name it in include of pipeline.toml: include = ["{file}"], or install it as a package.',
            )


def nothing_local_is_run(subject: Subject) -> Iterator[Finding]:
    """`%run` takes a file from the current folder, whatever a release includes."""
    for code in subject.code:
        for file in runs_of(code.walk()):
            if not file.startswith("/") and (_is_there(file, subject) or _is_there(f"{file}.py", subject)):
                yield Finding(
                    "local-import",
                    f"{file!r} is run from the workspace and would not be frozen",
                    "Import it instead, and name it in include of pipeline.toml.",
                    code.number,
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


def _imports(subject: Subject) -> Iterator[tuple[str, str]]:
    """(dotted name, which file imports it), of the notebook's own with "" for the file."""
    for code in subject.code:
        yield from ((module, "") for module, _ in imports_of(code.walk()))
    for name, content in sorted(subject.files.items()):
        if name.endswith(".py"):
            package = ".".join(PurePosixPath(name).parent.parts)
            with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):  # it fails when executed
                nodes = ast.walk(ast.parse(content))
                yield from ((module, f"by {name}, line {line}, ") for module, line in imports_of(nodes, package))


def _with_packages(module: str) -> Iterator[str]:
    """`a`, `a.b`, `a.b.c`: each is executed."""
    return accumulate(module.split("."), "{}.{}".format)


def _not_frozen(module: str, subject: Subject) -> tuple[str, str] | None:
    """The module and what to include, where it is one of the workspace that is not among the included files."""
    inner = module.replace(".", "/")
    if module == "gen_toolkit" or {f"{inner}.py", f"{inner}/__init__.py"} & subject.files.keys():
        return None
    if _is_there(f"{inner}/__init__.py", subject):
        return module, inner
    return (module, f"{inner}.py") if _is_there(f"{inner}.py", subject) else None


def _is_local(module: str, subject: Subject) -> bool:
    return _is_there(f"{module}.py", subject) or _is_there(f"{module}/__init__.py", subject)


def _is_there(file: str, subject: Subject) -> bool:
    """In the workspace or beside the notebook."""
    with contextlib.suppress(OSError):  # a name that is too long is none of a file
        return any((f / file).is_file() for f in (subject.workspace.root, subject.path.resolve().parent))
    return False


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


IMPORTS: tuple[Rule, ...] = (
    local_imports_are_included,
    nothing_local_is_run,
    imports_are_installed,
    imports_are_declared,
)
