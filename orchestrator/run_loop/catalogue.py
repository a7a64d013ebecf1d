"""Listings from settings."""

from __future__ import annotations

from collections.abc import Iterator

from config.base import EXACT
from config.instruments import InstrumentSettings, MarketSettings
from config.settings import Settings
from market.fixed_point import Scale
from market.instruments import Catalogue, Instrument, Listing
from orchestrator.engine.tables import venue_numbers


def catalogue(settings: Settings) -> Catalogue:
    """All markets of the settings, ticks and lots by their decimals; limits of the venue are not in settings."""
    return Catalogue(_listings(settings))


def _listings(settings: Settings) -> Iterator[Listing]:
    venues = venue_numbers(settings)
    for number, (name, instrument) in enumerate(settings.instruments.items()):
        traded = Instrument(number, name, Scale(instrument.price_exponent), Scale(instrument.quantity_exponent))
        for venue, market in instrument.markets.items():
            yield Listing(
                instrument=traded,
                venue=venues[venue],
                venue_name=venue.value,
                symbol=market.symbol,
                tick=10 ** (-market.price_decimals - instrument.price_exponent),
                lot=10 ** (-market.quantity_decimals - instrument.quantity_exponent),
                contract_value=_contract_value(instrument, market),
            )


def _contract_value(instrument: InstrumentSettings, market: MarketSettings) -> int:
    exponent = instrument.price_exponent + instrument.quantity_exponent
    return int(market.contract_value_quote.scaleb(-exponent, EXACT))
