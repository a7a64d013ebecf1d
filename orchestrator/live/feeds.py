"""The live feed of a run: a source for every venue that it trades on, for real or on paper."""

from __future__ import annotations

from urllib.parse import urlsplit

from config.addresses import AddressSettings
from config.credentials import Credentials
from config.execution import Mode
from config.feeds import FeedForm
from config.settings import Settings
from config.venues import VenueName
from market.errors import Fatal
from orchestrator.feeds.assembly import source_plan
from orchestrator.feeds.feed import SourcePlan
from orchestrator.live.addresses import TRADEABLE, VenueAddresses, venue_addresses


def traded_venues(settings: Settings, mode: Mode = Mode.LIVE) -> list[VenueName]:
    """The venues that a run uses: listed, enabled, with a market of an instrument, and one that it can trade on.

    Real orders can be sent to ``TRADEABLE`` venues. On paper it is any venue besides whose market data
    ``[feeds.sources]`` describes. Raises Fatal when real orders are to go where they cannot.
    """
    used = {venue for instrument in settings.instruments.values() for venue in instrument.markets}
    chosen = [
        venue
        for venue, described in settings.venues.items()
        if described.enabled and venue in used and (venue in TRADEABLE or venue in settings.feeds.sources)
    ]
    beyond = [venue.value for venue in chosen if venue not in TRADEABLE]
    if beyond and mode is Mode.LIVE:
        known = ", ".join(sorted(TRADEABLE))
        raise Fatal(
            f"real orders cannot be sent to {', '.join(beyond)}; expected venues of {known}: "
            "trade there with `tickwire paper`, or set enabled = false"
        )
    return chosen


def feed_plans(settings: Settings, credentials: Credentials, mode: Mode = Mode.LIVE) -> list[SourcePlan]:
    """How each venue's market data is received.

    Raises Fatal when no venue is left to receive from, MissingInput without a key that market data needs.
    """
    venues = traded_venues(settings, mode)
    if not venues:
        known = ", ".join(sorted(TRADEABLE))
        raise Fatal(
            f"no venue of the settings can be traded on live; expected an enabled one of {known}, or on paper one "
            "whose market data is described under [feeds.sources]"
        )
    whole = _with_whole_addresses(settings, venues)
    key = credentials.binance_sbe_api_key
    sbe_key = "" if key is None else key.get_secret_value()
    return [source_plan(whole, venue, sbe_key=sbe_key) for venue in venues]


def states_rules(settings: Settings, venue: VenueName, mode: Mode) -> bool:
    """Whether a venue is asked for its own rules: lots, limits, assets. Else those of the settings hold."""
    source = settings.feeds.sources.get(venue)
    elsewhere = source is not None and source.form in (FeedForm.CCXT, FeedForm.UDP)
    return venue in TRADEABLE and (mode is Mode.LIVE or not elsewhere)


def described(settings: Settings, venue: VenueName, mode: Mode) -> str:
    """Where a venue is and what of it is used, for people."""
    source = settings.feeds.sources.get(venue)
    if not states_rules(settings, venue, mode) and source is not None:
        udp, addresses = source.udp, settings.venues[venue].addresses
        where = f" at {addresses.http}" if addresses.http else ""
        over = f"udp {udp.address}:{udp.port}" if source.form is FeedForm.UDP else f"{source.form}{where}"
        return f"{venue} over {over} (market data only)"
    at = venue_addresses(settings, venue)
    kind = "simulated" if is_simulated(at) else "REAL" if mode is Mode.LIVE else "market data only"
    return f"{venue} at {at.http} ({kind}), orders by {settings.execution.order_path}"


def is_simulated(addresses: VenueAddresses) -> bool:
    """Whether a venue is a stand-in on this machine."""
    return urlsplit(addresses.http).hostname in ("127.0.0.1", "localhost", "::1")


def _with_whole_addresses(settings: Settings, venues: list[VenueName]) -> Settings:
    """The same with every address of the venues filled in: one that is left out follows from the others."""
    filled = dict(settings.venues)
    for venue in venues:
        given = filled[venue].addresses
        if not (given.http or given.streams or given.orders):
            continue
        if venue in TRADEABLE:
            at = venue_addresses(settings, venue)
            given = AddressSettings(http=at.http, streams=at.streams, orders=at.orders)
        elif not given.streams:
            given = AddressSettings(http=given.http, streams=given.http.replace("http", "ws", 1))
        filled[venue] = filled[venue].model_copy(update={"addresses": given})
    return settings.model_copy(update={"venues": filled})
