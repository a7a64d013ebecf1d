"""Trading on paper as the settings say: a gateway that matches against the books of a feed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from config.settings import Settings
from config.venues import VenueName, VenueSettings
from market.instruments import Catalogue, Listing
from market.protocols import Clock, Feed, FeedMarket
from orchestrator.engine.tables import venue_numbers
from orchestrator.risk.limits import MARGIN_VENUES
from sim.exchange.venue.kinds import MarketKind
from sim.exchange.venue.model import UNITS
from sim.feed.mirrored_feed import MirroredFeed
from sim.gateway.paper_gateway import PaperGateway, PaperVenue, asset_names

_NS_PER_MS: Final = 1_000_000
_BPS_PPB: Final = 100_000


@dataclass(frozen=True)
class PaperTrading:
    """What a run on paper uses in place of its feed and of the venues."""

    feed: MirroredFeed
    gateway: PaperGateway


def paper_trading(settings: Settings, catalogue: Catalogue, feed: Feed, clock: Clock) -> PaperTrading:
    """Paper trading on every venue of a feed that the catalogue lists; raises Fatal for inverse contracts."""
    venues = [
        _venue(settings, name, number, markets)
        for name, number in venue_numbers(settings).items()
        if (markets := _markets(catalogue, feed, number))
    ]
    gateway = PaperGateway(venues, clock, settings.paper.latency_ms * _NS_PER_MS)
    return PaperTrading(MirroredFeed(feed, gateway), gateway)


def in_paper_lots(listing: Listing) -> Listing:
    """A listing of a venue that states no rules, in lots no finer than those with which paper money is exact."""
    least = UNITS.decimal(1) / listing.instrument.price_scale.decimal(listing.tick)
    return replace(listing, lot=max(listing.lot, listing.instrument.quantity_scale.count(least)))


def _markets(catalogue: Catalogue, feed: Feed, venue: int) -> tuple[tuple[Listing, FeedMarket], ...]:
    """The listings of a venue with their markets in the feed; of several sources the first counts."""
    found: dict[int, tuple[Listing, FeedMarket]] = {}
    for source in feed.sources:
        for market, route in zip(source.markets, source.routes, strict=True):
            if route is not None and route.venue == venue:
                found.setdefault(route.instrument, (catalogue.listing(route.instrument, venue), market))
    return tuple(found.values())


def _venue(
    settings: Settings, name: VenueName, number: int, markets: tuple[tuple[Listing, FeedMarket], ...]
) -> PaperVenue:
    kind = MarketKind.USD_MARGINED if name in MARGIN_VENUES else MarketKind.SPOT
    fees: VenueSettings = settings.venues[name]
    balances: dict[str, int] = {}
    for listing, _ in markets:
        base, quote = asset_names(listing)
        balances[quote] = UNITS.count(settings.paper.quote_balance)
        if kind is MarketKind.SPOT:
            balances[base] = UNITS.count(settings.paper.base_balance)
    return PaperVenue(
        venue=number,
        name=name.value,
        kind=kind,
        markets=markets,
        balances=balances,
        maker_ppb=int(fees.maker_fee_bps * _BPS_PPB),
        taker_ppb=int(fees.taker_fee_bps * _BPS_PPB),
    )
