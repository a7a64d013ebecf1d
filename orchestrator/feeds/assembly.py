"""Sources of live market data as the settings ask for them."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from config.credentials import BINANCE_SBE_API_KEY
from config.feeds import DepthSpeed, FeedForm, FeedSourceSettings, PacketForm, TradeStream
from config.settings import Settings
from config.venues import VenueName
from market.book.book import new_books
from market.book.continuity import Rule
from market.book.order_stream import OrderFormat, OrderStream
from market.errors import Fatal, MissingInput
from market.wire.deribit_stream import DeribitStream
from market.wire.markets import Market
from market.wire.packet_stream import PacketStream
from market.wire.venues import VENUES
from orchestrator.engine.tables import instrument_numbers, venue_numbers
from orchestrator.feeds.ccxt_source import CcxtPlan, exchange_named
from orchestrator.feeds.datagram_source import DatagramPlan, PacketDecoder
from orchestrator.feeds.feed import SourcePlan
from orchestrator.feeds.limits import FeedLimits
from orchestrator.feeds.line_plan import LinePlan
from orchestrator.feeds.sbe_decoding import SbeDecoder
from orchestrator.feeds.sbe_plan import SbePlan
from orchestrator.feeds.websocket import StreamAddress
from orchestrator.recording.backoff import Backoff
from orchestrator.recording.datagrams import UdpAddress
from orchestrator.recording.pcapng_file import Endpoint
from orchestrator.recording.presets import PRESETS
from sim.replay.packet_source import PacketSourceSettings, packet_source
from sim.replay.source import Route

QUIET_TRADES_S: Final = 60.0
"""A connection that only carries trades may be silent for so long."""
_MS_PER_S: Final = 1_000
_NS_PER_MS: Final = 1_000_000
_SBE_STREAMS: Final = "wss://stream-sbe.binance.com:9443"
_SBE_PATH: Final = "/sbe"
"""Where a stand-in for the venue has its SBE streams, since it has one address only."""
_KEY_HEADER: Final = "X-MBX-APIKEY"
_TRADES: Final = {TradeStream.TRADE: "trade", TradeStream.AGGREGATE: "aggTrade"}
_ORDER_FORMATS: Final = {
    PacketForm.STARBASE: OrderFormat.STARBASE,
    PacketForm.COINBASE_DERIVATIVES: OrderFormat.COINBASE_DERIVATIVES,
}

Markets = tuple[tuple[Market, ...], tuple[Route, ...]]


def feed_limits(settings: Settings, venue: VenueName) -> FeedLimits:
    """When a venue's feed is taken for late, silent or broken."""
    feeds, source = settings.feeds, _source(settings, venue)
    return FeedLimits(
        silence_s=feeds.silence_ms / _MS_PER_S,
        delay_s=feeds.delay_ms / _MS_PER_S,
        snapshot_every_s=feeds.snapshot_every_ms / _MS_PER_S,
        snapshot_pause_s=feeds.snapshot_pause_ms / _MS_PER_S,
        connect_s=feeds.connect_ms / _MS_PER_S,
        clock_ahead_ns=source.clock_ahead_ms * _NS_PER_MS,
        backoff=Backoff(
            first_s=feeds.retry_after_ms / _MS_PER_S,
            longest_s=feeds.retry_at_most_ms / _MS_PER_S,
            attempts=feeds.attempts,
        ),
    )


def source_plan(settings: Settings, venue: VenueName, *, sbe_key: str = "") -> SourcePlan:
    """How a venue's market data is received.

    Parameters
    ----------
    sbe_key: of an Ed25519 API key, which Binance's SBE streams ask for.

    Raises Fatal for a form that the venue does not have, or without a market to receive; MissingInput without the key.
    """
    source = _source(settings, venue)
    markets, routes = venue_markets(settings, venue)
    if not markets:
        raise Fatal(f"no instrument trades on {venue}: add [instruments.NAME.markets.{venue}], or leave the venue out")
    limits, addresses = feed_limits(settings, venue), settings.venues[venue].addresses
    if source.form is FeedForm.UDP:
        return _datagrams(venue, source, markets, routes, limits)
    if source.form is FeedForm.CCXT or (venue not in PRESETS and venue not in settings.feeds.sources):
        return CcxtPlan(
            name=venue.value,
            make=exchange_named(source.ccxt_name or venue.value, http=addresses.http, streams=addresses.streams),
            markets=markets,
            names=tuple(market.symbol for market in markets),
            routes=routes,
            limits=limits,
            subscribed_depth=source.ccxt_depth or None,
            has_trades=source.trades is not TradeStream.NONE,
        )
    if venue not in PRESETS:
        known = ", ".join(PRESETS)
        raise Fatal(f"feeds.sources.{venue}.form was {source.form}: only {known} have it; use ccxt")
    return _binance(settings, venue, source, markets, routes, limits, sbe_key)


def venue_markets(settings: Settings, venue: VenueName) -> Markets:
    """The markets that the settings trade on a venue, and where their quotes go."""
    venues, instruments = venue_numbers(settings), instrument_numbers(settings)
    markets: list[Market] = []
    routes: list[Route] = []
    for name, instrument in settings.instruments.items():
        market = instrument.markets.get(venue)
        if market is not None:
            value, size = market.contract_value_quote, market.contract_size_base
            markets.append(Market(market.symbol, market.price_decimals, market.quantity_decimals, value, size))
            exponents = (market.message_price_exponent, market.message_quantity_exponent)
            routes.append(Route(instruments[name], venues[venue], *exponents))
    return tuple(markets), tuple(routes)


def _source(settings: Settings, venue: VenueName) -> FeedSourceSettings:
    return settings.feeds.sources.get(venue, FeedSourceSettings())


def _binance(
    settings: Settings,
    venue: VenueName,
    source: FeedSourceSettings,
    markets: tuple[Market, ...],
    routes: tuple[Route, ...],
    limits: FeedLimits,
    sbe_key: str,
) -> SourcePlan:
    addresses = settings.venues[venue].addresses
    url = PRESETS[venue].snapshot.replace("limit=1000", f"limit={source.snapshot_levels}")
    books = tuple(_moved(url.format(symbol=market.symbol), addresses.http) for market in markets)
    if source.form is FeedForm.SBE:
        if venue is not VenueName.BINANCE_SPOT:
            raise Fatal(f"feeds.sources.{venue}.form was sbe: Binance has SBE streams for spot alone")
        if not sbe_key:
            raise MissingInput(
                f"feeds.sources.{venue}.form is sbe: it needs {BINANCE_SBE_API_KEY} in the environment or in .env, the "
                "API key of an Ed25519 pair; or use form = json"
            )
        names = "/".join(name for market in markets for name in _sbe_names(market.symbol.lower(), source))
        base = addresses.streams + _SBE_PATH if addresses.streams else _SBE_STREAMS
        stream = StreamAddress(url=f"{base}/stream?streams={names}", headers={_KEY_HEADER: sbe_key})
        return SbePlan(
            name=venue.value,
            venue=VENUES[venue.value],
            markets=markets,
            routes=routes,
            stream=stream,
            snapshots=books,
            limits=limits,
        )
    one = _json_stream(venue, source, [market.symbol for market in markets], addresses.streams)
    return LinePlan(
        name=venue.value,
        venue=VENUES[venue.value],
        markets=markets,
        routes=routes,
        streams=(one, one) if source.reserve else (one,),
        snapshots=books,
        limits=limits,
    )


def _json_stream(
    venue: VenueName, source: FeedSourceSettings, symbols: list[str], base: str
) -> tuple[StreamAddress, ...]:
    """The connections of one stream: one, or a second one for trades that are published elsewhere."""
    if source.depth is DepthSpeed.AT_ONCE and venue in (VenueName.BINANCE_SPOT, VenueName.BINANCE_US):
        raise Fatal(f"feeds.sources.{venue}.depth was 0ms: must be 100ms, spot has no faster stream")
    names = [f"depth@{source.depth}"] + (["bookTicker"] if source.best_prices else [])
    trade = _TRADES.get(source.trades)
    connections = PRESETS[venue].connections
    # USD-M futures publish aggregated trades on a path of their own; everything else is where the books are.
    apart = trade == "aggTrade" and len(connections) > 1
    if trade is not None and not apart:
        names.append(trade)
    found = [StreamAddress(url=_combined(connections[0][0], base, symbols, names))]
    if trade is not None and apart:
        url = _combined(connections[1][0], base, symbols, [trade])
        found.append(StreamAddress(url=url, has_book=False, silence_s=QUIET_TRADES_S))
    return tuple(found)


def _combined(address: str, base: str, symbols: list[str], names: list[str]) -> str:
    streams = "/".join(f"{symbol.lower()}@{name}" for symbol in symbols for name in names)
    return f"{_moved(address, base)}?streams={streams}"


def _sbe_names(symbol: str, source: FeedSourceSettings) -> list[str]:
    names = [f"{symbol}@depth"]
    if source.best_prices:
        names.append(f"{symbol}@bestBidAsk")
    if source.trades is not TradeStream.NONE:
        names.append(f"{symbol}@trade")
    return names


def _moved(url: str, base: str) -> str:
    """The same path and query at another place."""
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return f"{base}{parts.path}{query}" if base else url


def _datagrams(
    venue: VenueName,
    source: FeedSourceSettings,
    markets: tuple[Market, ...],
    routes: tuple[Route, ...],
    limits: FeedLimits,
) -> DatagramPlan:
    udp = source.udp
    address = UdpAddress(local=Endpoint(IPv4Address(udp.address), udp.port), interface=IPv4Address(udp.interface))
    if udp.packets is PacketForm.BINANCE_SBE:
        wire = VENUES[VenueName.BINANCE_SPOT.value]
        return DatagramPlan(
            name=venue.value,
            address=address,
            markets=markets,
            routes=routes,
            new_decoder=lambda: SbeDecoder(wire, markets, has_updates=False),
            new_books=lambda: new_books([Rule.OVERLAPPING] * len(markets), needs_book=False),
            limits=limits,
        )
    defined = packet_source(venue.value, Path(udp.definitions), markets, routes)
    return DatagramPlan(
        name=venue.value,
        address=address,
        markets=defined.markets,
        routes=defined.routes,
        new_decoder=lambda: PacketDecoder(lambda: _packet_stream(udp.packets, defined), has_updates=defined.needs_book),
        new_books=defined.new_books,
        limits=limits,
    )


def _packet_stream(form: PacketForm, defined: PacketSourceSettings) -> PacketStream:
    orders = _ORDER_FORMATS.get(form)
    return DeribitStream(defined.markets) if orders is None else OrderStream(orders, defined.markets)
