"""Counts of a session as people write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import Final

from orchestrator.storage.records import Market

EXACT: Final = Context(prec=100)
_AVERAGE: Final = Context(prec=28)
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Names:
    """What a session's numbers and counts mean.

    Parameters
    ----------
    markets: of the session.
    """

    def __init__(self, markets: Sequence[Market]) -> None:
        self._markets: Mapping[tuple[int, int], Market] = {
            (market.instrument, market.venue): market for market in markets
        }
        self._instruments: Mapping[int, Market] = {market.instrument: market for market in markets}

    def instrument(self, instrument: int) -> str:
        """An instrument's name; its number when the session does not say."""
        found = self._instruments.get(instrument)
        return str(instrument) if found is None else found.instrument_name

    def venue(self, instrument: int, venue: int) -> str:
        """A venue's name."""
        found = self._markets.get((instrument, venue))
        return str(venue) if found is None else found.venue_name

    def symbol(self, instrument: int, venue: int) -> str:
        """A market's symbol on its venue."""
        found = self._markets.get((instrument, venue))
        return "" if found is None else found.symbol

    def price(self, instrument: int, count: int) -> Decimal:
        """A price, exactly."""
        return Decimal(count).scaleb(self._exponents(instrument)[0], EXACT)

    def quantity(self, instrument: int, count: int) -> Decimal:
        """A quantity, exactly."""
        return Decimal(count).scaleb(self._exponents(instrument)[1], EXACT)

    def money(self, instrument: int, count: int) -> Decimal:
        """Money in the quote currency, exactly."""
        return Decimal(count).scaleb(sum(self._exponents(instrument)), EXACT)

    def average_price(self, instrument: int, notional: int, quantity: int) -> Decimal:
        """Money by quantity, to 28 digits."""
        return _AVERAGE.divide(Decimal(notional), Decimal(quantity)).scaleb(self._exponents(instrument)[0], _AVERAGE)

    def _exponents(self, instrument: int) -> tuple[int, int]:
        found = self._instruments.get(instrument)
        return (0, 0) if found is None else (found.price_exponent, found.quantity_exponent)


def time_text(time_ns: int) -> str:
    """A time in UTC with its nanoseconds; empty for 0, which is never."""
    if not time_ns:
        return ""
    whole, rest = divmod(time_ns, 1_000_000_000)
    return f"{(_START + timedelta(seconds=whole)):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"
