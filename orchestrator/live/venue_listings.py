"""The markets of a live run with the venues' own rules: lots, limits, assets."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from config.settings import Settings
from config.venues import VenueName
from market.errors import Fatal, MissingInput, Retry
from market.instruments import Catalogue, Listing
from orchestrator.execution.venue_rules import with_rules
from orchestrator.live.addresses import venue_addresses
from orchestrator.run_loop.catalogue import catalogue

_TIMEOUT_S: Final = 15.0
_TOO_OFTEN: Final = (418, 429)
Ask = Callable[[str], Mapping[str, Any]]
"""Gets a JSON object from an address."""


def fetch_json(url: str) -> Mapping[str, Any]:
    """A JSON object from an address; raises MissingInput when there is none, Retry when it was asked for too often."""
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:
            content = json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code in _TOO_OFTEN:
            pause = error.headers.get("Retry-After", "a minute")
            raise Retry(f"{url} was asked too often ({error.code}): try again in {pause} s") from error
        raise MissingInput(f"{url} answered {error.code}; see `tickwire doctor`") from error
    except (OSError, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise MissingInput(f"{url} did not answer with JSON: {reason}; see `tickwire doctor`") from error
    if not isinstance(content, dict):
        raise MissingInput(f"{url} answered a {type(content).__name__}; expected an object")
    return content


def live_catalogue(settings: Settings, venues: Iterable[VenueName], ask: Ask = fetch_json) -> Catalogue:
    """Listings of some venues as they are traded there now.

    Raises MissingInput when a venue does not answer, Fatal when it does not trade what the settings list.
    """
    listed = catalogue(settings)
    found: list[Listing] = []
    for venue in venues:
        addresses = venue_addresses(settings, venue)
        own = [listing for listing in listed.listings if listing.venue_name == venue.value]
        information = ask(f"{addresses.http}{addresses.api}/exchangeInfo")
        try:
            found += with_rules(own, information)
        except (KeyError, TypeError, AttributeError) as error:
            raise Fatal(f"{venue}: exchangeInfo has another form than expected: {error!r}") from error
    return Catalogue(found)
