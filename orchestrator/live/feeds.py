"""The live feed of a run: a source for every venue that the settings trade on."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from config.feeds import FeedsSettings
from config.settings import Settings
from config.venues import VenueName
from market.errors import Fatal
from market.wire.markets import Market
from market.wire.venues import VENUES
from orchestrator.engine.tables import instrument_numbers, venue_numbers
from orchestrator.feeds.limits import FeedLimits
from orchestrator.feeds.line_plan import LinePlan
from orchestrator.feeds.websocket import StreamAddress
from orchestrator.live.addresses import TRADEABLE, VenueAddresses, venue_addresses
from orchestrator.recording.backoff import Backoff
from orchestrator.recording.presets import snapshot_urls, stream_urls
from sim.replay.source import Route

_QUIET_TRADES_S: Final = 60.0


def traded_venues(settings: Settings) -> list[VenueName]:
    """The venues that a live run uses: listed, enabled, and with a market of an instrument."""
    used = {venue for instrument in settings.instruments.values() for venue in instrument.markets}
    return [venue for venue, chosen in settings.venues.items() if chosen.enabled and venue in used & TRADEABLE]


def feed_plans(settings: Settings) -> list[LinePlan]:
    """How each venue's market data is received; raises Fatal when no venue is left to receive from."""
    venues = traded_venues(settings)
    if not venues:
        known = ", ".join(sorted(TRADEABLE))
        raise Fatal(f"no venue of the settings can be traded on live; expected an enabled one of {known}")
    limits = _limits(settings.feeds)
    return [_plan(settings, venue, limits) for venue in venues]


def _plan(settings: Settings, venue: VenueName, limits: FeedLimits) -> LinePlan:
    number, instruments = venue_numbers(settings)[venue], instrument_numbers(settings)
    addresses = venue_addresses(settings, venue)
    markets, routes = [], []
    for name, instrument in settings.instruments.items():
        market = instrument.markets.get(venue)
        if market is not None:
            value, size = market.contract_value_quote, market.contract_size_base
            markets.append(Market(market.symbol, market.price_decimals, market.quantity_decimals, value, size))
            exponents = (market.message_price_exponent, market.message_quantity_exponent)
            routes.append(Route(instruments[name], number, *exponents))
    symbols = [market.symbol for market in markets]
    return LinePlan(
        name=venue.value,
        venue=VENUES[venue.value],
        markets=tuple(markets),
        routes=tuple(routes),
        streams=(tuple(_stream(_at(addresses.streams, url)) for url in stream_urls(venue, symbols)),),
        snapshots=tuple(_at(addresses.http, url) for url in snapshot_urls(venue, symbols)),
        limits=limits,
    )


def _limits(feeds: FeedsSettings) -> FeedLimits:
    return FeedLimits(
        silence_s=feeds.silence_ms / 1e3,
        delay_s=feeds.delay_ms / 1e3,
        snapshot_every_s=feeds.snapshot_every_ms / 1e3,
        snapshot_pause_s=feeds.snapshot_pause_ms / 1e3,
        connect_s=feeds.connect_ms / 1e3,
        backoff=Backoff(
            first_s=feeds.retry_after_ms / 1e3, longest_s=feeds.retry_at_most_ms / 1e3, attempts=feeds.attempts
        ),
    )


def _stream(url: str) -> StreamAddress:
    """A connection; one that only carries trades may be quiet for long."""
    has_book = "@depth" in url
    return StreamAddress(url=url, has_book=has_book, silence_s=None if has_book else _QUIET_TRADES_S)


def _at(base: str, url: str) -> str:
    """The same path and query at another place."""
    parts = urlsplit(url)
    return f"{base}{parts.path}?{parts.query}" if base else url


def is_simulated(addresses: VenueAddresses) -> bool:
    """Whether a venue is a stand-in on this machine."""
    return urlsplit(addresses.http).hostname in ("127.0.0.1", "localhost", "::1")
