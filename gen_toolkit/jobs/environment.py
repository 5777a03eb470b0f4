"""What a kernel's environment holds: an allow-list, never the whole environment of whoever started it."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable

from gen_toolkit.errors import MissingSecret
from gen_toolkit.secret import Secret

_ALLOWED = {
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TERM",
    "VIRTUAL_ENV", "LD_LIBRARY_PATH", "OMP_NUM_THREADS", "OMP_WAIT_POLICY",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
    "XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME",
}  # fmt: skip
_ALLOWED_PREFIXES = ("LC_", "GEN_TOOLKIT_", "IPYTHON", "JUPYTER_PATH", "JUPYTER_DATA", "PYTHON")
_NEVER = {"PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONDONTWRITEBYTECODE"}


def kernel_environment(secrets: Iterable[str], more: dict[str, str]) -> dict[str, str]:
    """The environment for a run: what every program needs, the named secrets, and `more` over it."""
    named = set(secrets)
    environment = {
        name: value
        for name, value in os.environ.items()
        if (name.upper() in _ALLOWED or name.startswith(_ALLOWED_PREFIXES) or name in named) and name not in _NEVER
    }
    return {**environment, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", **more, **_same_python()}


def remember_secrets(references: Iterable[str]) -> None:
    """Have the values of these secrets masked in what this process writes; one that is not there needs no mask."""
    for reference in references:
        with contextlib.suppress(MissingSecret):
            _ = Secret(reference).value


def _same_python() -> dict[str, str]:
    """`!python` and `!pip` of a cell are those of this environment."""
    folder = os.path.dirname(sys.executable)
    return {"PATH": folder + os.pathsep + os.environ.get("PATH", os.defpath)}
