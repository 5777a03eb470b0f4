"""A secret is a reference; its value is read at first use and masked wherever text is written."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from gen_toolkit import text
from gen_toolkit.errors import InputError, MissingSecret

_LARGEST_FILE = 100_000  # bytes

KEY_SIGNS = ("sk-", "AKIA", "gh", "xox", "AIza", "hf_", "glpat-", "eyJ", "-----BEGIN ")
"""One of them is in every text that KEYS matches."""

# Keys and tokens that say by their form what they are.
KEYS = re.compile(
    r"""(?x)
    (?<![A-Za-z0-9_-]) (?:
    sk-[A-Za-z0-9_-]{16,} | AKIA[0-9A-Z]{16} | gh[pousr]_[A-Za-z0-9]{30,} | xox[abprs]-[A-Za-z0-9-]{10,}
    | AIza[0-9A-Za-z_-]{30,} | hf_[A-Za-z0-9]{30,} | glpat-[A-Za-z0-9_-]{20,}
    | eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*
    ) | -----BEGIN\ [A-Z ]{0,30}PRIVATE\ KEY----- (?: [^-]* -----END\ [A-Z ]{0,30}PRIVATE\ KEY----- )?
    """
)


def _content(path: Path) -> str:
    facts = path.stat()
    if not stat.S_ISREG(facts.st_mode) or facts.st_size > _LARGEST_FILE:
        raise ValueError("it is no file that could hold one")  # a device would be read for ever
    return path.read_text(encoding="utf-8").strip()


class Secret:
    """A reference to a secret: `Secret("env:NAME")` or `Secret("file:/path")`, never the value itself."""

    def __init__(self, reference: str) -> None:
        kind, _, name = str(reference).partition(":")
        if kind not in {"env", "file"} or not name:
            raise InputError(
                "a secret must be a reference, and this is not one",
                fix='Write Secret("env:NAME") or Secret("file:/path"); the value itself never stands in code.',
            )
        self.reference = str(reference)

    @property
    def variable(self) -> str | None:
        """The environment variable it is read from, if it is one."""
        kind, _, name = self.reference.partition(":")
        return name if kind == "env" else None

    @property
    def value(self) -> str:
        """The secret itself. From here on it is masked in everything the toolkit writes."""
        kind, _, name = self.reference.partition(":")
        if kind == "env":
            found = os.environ.get(name, "").strip()
            if not found:
                raise MissingSecret(
                    f"the environment variable {name} is not set",
                    fix=f"Set it: export {name}=…",
                    reference=self.reference,
                )
        else:
            try:
                found = _content(Path(name).expanduser())
                problem = "" if found else "it is empty"
            except OSError as error:
                problem = str(error.strerror)
            except ValueError as error:
                problem = "it is no text" if isinstance(error, UnicodeDecodeError) else str(error)
            if problem:
                raise MissingSecret(
                    f"the secret file {name} cannot be read ({problem})",
                    fix="Create it, readable for you only.",
                    reference=self.reference,
                )
        text.remember_secret(found)
        return found

    def __repr__(self) -> str:
        return f"Secret({self.reference!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reference == self.reference

    def __hash__(self) -> int:
        return hash(self.reference)
