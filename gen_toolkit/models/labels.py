"""The labels that `choose` weighs."""

from __future__ import annotations

import itertools

from gen_toolkit.errors import PromptError
from gen_toolkit.messages.output import Output


def labels_of(given: tuple[str, ...], output: Output | None) -> tuple[str, ...]:
    """Those given, else those of the declared output. Raises PromptError where first tokens cannot tell them apart."""
    labels = given or (output.labels if output else ())
    if len(labels) < 2:
        raise PromptError(
            "choose needs at least two labels and got " + (repr(labels[0]) if labels else "none"),
            fix='Give the prompt output=Literal["a", "b"], or call choose(prompt, ["a", "b"]).',
        )
    if not all(isinstance(label, str) for label in labels):
        raise PromptError(f"labels are texts, and these are not: {labels}", fix='Write them as texts: "1", "2".')
    for label, other in itertools.permutations(labels, 2):
        if other.casefold().startswith(label.casefold()):
            raise PromptError(
                f"the labels {label!r} and {other!r} begin alike, so their first tokens cannot be told apart",
                fix="Use labels that differ from the first letters on.",
            )
    return labels
