"""Random doubles that lie on the edge between two mantissas, or just beside it."""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import Final

from market.fastpath.conformance.market_model import MarketModel
from market.fastpath.conformance.packet_builder import ABSENT, double

_SPECIAL: Final = (ABSENT, ABSENT - 1, 0, 1 << 63, double(float("inf")), double(-1.0), double(5e-324), double(1e308))


def near_halves(market: MarketModel, exponent: int, number: int) -> int:
    """The bits of a double whose mantissa of an exponent is a number, or is about to be the next one.

    Mostly the double that is nearest to the number, or to the number and a half, or one next to that; now and then
    one of any bits.
    """
    if market.chance(0.05):
        return market.one_of(_SPECIAL)
    if market.chance(0.05):
        wild: int = struct.unpack("<Q", market.octets(8))[0]
        return wild % (1 << 52) | 1_023 - 40 + market.below(110) << 52
    value = Fraction(2 * number + market.below(2), 2) * Fraction(10) ** exponent
    return max(0, double(float(value)) + market.one_of((0, 0, 0, 1, -1)))
