"""An amount that may be spent: money, tokens, or both. Written "0.50 USD", "200000 tokens" or "1 USD, 50000 tokens"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from gen_toolkit.errors import InputError

_PART = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(USD|tokens)\s*")
_PICO = Decimal(10) ** 12


@dataclass(frozen=True)
class Amount:
    """None: that side is not limited, or not known."""

    usd: Decimal | None = None
    tokens: int | None = None

    @classmethod
    def of(cls, written: str | Amount) -> Amount:
        """Read an amount as people write it. Raises InputError where it is none."""
        if isinstance(written, Amount):
            return written
        found: dict[str, Decimal] = {}
        for part in str(written).split(","):
            match = _PART.fullmatch(part)
            if match is None or match[2] in found:
                raise _refused(written)
            found[match[2]] = Decimal(match[1])
        tokens = found.get("tokens")
        if tokens is not None and tokens != int(tokens):
            raise _refused(written)
        return cls(found.get("USD"), None if tokens is None else int(tokens))

    def __str__(self) -> str:
        usd = [] if self.usd is None else [f"{self.usd.normalize():f} USD"]
        return ", ".join(usd + ([] if self.tokens is None else [f"{self.tokens} tokens"])) or "nothing"


def _refused(written: object) -> InputError:
    return InputError(
        f"{written!r} is no amount", fix='Write "0.50 USD", "200000 tokens", or both with a comma between.'
    )


def to_pico(usd: Decimal) -> int:
    """Money as the database counts it: whole millionths of a millionth of a USD, so that sums are exact."""
    return int((usd * _PICO).to_integral_value())


def from_pico(pico: int) -> Decimal:
    return (Decimal(pico) / _PICO).normalize() + 0
