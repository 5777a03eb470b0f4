"""gen prompts check: a prompt renders, says what its variables are, and keeps untrusted values where they belong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gen_toolkit.errors import PromptError, PromptNotFound, nearest
from gen_toolkit.evals.injection import CASES, Obeyed, inject, obeyed, samples, targets
from gen_toolkit.models.gateway import Model
from gen_toolkit.prompts.collect import collect
from gen_toolkit.prompts.prompt import Prompt
from gen_toolkit.prompts.registry import load_prompt


@dataclass(frozen=True)
class Problem:
    """What is wrong with a prompt: rule and sentence."""

    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.message} [{self.rule}]"


@dataclass(frozen=True)
class Checked:
    """A prompt after the check."""

    name: str
    where: str
    """Its file, or its reference."""
    problems: tuple[Problem, ...]
    tried: tuple[str, ...]
    """The untrusted variables that take a text."""
    cases: int
    """Hostile values that were rendered into each of them."""
    obeyed: Obeyed | None = None
    """Of a check with a model."""

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "where": self.where,
            "problems": [vars(problem) for problem in self.problems],
            "tried": list(self.tried),
            "cases": self.cases,
            "obeyed": None if self.obeyed is None else vars(self.obeyed),
        }


def check_prompts(name: str | None = None, *, model: Model = None) -> list[Checked]:
    """Check one prompt (of a file by its name, of the registry by `name@version`), or all that have files.

    With `model` it is asked, too, how often it follows orders that stand in untrusted values. Raises
    PromptError where a file is wrong, PromptNotFound where there is none.
    """
    return [check_prompt(prompt, where, model) for where, prompt in _named(name)]


def check_prompt(prompt: Prompt, where: str, model: Model = None) -> Checked:
    problems = []
    if prompt.variables and not prompt.types:
        names = ", ".join(sorted(prompt.variables))
        problems.append(Problem("undeclared", f"its variables have no types: {names}"))
    told, tried = None, tuple(targets(prompt))
    try:
        prompt(**samples(prompt))
    except PromptError as error:
        problems.append(Problem("renders", f"with sample values: {error.message}"))
    else:
        problems += [Problem("injection", message) for message in inject(prompt)]
        told = obeyed(prompt, model) if model is not None and tried else None
    return Checked(prompt.name, where, tuple(problems), tried, len(CASES) if tried else 0, told)


def _named(name: str | None) -> list[tuple[str, Prompt]]:
    if name is not None and "@" in name:
        return [(name, load_prompt(name))]
    files = collect()
    if name is None:
        return [(filed.path, filed.prompt) for filed in files.values()]
    if name not in files:
        raise PromptNotFound(
            f"no file of the workspace holds a prompt {name!r}",
            fix=nearest(name, files) or f"For one of the registry write {name}@VERSION.",
            reference=name,
        )
    return [(files[name].path, files[name].prompt)]
