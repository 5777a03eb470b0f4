"""Texts that prompts share: `{% include "safety/identity" %}` is `notebooks/fragments/safety/identity.md`.

A prompt takes them in when it is made: their texts are part of its hash and of its versions, so a saved
prompt renders without the files, and a changed fragment makes every prompt that includes it another one.
In a job they are what the release froze.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from gen_toolkit import scope
from gen_toolkit.errors import FragmentError, PromptError, ReleaseError
from gen_toolkit.prompts.source import read_source, shown
from gen_toolkit.prompts.template import MOST_CHARACTERS, Included, parts, variables
from gen_toolkit.workspace import find_workspace

_NAME = re.compile(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*")
_DEEPEST = 20


def path_of(name: str) -> Path:
    """The file of a fragment. Raises FragmentError for a name that cannot be one."""
    if not _NAME.fullmatch(name):
        raise FragmentError(
            f"{name!r} names no fragment",
            fix='Write {% include "folder/name" %}: letters, digits, "-" and "_", without an ending.',
            fragment=name,
        )
    return find_workspace().notebooks / "fragments" / f"{name}.md"


def fragments_of(sources: Iterable[str], given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Every fragment that the templates include, directly or through others: name → text.

    Taken from `given` where that is known (a saved version), else from the release inside a job, else from
    the files. Raises FragmentError for one that is missing, cannot be read, or includes itself.
    """
    read = given.get if given is not None else _reader()
    found: dict[str, str] = {}
    open_: list[str] = []

    def collect(source: str) -> None:
        for part in parts(source):
            if not isinstance(part, Included):
                continue
            name = part.fragment
            if name in open_ or len(open_) == _DEEPEST:
                said = "includes itself" if name in open_ else f"is included {_DEEPEST} deep"
                chain = " → ".join([*open_[-4:], name])
                raise FragmentError(f"fragment {name!r} {said}: {chain}", fix="Take one include out.", fragment=name)
            if name not in found:
                found[name] = _checked(name, read(name), given is not None)
                open_.append(name)
                collect(found[name])
                open_.pop()

    for source in sources:
        collect(source)
    return found


def _checked(name: str, text: str | None, saved: bool) -> str:
    if text is None:
        fix = "Save it again, from its file or cell." if saved else f"Write it: {shown(path_of(name))}"
        raise FragmentError(
            f"this version holds no fragment {name!r}" if saved else f"there is no fragment {name!r}",
            fix=fix,
            fragment=name,
        )
    try:
        variables(text)
    except PromptError as error:
        raise FragmentError(f"fragment {name!r}: {error.message}", fix=error.fix, fragment=name) from None
    return text


def _reader() -> Callable[[str], str | None]:
    return _from_file if scope.current().release is None else _from_release


def _from_file(name: str) -> str | None:
    path = path_of(name)
    return read_source(path).strip("\n") if path.is_file() else None


def _from_release(name: str) -> str:
    frozen = scope.frozen_manifest().get("fragments", {})
    if name not in frozen:
        raise ReleaseError(
            f"fragment {name!r} is not frozen in this release; frozen: {', '.join(sorted(frozen)) or 'none'}",
            fix="Write the include in a text of the notebook, not in a file that it reads, and promote again.",
        )
    return str(frozen[name])


def expanded(source: str, fragments: Mapping[str, str]) -> str:
    """The template with the texts of its fragments in it."""
    known: dict[str, str] = {}  # so that each is put together once, however often it is included

    def fragment(name: str) -> str:
        if name not in known:
            known[name] = whole(fragments[name])
        return known[name]

    def whole(source: str) -> str:
        made = [part if isinstance(part, str) else fragment(part.fragment) for part in parts(source)]
        if sum(map(len, made)) > MOST_CHARACTERS:
            raise FragmentError(
                f"with its fragments a template has more than {MOST_CHARACTERS:,} characters",
                fix="Include less, or less often.",
                fragment="",
            )
        return "".join(made)

    return whole(source)
