"""How near in meaning the answer is to the row's: by the angle between their vectors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gen_toolkit.datasets.dataset import Row
from gen_toolkit.errors import ScorerError
from gen_toolkit.evals.score import Score
from gen_toolkit.evals.scorers_check import column_name, shown, text_of, texts_of
from gen_toolkit.loop import on_loop
from gen_toolkit.models.embed import vectors_of
from gen_toolkit.models.gateway import Model, open_door
from gen_toolkit.models.options import plain


@dataclass(frozen=True, eq=False)
class Similarity:
    """A scorer by meaning; see `similarity`."""

    column: str
    model: Model
    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    range = (-1.0, 1.0)

    async def __call__(self, value: Any, row: Row) -> Score:
        accepted = texts_of(row, self.column, self.name)
        said = text_of(value, self.name)
        if not said or not said.strip():
            return Score(0.0, f"the value is {shown(value)}")
        texts = list(dict.fromkeys([said, *accepted]))
        reply = await on_loop(vectors_of(texts, self.model, self.options))
        vectors = dict(zip(texts, reply.value, strict=True))
        found = {text: self._cosine(vectors[said], vectors[text], row) for text in accepted}
        nearest = max(found, key=lambda text: found[text])
        return Score(found[nearest], f"nearest to {shown(nearest, 120)}")

    def _cosine(self, mine: Sequence[float], other: Sequence[float], row: Row) -> float:
        lengths = math.hypot(*mine) * math.hypot(*other)
        if not lengths:
            raise ScorerError(
                f"scorer {self.name!r}: the model answered row {row.id} with a vector of zeros, which has no direction",
                fix="Use another model for embeddings.",
                scorer=self.name,
                row=row.id,
            )
        return max(-1.0, min(1.0, math.fsum(a * b for a, b in zip(mine, other, strict=True)) / lengths))


def similarity(column: str, *, model: Model = None, name: str = "similarity", **options: Any) -> Similarity:
    """The cosine of the angle between the vectors of the value and of the row's `column`: 1 is the same direction.

    Where the column holds a list of texts, the nearest counts. An empty value scores 0. `model` is an alias
    whose model makes embeddings (`gt.embed`); what a cosine means differs from model to model. All texts of
    a row are sent in one request: a request over several rows would depend on which were under way together,
    and could not be found in the journal again.
    """
    open_door(model)  # an alias that is unknown is no matter of a row
    return Similarity(column_name(column, "similarity"), model, name, plain(options))
