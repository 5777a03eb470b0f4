"""What a process is born into and cannot take over from another: where it differs, only a cold start is right."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gen_toolkit

# Read once, when a program or a library starts. LANG and LC_ALL decide encodings.
_READ_AT_START = ("PYTHON", "LD_", "OMP_", "MKL_", "OPENBLAS_", "NUMEXPR_", "MALLOC_", "GLIBC_", "LC_", "ARROW_",
                  "TQDM_")  # fmt: skip
_ALSO = {"LANG", "LANGUAGE", "OPENAI_LOG"}
# The same of modules that a workspace may name in `warm`: only where they are loaded.
_READ_AT_IMPORT = {
    "CUDA_": "torch", "TORCH": "torch", "TF_": "tensorflow", "KERAS_": "keras", "JAX_": "jax", "XLA_": "jax",
    "HF_": "huggingface_hub", "TRANSFORMERS_": "transformers", "TOKENIZERS_": "tokenizers", "NUMBA_": "numba",
    "MPL": "matplotlib", "RAY_": "ray", "DASK_": "dask", "LITELLM_": "litellm", "LANGCHAIN_": "langchain_core",
}  # fmt: skip
# These can be made up for afterwards (see `become`), or change nothing.
_LATER = {"PYTHONUNBUFFERED", "PYTHONIOENCODING", "PYTHONDONTWRITEBYTECODE", "PYTHONSTARTUP", "PYTHONINSPECT"}
_FLAGS = ("optimize", "dev_mode", "utf8_mode", "isolated", "ignore_environment", "no_site", "no_user_site",
          "bytes_warning", "safe_path", "warn_default_encoding", "int_max_str_digits")  # fmt: skip
_NAMESPACES = ("mnt", "pid", "net", "user", "ipc", "uts")


def circumstances() -> dict[str, Any]:
    """Of this process, as plain JSON; its environment is not among them."""
    return {
        "python": [sys.version, sys.prefix, os.path.realpath(sys.executable)],
        "toolkit": [gen_toolkit.__version__, str(Path(gen_toolkit.__file__).parent)],
        "flags": [int(getattr(sys.flags, name)) for name in _FLAGS] + sys.warnoptions + sorted(sys._xoptions),
        "namespaces": [os.stat(f"/proc/self/ns/{name}").st_ino for name in _NAMESPACES],
        "groups": sorted(os.getgroups()),
        "limits": limits(),
    }


def limits() -> dict[str, list[int]]:
    """Of this process, soft and hard, by the names in `resource`."""
    import resource

    names = [name for name in dir(resource) if name.startswith("RLIMIT_")]
    return {name: list(resource.getrlimit(getattr(resource, name))) for name in names}


def umask() -> int:
    """Of this process: it is told only to who sets another."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


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
    for name, (_, hard) in theirs["limits"].items():
        if _beyond(hard, mine["limits"].get(name, (hard, hard))[1]):
            return f"its limit {name} is lower"
    return None


def read_at_start(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that would have had to be set before this program, and the modules in it, were loaded."""
    prefixes = (*_READ_AT_START, *(prefix for prefix, module in _READ_AT_IMPORT.items() if module in sys.modules))
    found = {
        name: value
        for name, value in environment.items()
        if (name.startswith(prefixes) or name in _ALSO) and name not in _LATER
    }
    if "PYTHONPATH" in found:
        found["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, found["PYTHONPATH"].split(os.pathsep)))
    return found


def differing(mine: Mapping[str, str], theirs: Mapping[str, str]) -> list[str]:
    """The names of variables, found by `read_at_start`, that are not the same. Without a seed of hashes any will do."""
    free = {"PYTHONHASHSEED"} - theirs.keys()
    return [name for name in sorted({*mine, *theirs} - free) if mine.get(name) != theirs.get(name)]


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
