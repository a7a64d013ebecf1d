"""Recorded markets as the liquidity of simulated venues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from config.settings import Settings
from config.venues import VenueName
from market.errors import MissingInput
from market.wire import records
from orchestrator.replay.plan import SourceFile, session_settings
from sim.exchange.numbers import decimals_of
from sim.exchange.venue.model import SymbolModel
from sim.exchange.venue.recorded import RecordedMarket
from sim.exchange.venue.venue import SimulatedVenue
from sim.replay.feed import FeedMarket, FeedSettings


@dataclass(frozen=True)
class Recorded:
    """One market of a recording: the file, and the market's number in it."""

    source: FeedSettings
    number: int

    @property
    def market(self) -> FeedMarket:
        """The market itself."""
        return self.source.markets[self.number]

    def begins_ns(self) -> int:
        """Receive time of its first record; raises MissingInput when there is none."""
        for batch in self.source.open().batches():
            of_market = batch.filled()[batch.filled()[:, records.MARKET] == self.number]
            if len(of_market):
                return int(of_market[0, records.RECEIVE_NS])
        raise MissingInput(f"{self.source.path} holds nothing of {self.market.symbol}")


def recorded_markets(settings: Settings, files: Sequence[SourceFile]) -> Mapping[VenueName, Mapping[str, Recorded]]:
    """The markets of recordings by venue and symbol.

    Raises MissingInput for a file that cannot be read or holds two of a kind with another, UsageError for a venue that
    the profile does not list.
    """
    found: dict[VenueName, dict[str, Recorded]] = {}
    for file in files:
        of_venue = found.setdefault(file.venue, {})
        (source,) = session_settings(settings, [file]).sources
        for number, market in enumerate(source.markets):
            if market.symbol in of_venue:
                raise MissingInput(f"{file.path} holds {market.symbol}, which another recording holds already")
            of_venue[market.symbol] = Recorded(source, number)
    return found


def earliest_ns(recorded: Mapping[VenueName, Mapping[str, Recorded]]) -> int:
    """Receive time of the first record of all; 0 without recordings."""
    return min((one.begins_ns() for of_venue in recorded.values() for one in of_venue.values()), default=0)


def player(venue: SimulatedVenue, model: SymbolModel, recorded: Recorded, start_ns: int) -> RecordedMarket:
    """What plays a recorded market into a venue's symbol, the first record at ``start_ns``."""
    finer = recorded.market.quantity_decimals - decimals_of(model.lot_units)
    return RecordedMarket(
        venue,
        model.symbol,
        recorded.source.open().batches(),
        market=recorded.number,
        lots_per_lot=10**finer,
        start_ns=start_ns,
    )
