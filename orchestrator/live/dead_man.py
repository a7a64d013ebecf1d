"""The dead-man switch of a live run: one process that cancels everything at all venues when the run dies or hangs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from config.settings import Settings
from config.venues import VenueName
from market.errors import Retry
from market.instruments import Catalogue
from orchestrator.execution.gateway import VenueGateway
from orchestrator.live.addresses import venue_addresses
from orchestrator.risk.countdown import CountdownRenewal
from orchestrator.risk.dead_man import DeadManPlan
from orchestrator.risk.limits import MARGIN_VENUES
from orchestrator.risk.venue_cancel import Market, cancel_all

_MARKETS: Final = {VenueName.BINANCE_SPOT: Market.SPOT, VenueName.BINANCE_USDM: Market.USDM}
_BETWEEN: Final = ","
_RENEWALS: Final = 3
"""Renewals per countdown: two may be lost. Each weighs 10 per symbol; with every beat they would use up the limit."""


def dead_man_plan(settings: Settings, catalogue: Catalogue, venues: Sequence[VenueName]) -> DeadManPlan:
    """What the process does: cancel all orders of the run's markets."""
    words = [
        _BETWEEN.join(
            (
                _MARKETS[venue].value,
                venue_addresses(settings, venue).http,
                *(listing.symbol for listing in catalogue.listings if listing.venue_name == venue.value),
            )
        )
        for venue in venues
    ]
    return DeadManPlan(f"{__name__}:cancel_everywhere", tuple(words), settings.risk.dead_man.patience_ms)


def countdowns(
    settings: Settings, catalogue: Catalogue, gateways: Mapping[int, VenueGateway]
) -> Iterator[CountdownRenewal]:
    """The switches that futures venues have themselves; each ends its orders if it is not renewed."""
    dead_man = settings.risk.dead_man
    for venue, gateway in gateways.items():
        futures = [
            listing.symbol
            for listing in catalogue.listings
            if listing.venue == venue and VenueName(listing.venue_name) in MARGIN_VENUES
        ]
        if futures:
            every_ms = max(dead_man.beat_ms, dead_man.countdown_ms // _RENEWALS)
            yield CountdownRenewal(futures, gateway.set_countdown, dead_man.countdown_ms, every_ms)


def cancel_everywhere(words: Sequence[str]) -> None:
    """Cancel at every venue; a word each: market, address and symbols. Raises Retry naming all that failed."""
    failures = []
    for word in words:
        try:
            cancel_all(word.split(_BETWEEN))
        except Retry as failure:
            failures.append(str(failure))
    if failures:
        raise Retry("; ".join(failures))
