"""What a job needs so that its release is complete and it has an outcome: prompts, models, kept values."""

from __future__ import annotations

from collections.abc import Iterator

from gen_toolkit import text
from gen_toolkit.errors import nearest
from gen_toolkit.releases.finding import Finding, Rule, Subject


def keeps(subject: Subject) -> Iterator[Finding]:
    if not subject.references.keeps:
        yield Finding(
            "keeps-nothing",
            "the notebook keeps no value, so a job would have no outcome",
            'Add gt.keep("name", value).',
        )


def references_are_literals(subject: Subject) -> Iterator[Finding]:
    for cell, what in subject.references.dynamic:
        yield Finding(
            "dynamic-reference",
            f"the prompt reference in {text.one_line(what, 60)} is not a literal, so it cannot be frozen",
            'Write the reference as a text: gt.load_prompt("name@live").',
            cell,
        )


def models_are_aliases(subject: Subject) -> Iterator[Finding]:
    for name in sorted(subject.references.models - subject.models):
        yield Finding(
            "unknown-model",
            f"{text.one_line(name, 40)!r} is no model alias of the settings",
            nearest(name, subject.models) or f"Known: {', '.join(sorted(subject.models))}.",
        )


def the_model_is_a_parameter(subject: Subject) -> Iterator[Finding]:
    found = subject.references
    named = sorted(found.models & subject.models)
    if named and not found.model_parameters:
        yield Finding(
            "fixed-model",
            f"the model {', '.join(map(repr, named))} is written into the code, so no run can take another",
            f'Name it in the parameters cell: model: str = "{named[0]}".',
            level="warning",
        )


OUTCOME: tuple[Rule, ...] = (keeps, references_are_literals, models_are_aliases, the_model_is_a_parameter)
