"""What a call cost. Unknown stays unknown."""

from __future__ import annotations

from decimal import Decimal

from gen_toolkit.alias import Alias
from gen_toolkit.messages.reply import Usage

_MILLION = Decimal(1_000_000)


def cost(alias: Alias, model: str, usage: Usage) -> Decimal | None:
    """USD by the alias's own price, else by the price list of genai-prices, else None."""
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    if alias.price is not None:
        return (alias.price.input * usage.input_tokens + alias.price.output * usage.output_tokens) / _MILLION
    from genai_prices import Usage as PricedUsage
    from genai_prices import calc_price

    priced = PricedUsage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cached_tokens,
    )
    try:
        return calc_price(priced, model_ref=model, provider_api_url=alias.base_url).total_price
    except (LookupError, ValueError):
        return None
