"""How large a strategy's orders are, of the size that it would like."""

from __future__ import annotations

from typing import Protocol

from market.orders.kinds import Side
from market.protocols import MarketKey, MarketView


class Sizing(Protocol):
    """Makes quantities smaller where own trading goes badly; it depends on the run alone, as a view does."""

    def taking(self, market: MarketKey, quantity: int, lot: int) -> int:
        """The quantity of an order that takes liquidity, in whole lots."""

    def resting(self, market: MarketKey, side: Side, price: int, quantity: int, lot: int, view: MarketView) -> int:
        """The quantity of an order that is to rest at a price, in whole lots."""


class FullSize:
    """As much as the strategy likes."""

    def taking(self, market: MarketKey, quantity: int, lot: int) -> int:
        """The quantity."""
        return quantity

    def resting(self, market: MarketKey, side: Side, price: int, quantity: int, lot: int, view: MarketView) -> int:
        """The quantity."""
        return quantity
