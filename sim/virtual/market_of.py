"""Instruments, listings and feed markets of simulated venues."""

from __future__ import annotations

from dataclasses import dataclass

from market.errors import Fatal
from market.fixed_point import Scale
from market.instruments import Instrument, Listing
from sim.exchange.venue.model import UNITS, SymbolModel


def listing_of(instrument: Instrument, venue: int, venue_name: str, symbol: SymbolModel) -> Listing:
    """A venue's symbol as a listing; raises Fatal when the instrument's counts cannot hold its steps."""
    notional_shift = UNITS.exponent - instrument.notional_exponent
    return Listing(
        instrument=instrument,
        venue=venue,
        venue_name=venue_name,
        symbol=symbol.symbol,
        tick=_step(symbol.tick_units, instrument.price_scale, symbol),
        lot=_step(symbol.lot_units, instrument.quantity_scale, symbol),
        minimum_quantity=symbol.minimum_lots * _step(symbol.lot_units, instrument.quantity_scale, symbol),
        minimum_notional=symbol.minimum_notional_units * int(10**notional_shift),
        base_asset=symbol.base_asset,
        quote_asset=symbol.quote_asset,
    )


@dataclass(frozen=True)
class VenueMarket:
    """One symbol of a venue's feed, whose ticks and lots must be powers of ten; raises Fatal else."""

    model: SymbolModel

    def __post_init__(self) -> None:
        for step in (self.model.tick_units, self.model.lot_units):
            if 10 ** (len(str(step)) - 1) != step or step > 10**8:
                raise Fatal(f"{self.model.symbol}: a step was {UNITS.text(step)}; expected a power of ten up to 1")

    @property
    def symbol(self) -> str:
        """As the venue writes it."""
        return self.model.symbol

    @property
    def price_decimals(self) -> int:
        """A tick is ``10**-price_decimals``."""
        return 9 - len(str(self.model.tick_units))

    @property
    def quantity_decimals(self) -> int:
        """A lot is ``10**-quantity_decimals``."""
        return 9 - len(str(self.model.lot_units))


def _step(units: int, scale: Scale, symbol: SymbolModel) -> int:
    if UNITS.exponent < scale.exponent:
        raise Fatal(f"{symbol.symbol}: counts of 1e{scale.exponent} cannot hold steps in 1e{UNITS.exponent}")
    return units * int(10 ** (UNITS.exponent - scale.exponent))
