"""How a symbol may be traded now, where that is not as its model says: closed, or with coarser filters."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import msgspec

from market.errors import Fatal
from sim.exchange.venue.kinds import MarketKind
from sim.exchange.venue.model import SymbolModel
from sim.exchange.venue.refusals import VenueRefusal, filter_failure

_PRICE_STEP: Final = VenueRefusal(-4014, "Price not increased by tick size.")
_QUANTITY_STEP: Final = VenueRefusal(-4023, "Qty not increased by step size.")


class SymbolRules(msgspec.Struct, frozen=True, kw_only=True):
    """What the venue has changed.

    Parameters
    ----------
    is_trading: whether new orders are taken; those that work stay.
    tick_factor, lot_factor: how many of the model's ticks and lots are one step now; the book keeps its own.
    notional_factor: how many times the model's least notional is asked for.

    Raises Fatal for factors below 1.
    """

    is_trading: bool = True
    tick_factor: int = 1
    lot_factor: int = 1
    notional_factor: int = 1

    def __post_init__(self) -> None:
        if min(self.tick_factor, self.lot_factor, self.notional_factor) < 1:
            raise Fatal(f"{self}: expected factors of at least 1")

    @property
    def status(self) -> str:
        """As the venue writes it."""
        return "TRADING" if self.is_trading else "BREAK"

    def applied(self, model: SymbolModel) -> SymbolModel:
        """The model with limits that fit the steps."""
        if self == UNCHANGED:
            return model
        return replace(
            model,
            minimum_ticks=_up(model.minimum_ticks, self.tick_factor),
            minimum_lots=_up(model.minimum_lots, self.lot_factor),
            minimum_notional_units=model.minimum_notional_units * self.notional_factor,
        )

    def check(self, kind: MarketKind, lots: int, *prices: int) -> None:
        """Raises VenueRefusal for an order that the symbol does not take now; prices in the model's ticks."""
        spot = kind is MarketKind.SPOT
        if not self.is_trading:
            raise VenueRefusal(-1013, "Market is closed.") if spot else VenueRefusal(-4141, "Symbol is closed.")
        if any(price % self.tick_factor for price in prices):
            raise filter_failure("PRICE_FILTER") if spot else _PRICE_STEP
        if lots % self.lot_factor:
            raise filter_failure("LOT_SIZE") if spot else _QUANTITY_STEP


UNCHANGED: Final = SymbolRules()


def _up(number: int, step: int) -> int:
    return -(-number // step) * step
