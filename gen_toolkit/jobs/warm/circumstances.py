"""What a process is born into and cannot take over from another: where it differs, only a cold start is right."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gen_toolkit

# Read once, when a program or a library starts. LANG and LC_ALL decide encodings.
_READ_AT_START = ("PYTHON", "LD_", "OMP_", "MKL_", "OPENBLAS_", "NUMEXPR_", "MALLOC_", "GLIBC_", "LC_", "ARROW_", "MPL")
_ALSO = {"LANG", "LANGUAGE"}
# These can be made up for afterwards (see `become`), or change nothing.
_LATER = {"PYTHONUNBUFFERED", "PYTHONIOENCODING", "PYTHONDONTWRITEBYTECODE", "PYTHONSTARTUP", "PYTHONINSPECT"}
_FLAGS = ("optimize", "dev_mode", "utf8_mode", "isolated", "ignore_environment", "no_site", "no_user_site",
          "bytes_warning", "safe_path", "warn_default_encoding", "int_max_str_digits")  # fmt: skip
_NAMESPACES = ("mnt", "pid", "net", "user", "ipc", "uts")


def circumstances(environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Of this process (or one that it would start with `environment`), as plain JSON."""
    import resource

    limits = {name: getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")}
    return {
        "python": [sys.version, sys.prefix, os.path.realpath(sys.executable)],
        "toolkit": [gen_toolkit.__version__, str(Path(gen_toolkit.__file__).parent)],
        "flags": [int(getattr(sys.flags, name)) for name in _FLAGS] + sys.warnoptions + sorted(sys._xoptions),
        "namespaces": [os.stat(f"/proc/self/ns/{name}").st_ino for name in _NAMESPACES],
        "groups": sorted(os.getgroups()),
        "environment": read_at_start(os.environ if environment is None else environment),
        "limits": {name: list(resource.getrlimit(which)) for name, which in limits.items()},
    }


def read_at_start(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that would have had to be set before this program started."""
    found = {
        name: value
        for name, value in environment.items()
        if (name.startswith(_READ_AT_START) or name in _ALSO) and name not in _LATER
    }
    if "PYTHONPATH" in found:
        found["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, found["PYTHONPATH"].split(os.pathsep)))
    return found


def difference(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> str | None:
    """In what a process of `mine` cannot stand in for one of `theirs`; None where it can. Limits may only get lower."""
    for what, said in (
        ("python", "another Python"),
        ("toolkit", "another gen_toolkit"),
        ("flags", "Python's flags differ"),
        ("namespaces", "it runs in another container"),
        ("groups", "its user's groups differ"),
    ):
        if mine[what] != theirs[what]:
            return said
    here, there = mine["environment"], theirs["environment"]
    for name in sorted(here.keys() | there.keys()):
        if here.get(name) != there.get(name):
            return f"the environment variable {name} differs"
    for name, (_, hard) in theirs["limits"].items():
        if _beyond(hard, mine["limits"].get(name, (hard, hard))[1]):
            return f"its limit {name} is lower"
    return None


def _beyond(wanted: int, allowed: int) -> bool:
    unlimited = -1
    return allowed != unlimited and (wanted == unlimited or wanted > allowed)


def shadowed(folders: list[str]) -> str | None:
    """A module that is loaded already, though a file in `folders` would come first; None where there is none."""
    for folder in folders:
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        for name in names:
            module = sys.modules.get(name.removesuffix(".py"))
            file = getattr(module, "__file__", None)
            if file is None or name in sys.builtin_module_names:
                continue
            own = os.path.join(folder, name if name.endswith(".py") else f"{name}/__init__.py")
            if os.path.isfile(own) and os.path.realpath(own) != os.path.realpath(file):
                return f"{own} would come before {file}"
    return None
