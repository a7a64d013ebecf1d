"""What people call the numbers that the engine works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from config.settings import Settings
from orchestrator.engine.tables import instrument_numbers, venue_numbers


@dataclass(frozen=True)
class Naming:
    """Names and units by the engine's numbers.

    Parameters
    ----------
    instruments, venues: names.
    price_units: worth of one engine count of an instrument's price, in quote currency.
    """

    instruments: Mapping[int, str]
    venues: Mapping[int, str]
    price_units: Mapping[int, float]


def naming(settings: Settings) -> Naming:
    """Names of everything that the settings list."""
    numbers = instrument_numbers(settings)
    return Naming(
        instruments={number: name for name, number in numbers.items()},
        venues={number: venue.value for venue, number in venue_numbers(settings).items()},
        price_units={
            numbers[name]: 10.0**instrument.price_exponent for name, instrument in settings.instruments.items()
        },
    )
