"""What a call cost, and can cost: by the alias's own price, else by the price list, else unknown."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

import gen_toolkit as gt
from gen_toolkit.alias import Alias, Price
from gen_toolkit.models.price import _rates, cost, worst_case

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


@pytest.mark.parametrize(
    ("alias", "model", "expected"),
    [
        (OWN, "m", Decimal("1.1")),
        (Alias(provider="embedded"), "m", Decimal(0)),
        (Alias(provider="scripted", price=OWN.price), "m", Decimal(0)),
        (Alias(), "a-model-nobody-knows", None),
        (Alias(base_url="http://127.0.0.1:8000/v1"), "gpt-4o", None),
    ],
)
def test_the_worst_case_is_exact_nothing_or_unknown(alias: Alias, model: str, expected: Decimal | None) -> None:
    assert worst_case(alias, model, 1_000_000, 500_000) == expected


@pytest.mark.parametrize("model", ["gpt-4o", "gemini-2.5-pro", "claude-opus-4-6", "text-embedding-3-small"])
@pytest.mark.parametrize("tokens", [(0, 0), (1, 0), (1, 1), (1000, 10), (150_000, 7), (200_000, 1), (200_001, 1000)])
def test_no_call_costs_more_than_its_worst_case_cached_or_not(model: str, tokens: tuple[int, int]) -> None:
    alias = Alias(base_url="https://api.openai.com/v1" if "embedding" in model else None)
    most = worst_case(alias, model, *tokens)
    for cached in (None, 0, tokens[0]):
        known = cost(alias, model, gt.Usage(*tokens, cached))
        assert most is not None
        assert known is not None
        assert known <= most <= 2 * (cost(alias, model, gt.Usage(*tokens)) or 0)


def test_a_discount_for_the_hour_is_not_counted_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half the price until six o'clock: a call that begins before and may end after costs the whole."""

    def listed(_address: object, _model: str, usage: gt.Usage, moment: datetime | None = None) -> Decimal:
        assert moment is not None
        return Decimal((usage.input_tokens or 0) * (1 if moment.hour < 6 else 2))

    monkeypatch.setattr("gen_toolkit.models.price._listed", listed)
    assert [_rates("a", "m", 8, hour, 60) for hour in (4, 5, 6)] == [(0, 1, 0), (0, 2, 0), (0, 2, 0)]
