"""The markets of a live run with the venues' own rules: lots, limits, assets."""

from __future__ import annotations

from collections.abc import Iterable

from config.execution import Mode
from config.settings import Settings
from config.venues import VenueName
from market.errors import Fatal
from market.instruments import Catalogue, Listing
from orchestrator.execution.venue_rules import with_rules
from orchestrator.live.addresses import venue_addresses
from orchestrator.live.feeds import states_rules
from orchestrator.live.http_json import Ask, fetch_json
from orchestrator.live.paper import in_paper_lots
from orchestrator.run_loop.catalogue import catalogue


def live_catalogue(settings: Settings, venues: Iterable[VenueName], mode: Mode, ask: Ask = fetch_json) -> Catalogue:
    """Listings of some venues as they are traded there now; as the settings have them where no venue is asked.

    Raises Retry when a venue does not answer, Rejected when it refuses, Fatal when it does not trade what the settings
    list.
    """
    listed = catalogue(settings)
    found: list[Listing] = []
    for venue in venues:
        own = [listing for listing in listed.listings if listing.venue_name == venue.value]
        if not states_rules(settings, venue, mode):
            found += map(in_paper_lots, own)
            continue
        addresses = venue_addresses(settings, venue)
        information = ask(f"{addresses.http}{addresses.api}/exchangeInfo")
        try:
            found += with_rules(own, information)
        except (KeyError, TypeError, AttributeError) as error:
            raise Fatal(f"{venue}: exchangeInfo has another form than expected: {error!r}") from error
    return Catalogue(found)
