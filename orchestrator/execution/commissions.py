"""Commissions in counts: what a venue took, in which asset."""

from __future__ import annotations

from decimal import ROUND_CEILING, Context, Decimal
from typing import Final, NamedTuple

from market.instruments import Listing
from orchestrator.execution.requests import MarketKind

_DECIMALS: Final = 8
_EXACT: Final = Context(prec=100)
_WHOLE: Final = Context(prec=100, rounding=ROUND_CEILING)


class Commission(NamedTuple):
    """The three fields of a fill; see ``market.orders.order.Fill``."""

    fee: int
    fee_base: int
    fee_unpriced: str


def commission(listing: Listing, price: int, amount: str, asset: str) -> Commission:
    """What a commission is in a listing's counts.

    In the quote asset it is a fee; in the base asset a quantity that is missing from the position, and its worth at the
    fill's price a fee; in a third asset it cannot be told without that asset's price, and its text is kept. A part of a
    count is rounded up, against us: an instrument whose scales hold the venue's eight decimals (quantity exponent -8
    or finer where commissions are in base) has none.
    """
    value = Decimal(amount)
    if not value:
        return Commission(0, 0, "")
    instrument = listing.instrument
    if asset == listing.quote_asset:
        return Commission(_counts(value, instrument.notional_exponent), 0, "")
    if asset == listing.base_asset:
        kept = _counts(value, instrument.quantity_scale.exponent)
        return Commission(kept * price, kept, "")
    return Commission(0, 0, f"{amount} {asset}")


def is_exact(listing: Listing, kind: MarketKind) -> bool:
    """Whether commissions of eight decimals are whole counts of a listing; futures take none in base."""
    base = listing.instrument.quantity_scale.exponent if kind is MarketKind.SPOT else -_DECIMALS
    return max(base, listing.instrument.notional_exponent) <= -_DECIMALS


def _counts(value: Decimal, exponent: int) -> int:
    return int(value.scaleb(-exponent, _EXACT).to_integral_value(context=_WHOLE, rounding=ROUND_CEILING))
