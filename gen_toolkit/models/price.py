"""What a call cost, and what it can cost at most. Unknown stays unknown."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

from gen_toolkit.alias import Alias
from gen_toolkit.messages.reply import Usage

_MILLION = Decimal(1_000_000)
_FREE = {"embedded", "scripted"}  # whatever they say, it costs nothing
_HOUR = 3600


def cost(alias: Alias, model: str, usage: Usage) -> Decimal | None:
    """USD by the alias's own price, else by the price list of genai-prices, else None."""
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    if alias.price is not None:
        return (alias.price.input * usage.input_tokens + alias.price.output * usage.output_tokens) / _MILLION
    return _listed(alias.base_url, model, usage)


def worst_case(alias: Alias, model: str, input_tokens: int, output_tokens: int) -> Decimal | None:
    """USD that a call can cost at most, should it take that many tokens; None: the price is not known.

    A discount for cached tokens, or for the hour, may not be there in the end: neither is counted on.
    """
    if alias.provider in _FREE:
        return Decimal(0)
    if alias.price is not None:
        return cost(alias, model, Usage(input_tokens, output_tokens))
    longer = 1 << input_tokens.bit_length()
    found = _rates(alias.base_url, model, longer, int(time.time()) // _HOUR, alias.deadline_s)
    return None if found is None else found[0] + found[1] * input_tokens + found[2] * output_tokens


@lru_cache(1024)
def _rates(
    address: str | None, model: str, input_tokens: int, hour: int, seconds: float
) -> tuple[Decimal, Decimal, Decimal] | None:
    """USD of the list for a request, an input token, an output token: the most of the hour and the seconds after it.

    Of the list's prices, which rise with the length of the input, those of `input_tokens`.
    """
    found = []
    for moment in (hour * _HOUR, (hour + 1) * _HOUR + seconds):
        at = datetime.fromtimestamp(moment, UTC)
        request, long, answered = (
            _listed(address, model, Usage(*tokens), at)
            for tokens in ((0, 0), (input_tokens, 0), (input_tokens, int(_MILLION)))
        )
        if request is None or long is None or answered is None:
            return None
        found.append((request, (long - request) / input_tokens, (answered - long) / _MILLION))
    return max(r[0] for r in found), max(r[1] for r in found), max(r[2] for r in found)


def _listed(address: str | None, model: str, usage: Usage, moment: datetime | None = None) -> Decimal | None:
    """By the price list, at that moment (default: now)."""
    from genai_prices import Usage as PricedUsage
    from genai_prices import calc_price

    priced = PricedUsage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cached_tokens,
    )
    try:
        return calc_price(priced, model_ref=model, provider_api_url=address, genai_request_timestamp=moment).total_price
    except (LookupError, ValueError):
        return None
