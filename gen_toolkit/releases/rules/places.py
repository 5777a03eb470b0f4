"""Paths that exist on one machine only."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator

from gen_toolkit import text
from gen_toolkit.releases.cells import Code
from gen_toolkit.releases.finding import Finding, Rule, Subject

_HOME = re.compile(r"~[\w.-]*[/\\]|/(?:home|Users)/[^/\s]+|/root(?:/|$)|[A-Za-z]:\\Users\\")
_ELSEWHERE = re.compile(
    r"/(?:content|data|etc|kaggle|media|mnt|opt|private|scratch|srv|tmp|usr|var|Volumes|workspace)/[^\s]*"
    r"|[A-Za-z]:[\\/][\w. -]|\\\\[\w.-]+\\|file:///"
)
_OPENS = {
    "open",
    "Path",
    "read_csv",
    "read_json",
    "read_parquet",
    "read_excel",
    "read_text",
    "chdir",
    "dataset",
    "load",
}
_FIX = "Make it a parameter, or a path from the workspace's root, where jobs run."


def no_paths_of_one_machine(subject: Subject) -> Iterator[Finding]:
    """Home folders everywhere; other absolute paths only in the code, since a parameter can be given another."""
    for code in subject.code:
        is_parameters = "parameters" in code.tags
        for value, is_opened in _texts(code):
            if _HOME.match(value) or (
                not is_parameters and (_ELSEWHERE.match(value) or (is_opened and value[:1] == "/"))
            ):
                yield Finding(
                    "absolute-path", f"{text.one_line(value, 60)!r} is a path of one machine", _FIX, code.number
                )
            elif is_opened and not is_parameters and _climbs_out(value):
                message = f"{text.one_line(value, 60)!r} leads out of the workspace, in whose root jobs run"
                yield Finding("outside-path", message, _FIX, code.number)
        for node in code.walk():
            if _asks_for_home(node):
                yield Finding(
                    "absolute-path", f"{ast.unparse(node)[:40]} is another folder in a job", _FIX, code.number
                )


def _climbs_out(value: str) -> bool:
    """Where it leads from the root, whatever is there."""
    return posixpath.normpath(value.replace("\\", "/")).split("/")[0] == ".."


def _texts(code: Code) -> Iterator[tuple[str, bool]]:
    """Texts of the code that are no docstrings, and whether each is what a call opens."""
    opened = {
        id(node.args[0])
        for node in code.walk()
        if isinstance(node, ast.Call) and node.args and _name(node.func) in _OPENS
    }
    prose = {id(node.value) for node in code.walk() if isinstance(node, ast.Expr)}
    for node in code.walk():
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value, id(node) in opened


def _asks_for_home(node: ast.AST) -> bool:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    return node.func.attr == "expanduser" or (_name(node.func.value), node.func.attr) == ("Path", "home")


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


PLACES: tuple[Rule, ...] = (no_paths_of_one_machine,)
