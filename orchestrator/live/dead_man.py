"""The dead-man switch of a live run: one process that cancels everything at all venues when the run dies or hangs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from config.settings import Settings
from config.venues import VenueName
from market.errors import Retry
from market.instruments import Catalogue
from orchestrator.live.addresses import venue_addresses
from orchestrator.risk.dead_man import DeadManPlan
from orchestrator.risk.venue_cancel import Market, cancel_all

_MARKETS: Final = {VenueName.BINANCE_SPOT: Market.SPOT, VenueName.BINANCE_USDM: Market.USDM}
_BETWEEN: Final = ","


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
