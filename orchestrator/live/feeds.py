"""The live feed of a run: a source for every venue that the settings trade on."""

from __future__ import annotations

from urllib.parse import urlsplit

from config.addresses import AddressSettings
from config.credentials import Credentials
from config.settings import Settings
from config.venues import VenueName
from market.errors import Fatal
from orchestrator.feeds.assembly import source_plan
from orchestrator.feeds.feed import SourcePlan
from orchestrator.live.addresses import TRADEABLE, VenueAddresses, venue_addresses


def traded_venues(settings: Settings) -> list[VenueName]:
    """The venues that a live run uses: listed, enabled, and with a market of an instrument."""
    used = {venue for instrument in settings.instruments.values() for venue in instrument.markets}
    return [venue for venue, chosen in settings.venues.items() if chosen.enabled and venue in used & TRADEABLE]


def feed_plans(settings: Settings, credentials: Credentials) -> list[SourcePlan]:
    """How each venue's market data is received.

    Raises Fatal when no venue is left to receive from, MissingInput without a key that market data needs.
    """
    venues = traded_venues(settings)
    if not venues:
        known = ", ".join(sorted(TRADEABLE))
        raise Fatal(f"no venue of the settings can be traded on live; expected an enabled one of {known}")
    whole = _with_whole_addresses(settings, venues)
    key = credentials.binance_sbe_api_key
    sbe_key = "" if key is None else key.get_secret_value()
    return [source_plan(whole, venue, sbe_key=sbe_key) for venue in venues]


def is_simulated(addresses: VenueAddresses) -> bool:
    """Whether a venue is a stand-in on this machine."""
    return urlsplit(addresses.http).hostname in ("127.0.0.1", "localhost", "::1")


def _with_whole_addresses(settings: Settings, venues: list[VenueName]) -> Settings:
    """The same with every address of the venues filled in: one that is left out follows from the others."""
    filled = dict(settings.venues)
    for venue in venues:
        at = venue_addresses(settings, venue)
        if not at.is_own:
            addresses = AddressSettings(http=at.http, streams=at.streams, orders=at.orders)
            filled[venue] = filled[venue].model_copy(update={"addresses": addresses})
    return settings.model_copy(update={"venues": filled})
