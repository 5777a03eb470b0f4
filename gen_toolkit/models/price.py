"""What a call cost, and what it can cost at most. Unknown stays unknown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from gen_toolkit.alias import Alias
from gen_toolkit.messages.reply import Usage

_MILLION = Decimal(1_000_000)
_FREE = {"embedded", "scripted"}  # whatever they say, it costs nothing


def cost(alias: Alias, model: str, usage: Usage) -> Decimal | None:
    """USD by the alias's own price, else by the price list of genai-prices, else None."""
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    if alias.price is not None:
        return (alias.price.input * usage.input_tokens + alias.price.output * usage.output_tokens) / _MILLION
    return _listed(alias, model, usage)


def worst_case(alias: Alias, model: str, input_tokens: int, output_tokens: int) -> Decimal | None:
    """USD that a call can cost at most, should it take that many tokens; None: the price is not known.

    A discount for cached tokens or for the hour may not be there when the call ends: neither is counted on.
    """
    if alias.provider in _FREE:
        return Decimal(0)
    if alias.price is not None:
        return cost(alias, model, Usage(input_tokens, output_tokens))
    now = datetime.now(UTC)
    found = [
        _listed(alias, model, Usage(input_tokens, output_tokens, cached), moment)
        for cached in (None, input_tokens)
        for moment in (now, now + timedelta(seconds=alias.deadline_s))
    ]
    known = [usd for usd in found if usd is not None]
    return max(known) if len(known) == len(found) else None


def _listed(alias: Alias, model: str, usage: Usage, moment: datetime | None = None) -> Decimal | None:
    """By the price list, at that moment (default: now)."""
    from genai_prices import Usage as PricedUsage
    from genai_prices import calc_price

    priced = PricedUsage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cached_tokens,
    )
    try:
        return calc_price(
            priced, model_ref=model, provider_api_url=alias.base_url, genai_request_timestamp=moment
        ).total_price
    except (LookupError, ValueError):
        return None
