"""Who started a trade: the venue's flag, else the quote rule."""

from __future__ import annotations

from market.native.kernel import inline
from market.wire.records import AGGRESSOR_BUY, AGGRESSOR_NONE, AGGRESSOR_SELL


@inline
def classify(aggressor: int, price: int, doubled_mid: int) -> int:
    """The flag if the venue sent one; else BUY above the mid, SELL below it, NONE at it or without a mid.

    Quote rule: Lee and Ready, "Inferring Trade Direction from Intraday Data", Journal of Finance 46(2), 1991;
    without their tick test for trades at the mid. ``doubled_mid`` is bid + ask, 0 when there is none.
    """
    if aggressor != AGGRESSOR_NONE or doubled_mid == 0:
        return aggressor
    if 2 * price > doubled_mid:
        return AGGRESSOR_BUY
    return AGGRESSOR_SELL if 2 * price < doubled_mid else AGGRESSOR_NONE


@inline
def sign_of(aggressor: int) -> int:
    """1 for BUY, -1 for SELL, 0 for NONE."""
    if aggressor == AGGRESSOR_BUY:
        return 1
    return -1 if aggressor == AGGRESSOR_SELL else 0
