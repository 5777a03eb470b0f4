"""The scale that a judge grades on: whole numbers, or words from the worst to the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gen_toolkit.errors import ScorerError
from gen_toolkit.evals.scorers_check import shown
from gen_toolkit.messages.output import Output

_MOST = 101  # grades: 0 to 100


@dataclass(frozen=True)
class Scale:
    """Its labels from the worst to the best; of grades they are the numbers as texts."""

    labels: tuple[str, ...]
    is_number: bool = False
    is_ordered: bool = True

    @classmethod
    def of(cls, given: Any, scorer: str) -> Scale:
        """From (lowest, highest) or a list of words. Raises ScorerError for anything else."""
        items = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else []
        if len(items) == 2 and all(type(item) is int for item in items):
            if items[0] < items[1] < items[0] + _MOST:
                return cls(tuple(str(grade) for grade in range(items[0], items[1] + 1)), True)
        elif len(items) >= 2 and all(isinstance(item, str) and item.strip() == item != "" for item in items):
            words = {item.casefold() for item in items}
            if len(words) == len(items):
                return cls(tuple(items))
        raise ScorerError(
            f"scorer {scorer!r}: scale={shown(given)} is no scale",
            fix='Give whole numbers (lowest, highest), or words from worst to best: ["bad", "ok", "good"].',
            scorer=scorer,
        )

    def share(self, label: str) -> float:
        """0 for the worst label, 1 for the best, the others at equal distances between."""
        return self.labels.index(label) / (len(self.labels) - 1)

    def label(self, given: Any) -> str | None:
        """The label that a value stands for; None: it is not on the scale."""
        if self.is_number and isinstance(given, int | float) and not isinstance(given, bool):
            given = str(int(given)) if given == given // 1 else None
        return given if isinstance(given, str) and given in self.labels else None

    @property
    def output(self) -> Output:
        """What a judge answers with. The reason comes first, so that the grade can follow from it."""
        grades = [int(label) for label in self.labels] if self.is_number else list(self.labels)
        grade = {"type": "integer" if self.is_number else "string", "enum": grades}
        schema = {
            "type": "object",
            "properties": {"reason": {"type": "string"}, "grade": grade},
            "required": ["reason", "grade"],
            "additionalProperties": False,
        }
        return Output(schema)

    def __str__(self) -> str:
        if self.is_number:
            return f"a whole number from {self.labels[0]} (worst) to {self.labels[-1]} (best)"
        words = ", ".join(f'"{label}"' for label in self.labels)
        return f"one of these, from worst to best: {words}" if self.is_ordered else f"one of these: {words}"
