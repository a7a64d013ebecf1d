"""What a market is to its server: endpoints, streams and user data of spot or of futures, put together."""

from __future__ import annotations

from dataclasses import dataclass

from sim.exchange.aggregate_trades import AggregateTrades
from sim.exchange.calls import Endpoints
from sim.exchange.day_statistics import DayStatistics
from sim.exchange.futures.endpoints import futures_endpoints
from sim.exchange.futures.user_data import FuturesUserData
from sim.exchange.futures.written import FuturesWriter
from sim.exchange.json_streams import FuturesStreams, SpotStreams
from sim.exchange.listen_keys import ListenKeys
from sim.exchange.sbe_streams import SbeStreams
from sim.exchange.service import VenueService
from sim.exchange.spot.endpoints import spot_endpoints
from sim.exchange.spot.user_data import SpotUserData
from sim.exchange.stream_hub import StreamHub
from sim.exchange.symbols import Symbols
from sim.exchange.user_data import UserData
from sim.exchange.venue.kinds import MarketKind
from sim.exchange.writing import FuturesNumbers, SpotNumbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """The parts of one venue's server that know what is traded on it."""

    kind: MarketKind
    endpoints: Endpoints
    hub: StreamHub
    user_data: UserData


def market_of(service: VenueService, listen_keys: ListenKeys) -> Market:
    """The parts of a venue, attached to it."""
    symbols = Symbols(service.venue.exchange_info())
    aggregates, day = AggregateTrades(), DayStatistics()
    if symbols.kind is MarketKind.SPOT:
        market = _spot(service, symbols, aggregates, day)
    else:
        market = _futures(service, symbols, aggregates, day, listen_keys)
    service.attach(market.user_data)
    service.attach(market.hub)
    service.attach(day)
    return market


def _spot(service: VenueService, symbols: Symbols, aggregates: AggregateTrades, day: DayStatistics) -> Market:
    numbers = SpotNumbers(symbols)
    hub = StreamHub(
        service.venue,
        symbols,
        aggregates,
        service.server_ns,
        json=SpotStreams(numbers),
        sbe=SbeStreams(symbols),
    )
    return Market(
        kind=MarketKind.SPOT,
        endpoints=spot_endpoints(service.venue, symbols, numbers, aggregates, day, service.quota),
        hub=hub,
        user_data=UserData(SpotUserData(numbers), service.server_ns),
    )


def _futures(
    service: VenueService, symbols: Symbols, aggregates: AggregateTrades, day: DayStatistics, listen_keys: ListenKeys
) -> Market:
    numbers = FuturesNumbers(symbols)
    streams = FuturesStreams(numbers)
    hub = StreamHub(service.venue, symbols, aggregates, service.server_ns, json=streams, mark=streams)
    return Market(
        kind=MarketKind.USD_MARGINED,
        endpoints=futures_endpoints(service.venue, symbols, numbers, aggregates, day, service.quota, listen_keys),
        hub=hub,
        user_data=UserData(FuturesUserData(FuturesWriter(symbols, numbers), numbers), service.server_ns),
    )
