"""Code that waits for a person, changes the environment, or asks a front end that a job does not have."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from gen_toolkit import text
from gen_toolkit.releases.cells import Code
from gen_toolkit.releases.finding import Finding, Rule, Subject

# Line and cell magics of IPython 9 and ipykernel 7 (`%lsmagic`); a test compares them with the installed ones.
_KNOWN = """
alias alias_magic autoawait autocall automagic bookmark cat cd code_wrap colors conda config cp debug dhist
dirs doctest_mode ed edit env gui hist history killbgscripts ldir lf lk ll load load_ext loadpy logoff logon
logstart logstate logstop ls lsmagic lx macro magic mamba matplotlib micromamba mkdir mv notebook page
pastebin pdb pdef pdoc pfile pinfo pinfo2 pip popd pprint precision prun psearch psource pushd pwd pycat pylab
quickref recall rehashx reload_ext rep rerun reset reset_selective rm rmdir run save sc set_env sx system tb
time timeit unalias unload_ext uv who who_ls whos xdel xmode clear less more man connect_info qtconsole
autosave subshell ! HTML SVG bash capture file html javascript js latex markdown perl pypy python python2
python3 ruby script sh svg writefile
"""
KNOWN_MAGICS = frozenset(_KNOWN.split())
_INTERACTIVE = (
    "autosave connect_info debug doctest_mode ed edit gui less man more page pastebin pdb qtconsole recall rep"
)
_FOR_PEOPLE = frozenset(_INTERACTIVE.split())
_WINDOWS = frozenset({"gtk", "gtk3", "gtk4", "notebook", "osx", "qt", "qt5", "qt6", "tk", "wx"})  # of %matplotlib
_INSTALLS = re.compile(
    r"(?:^|[\s;&|(])(?:(?:python[\d.]*\s+-m\s+)?pip3?|uv\s+pip|conda|mamba|micromamba|apt(?:-get)?|npm|poetry|uv)"
    r"\s+(?:[-\w=]+\s+)*?(?:install|add|sync)\b"
)
_ASKS = {"input", "getpass", "breakpoint", "set_trace"}


def nobody_is_asked(subject: Subject) -> Iterator[Finding]:
    for code in subject.code:
        for node in code.walk():
            if isinstance(node, ast.Call) and (name := _called(node)) in _ASKS and not _is_own(name, subject):
                yield Finding(
                    "asks", f"{name}() waits for a person, and a job has none", "Make it a parameter.", code.number
                )


def nothing_is_installed(subject: Subject) -> Iterator[Finding]:
    for code in subject.code:
        if any(_INSTALLS.search(f" {name} {line}") for name, line in _commands(code)):
            yield Finding(
                "installs",
                "the cell installs packages, so what runs is not what was reviewed",
                "Declare them in pyproject.toml, and remove the line.",
                code.number,
            )


def magics_exist(subject: Subject) -> Iterator[Finding]:
    """An unknown line magic is only printed as an error: the job would go on without it, and say succeeded."""
    if any(name in {"load_ext", "reload_ext"} for code in subject.code for name, _ in _magics(code)):
        return  # an extension may bring any
    for code in subject.code:
        for name, line in _magics(code):
            if name not in KNOWN_MAGICS:
                yield Finding(
                    "unknown-magic",
                    f"%{text.one_line(name, 30)} is no magic of a job's kernel, which would go on without it",
                    "Remove it, or load its extension with %load_ext.",
                    code.number,
                )
            elif name in _FOR_PEOPLE or (name in {"matplotlib", "pylab"} and _WINDOWS & set(line.split())):
                yield Finding(
                    "interactive-magic",
                    f"%{name} {text.one_line(line, 20)}".rstrip() + " needs a person or a window, and a job has none",
                    "Remove it." if name in _FOR_PEOPLE else f"Write %{name} inline.",
                    code.number,
                )


def no_value_comes_from_a_widget(subject: Subject) -> Iterator[Finding]:
    """In a job a widget has the value it was made with, whatever somebody once chose."""
    widgets = {name for code in subject.code for name in _widgets(code)}
    for code in subject.code:
        for node in code.walk():
            if (
                isinstance(node, ast.Attribute)
                and node.attr in {"value", "result"}
                and isinstance(node.ctx, ast.Load)
                and isinstance(node.value, ast.Name)
                and node.value.id in widgets
            ):
                yield Finding(
                    "widget-value",
                    f"{node.value.id}.{node.attr} is read from a widget, which nobody moves in a job",
                    "Make it a parameter.",
                    code.number,
                )


def _widgets(code: Code) -> Iterator[str]:
    """Names bound to a call of something that ipywidgets has."""
    modules, classes = set(), set()
    for node in code.walk():
        if isinstance(node, ast.Import):
            modules |= {alias.asname or alias.name for alias in node.names if alias.name == "ipywidgets"}
        elif isinstance(node, ast.ImportFrom) and node.module == "ipywidgets":
            classes |= {alias.asname or alias.name for alias in node.names}
    for node in code.walk():
        if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)):
            continue
        made = node.value.func
        of_module = isinstance(made, ast.Attribute) and getattr(made.value, "id", "") in modules | {
            "widgets",
            "ipywidgets",
        }
        if of_module or getattr(made, "id", "") in classes:
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Name):
        return node.func.id
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
        owner = node.func.value.id
        return node.func.attr if owner in {"getpass", "pdb", "ipdb", "builtins"} else ""
    return ""


def _is_own(name: str, subject: Subject) -> bool:
    """A function of the notebook's own that happens to be called so."""
    return any(isinstance(node, ast.FunctionDef) and node.name == name for code in subject.code for node in code.walk())


def _magics(code: Code) -> Iterator[tuple[str, str]]:
    """(name, line) of every magic that the cell calls."""
    if code.magic and "run_cell_magic" not in code.python:
        yield code.magic, ""
    for called, arguments in _ipython_calls(code):
        if called in {"run_line_magic", "run_cell_magic"} and arguments:
            yield arguments[0].lstrip("%"), arguments[1] if len(arguments) > 1 else ""


def _commands(code: Code) -> Iterator[tuple[str, str]]:
    """(program, rest) of what goes to a shell or to a magic that installs."""
    for called, arguments in _ipython_calls(code):
        if called in {"system", "getoutput"} and arguments:
            yield "", arguments[0]
        elif called == "run_line_magic" and len(arguments) > 1:
            yield arguments[0], arguments[1]
    yield from (("", re.sub(r"(^|\s)#.*", "", line)) for line in code.shell.splitlines())


def _ipython_calls(code: Code) -> Iterator[tuple[str, list[str]]]:
    for node in code.walk():
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Call)
            and getattr(node.func.value.func, "id", "") == "get_ipython"
        ):
            yield (
                node.func.attr,
                [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)],
            )


UNATTENDED: tuple[Rule, ...] = (nobody_is_asked, nothing_is_installed, magics_exist, no_value_comes_from_a_widget)
