"""What a simulated account holds of each asset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Context, Decimal
from typing import Final

from market.instruments import Listing
from market.orders.kinds import Side
from market.orders.order import Fill, Order
from market.orders.reports import Balance

EXACT: Final = Context(prec=200)
AssetKey = tuple[int, str]
"""Venue and asset."""


class SimulatedBalances:
    """Totals by venue and asset, changed by fills; may become negative, as nothing is checked.

    Parameters
    ----------
    totals: what is there at the beginning.
    """

    def __init__(self, totals: Mapping[AssetKey, Decimal]) -> None:
        self._totals = dict(totals)

    def book(self, listing: Listing, side: Side, fill: Fill) -> None:
        """Move base and quote asset of a fill; the fee is paid in the quote asset."""
        instrument = listing.instrument
        self._add(listing.venue, listing.base_asset, side.sign * fill.quantity, instrument.quantity_scale.exponent)
        self._add(
            listing.venue, listing.quote_asset, -side.sign * fill.notional - fill.fee, instrument.notional_exponent
        )

    def report(self, venue: int, working: Iterable[tuple[Order, Listing]]) -> Sequence[Balance]:
        """Balances of a venue by name of asset; what working orders may still need is locked."""
        locked: dict[str, Decimal] = {}
        for order, listing in working:
            asset, amount = _needed(order, listing)
            locked[asset] = EXACT.add(locked.get(asset, Decimal(0)), amount)
        totals = {asset: total for (at, asset), total in self._totals.items() if at == venue and asset}
        return [
            Balance(
                asset=asset, free=EXACT.subtract(total, locked.get(asset, Decimal(0))),
                locked=locked.get(asset, Decimal(0)),
            )
            for asset, total in sorted(totals.items())
        ]  # fmt: skip

    def _add(self, venue: int, asset: str, count: int, exponent: int) -> None:
        key = (venue, asset)
        amount = Decimal(count).scaleb(exponent, EXACT)
        self._totals[key] = EXACT.add(self._totals.get(key, Decimal(0)), amount)


def _needed(order: Order, listing: Listing) -> tuple[str, Decimal]:
    """Asset and amount that a working order may still take."""
    instrument = listing.instrument
    if order.intent.side is Side.SELL:
        return listing.base_asset, Decimal(order.remaining).scaleb(instrument.quantity_scale.exponent, EXACT)
    notional = order.remaining * order.intent.limit_price
    return listing.quote_asset, Decimal(notional).scaleb(instrument.notional_exponent, EXACT)
