"""What a call cost: by the alias's own price, else by the price list, else unknown."""

from __future__ import annotations

from decimal import Decimal

import pytest

import gen_toolkit as gt
from gen_toolkit.alias import Alias, Price
from gen_toolkit.models.price import cost

OWN = Alias(price=Price(input=Decimal("0.1"), output=Decimal(2)))


@pytest.mark.parametrize(
    ("alias", "model", "usage", "expected"),
    [
        (OWN, "m", gt.Usage(1_000_000, 500_000), Decimal("1.1")),
        (OWN, "m", gt.Usage(0, 0), Decimal(0)),
        (OWN, "m", gt.Usage(3, 0), Decimal("0.0000003")),
        (OWN, "m", gt.Usage(3, None), None),
        (OWN, "m", gt.Usage(None, 3), None),
        (Alias(), "a-model-nobody-knows", gt.Usage(1, 1), None),
        (Alias(base_url="http://127.0.0.1:8000/v1"), "gpt-4o", gt.Usage(1, 1), None),
    ],
)
def test_cost_is_exact_or_unknown(alias: Alias, model: str, usage: gt.Usage, expected: Decimal | None) -> None:
    assert cost(alias, model, usage) == expected


def test_the_price_list_knows_common_models_and_cached_tokens_cost_less() -> None:
    full, cached = (cost(Alias(), "gpt-4o", gt.Usage(1000, 10, part)) for part in (0, 1000))
    assert full is not None
    assert cached is not None
    assert 0 < cached < full
