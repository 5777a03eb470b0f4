"""What differs between two releases, or between a release and the working notebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

from gen_toolkit.prompts.diff import Change, diff, words
from gen_toolkit.releases.difference_shown import bundle, plain
from gen_toolkit.releases.side import Side
from gen_toolkit.text import one_line

_EMPTY: dict[str, Any] = {"messages": []}  # a prompt that is not there: of one that is new all is to be read
_ALIKE = 0.4  # share of characters in common from which two cells are one cell that was changed


@dataclass(frozen=True)
class Fact:
    """A value that differs: None where there is none."""

    name: str
    old: Any
    new: Any

    def __str__(self) -> str:
        if self.old is None:
            return f"{self.name} added: {self.new}"
        return f"{self.name} removed: {self.old}" if self.new is None else f"{self.name}: {self.old} → {self.new}"


@dataclass(frozen=True, repr=False)
class Difference:
    """By part, each empty where nothing differs."""

    old: str
    new: str
    cells: tuple[Change, ...]
    prompts: tuple[Fact, ...]
    """Versions by reference."""
    texts: tuple[Change, ...]
    """Of prompts and fragments, word by word."""
    parameters: tuple[Fact, ...]
    models: tuple[Fact, ...]
    include: tuple[Fact, ...]
    environment: tuple[Fact, ...]
    files: tuple[Change, ...] = ()
    """The texts of included files."""

    @property
    def is_empty(self) -> bool:
        """Whether both are one release: the environment stands beside the digest and does not count."""
        return not (self.cells or self.prompts or self.texts or self.parameters or self.models or self.include)

    def summary(self) -> str:
        """On one line: "3 cells, prompt label@live 4 → 6, parameter limit, 2 packages"."""
        said = [_many(len(self.cells), "cell")] if self.cells else []
        said += [f"prompt {fact}" for fact in self.prompts]
        # Of a prompt that comes or goes, its text goes without saying.
        whole = {fact.name for fact in self.prompts if None in (fact.old, fact.new)}
        texts = dict.fromkeys(change.part.partition(":")[0] for change in self.texts)
        said += [f"text of {name}" for name in texts if name not in whole]
        for kind, facts in (("parameter", self.parameters), ("model", self.models), ("file", self.include)):
            said += [f"{kind} {name}" for name in dict.fromkeys(fact.name for fact in facts)]
        said += [_many(len(self.environment), "package")] if self.environment else []
        return ", ".join(said) or "no difference"

    def __repr__(self) -> str:
        return one_line(f"{self.new} against {self.old}: {self.summary()}", 400)

    def __str__(self) -> str:
        return plain(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return bundle(self)

    def to_json(self) -> dict[str, Any]:
        changes = {key: [change.to_json() for change in getattr(self, key)] for key in ("cells", "texts", "files")}
        kinds = ("prompts", "parameters", "models", "include", "environment")
        facts = {key: [vars(fact) for fact in getattr(self, key)] for key in kinds}
        return {"old": self.old, "new": self.new, "same": self.is_empty, **changes, **facts}


def difference(old: Side, new: Side) -> Difference:
    before, after = old.content, new.content
    return Difference(
        old.title,
        new.title,
        cells=tuple(_cells(before["code"], after["code"])),
        prompts=tuple(_facts(_versions(before), _versions(after))),
        texts=tuple(_texts(before, after)),
        parameters=tuple(_facts(_parameters(before), _parameters(after))),
        models=tuple(_facts(_flat(before["models"]), _flat(after["models"]))),
        include=tuple(_facts(_part(before, "include"), _part(after, "include"), cut=12)),
        environment=tuple(_facts(_packages(old.environment), _packages(new.environment))),
        files=tuple(_files(old, new)),
    )


def _cells(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> Iterator[Change]:
    """Cells that were added, removed or changed, numbered among the code cells of the side they are on."""
    before, after = ([_told(cell) for cell in cells] for cells in (old, new))
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        for left, right in _paired(list(enumerate(before[a:b], a + 1)), list(enumerate(after[c:d], c + 1))):
            if left and right:
                yield Change(f"cell {right[0]}", tuple(words(left[1], right[1])))
            elif right:
                yield Change(f"cell {right[0]} added", (("+", right[1]),))
            elif left:
                yield Change(f"cell {left[0]} removed", (("-", left[1]),))


_Numbered = tuple[int, str]


def _paired(old: list[_Numbered], new: list[_Numbered]) -> Iterator[tuple[_Numbered | None, _Numbered | None]]:
    """In order; a pair is only what is alike, else a removal and an addition say it better."""
    for left, right in zip_longest(old, new):
        if left and right and SequenceMatcher(None, left[1], right[1]).ratio() < _ALIKE:
            yield left, None
            yield None, right
        else:
            yield left, right


def _told(cell: Mapping[str, Any]) -> str:
    tags = f"# tags: {', '.join(cell['tags'])}\n" if cell["tags"] else ""
    return f"{tags}{cell['source']}"


def _versions(content: Mapping[str, Any]) -> dict[str, Any]:
    prompts = content["prompts"].items()
    return {name: "absent" if frozen.get("absent") else frozen["version"] for name, frozen in prompts}


def _texts(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    before, after = _contents(old), _contents(new)
    for name in sorted(before.keys() | after.keys()):
        changes = diff(before.get(name, _EMPTY), after.get(name, _EMPTY))
        yield from (Change(f"{name}: {change.part}", change.pieces) for change in changes)
    left, right = _part(old, "fragments"), _part(new, "fragments")
    yield from (Change(f"fragment {change.part}", change.pieces) for change in _by_name(left, right))


def _files(old: Side, new: Side) -> Iterator[Change]:
    """Of the files that differ those whose texts are known on each side that has them."""
    unknown = {name for side in (old, new) for name in _part(side.content, "include") if name not in side.files}
    for change in _by_name(old.files, new.files):
        if change.part not in unknown:
            yield change


def _by_name(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield Change(name, tuple(words(old.get(name, ""), new.get(name, ""))))


def _contents(content: Mapping[str, Any]) -> dict[str, Any]:
    """The contents of prompts, loaded by reference or read from files."""
    frozen = {**content["prompts"], **_part(content, "prompt_files")}
    return {name: prompt["content"] for name, prompt in frozen.items() if "content" in prompt}


def _parameters(content: Mapping[str, Any]) -> dict[str, Any]:
    properties = content["parameters"].get("properties", {})
    hidden = {"description", "title"}
    return {
        name: {key: value for key, value in shape.items() if key not in hidden} for name, shape in properties.items()
    }


def _part(content: Mapping[str, Any], key: str) -> dict[str, Any]:
    return dict(content.get(key) or {})


def _flat(models: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """`alias provider`, `alias model`, …: what an alias means, fact by fact."""
    return {f"{alias} {fact}": value for alias, facts in models.items() for fact, value in facts.items()}


def _packages(environment: Mapping[str, Any]) -> dict[str, Any]:
    return {"python": environment.get("python"), **environment.get("packages", {})}


def _facts(old: Mapping[str, Any], new: Mapping[str, Any], cut: int | None = None) -> Iterator[Fact]:
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if before != after:
            yield Fact(name, _shown(before, cut), _shown(after, cut))


def _shown(value: Any, cut: int | None) -> Any:
    return value[:cut] if cut and isinstance(value, str) else value


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number > 1)}"
