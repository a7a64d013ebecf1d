"""From settings and files to what a backtest is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from config.backtest import BacktestSettings
from config.settings import Settings
from config.venues import VenueName
from market.errors import MissingInput
from market.instruments import Catalogue, Listing
from market.protocols import MarketKey
from orchestrator.backtest.models import QUEUES as QUEUES
from orchestrator.backtest.models import latency_of, match_model, with_funding
from orchestrator.replay.plan import SourceFile, session_settings
from orchestrator.risk.limits import MARGIN_VENUES
from orchestrator.run_loop.catalogue import catalogue
from sim.backtest.core import BacktestCore, MatchModel
from sim.backtest.gateway import BacktestMarket
from sim.backtest.order_tape import ORDER_FORMATS, states_orders
from sim.backtest.tape import Tape, TapeClock, read_tape
from sim.gateway.balances import AssetKey
from sim.gateway.paper_gateway import asset_names
from sim.replay.feed import FeedMarket, FeedSettings
from sim.replay.packet_source import PacketSourceSettings
from sim.replay.source import SourceSettings

_NS_PER_US: Final = 1_000


@dataclass(frozen=True, eq=False)
class Plan:
    """What a backtest is made of, read and ready.

    Parameters
    ----------
    sources: the recordings, for the feed. tape: the same, for the exchanges. models: one per market of the tape.
    markets: those that can be traded, in ticks and lots of the tape.
    """

    settings: Settings
    sources: tuple[FeedSettings, ...]
    tape: Tape
    models: tuple[MatchModel, ...]
    catalogue: Catalogue
    markets: dict[MarketKey, BacktestMarket]
    balances: dict[AssetKey, Decimal]

    def core(self) -> BacktestCore:
        """The exchanges at the beginning."""
        return BacktestCore(self.tape, self.models, keeps_received=False)


def read_plan(settings: Settings, files: Sequence[SourceFile]) -> Plan:
    """Read recordings; raises MissingInput for one that cannot be read, holds no book or is packets of price levels."""
    lags_ns = {venue: own.lag_us * _NS_PER_US for venue, own in settings.backtest.venues.items()}
    planned = session_settings(settings, list(files), lags_ns=lags_ns)
    sources = tuple(_playable(source) for source in planned.sources)
    tape = with_funding(settings, sources, read_tape(sources, tape_clock(settings), quotes=True))
    return plan_over(settings, sources, tape, catalogue(settings))


def tape_clock(settings: Settings) -> TapeClock:
    """How the clocks of recordings are read."""
    return TapeClock(least_ns=settings.backtest.least_feed_us * _NS_PER_US)


def plan_over(settings: Settings, sources: Sequence[FeedSettings], tape: Tape, listings: Catalogue) -> Plan:
    """A backtest over sources that are named as venues, and the tape that was made of them in the same order."""
    listings = _named(listings)
    markets: dict[MarketKey, BacktestMarket] = {}
    models: list[MatchModel] = []
    for source in sources:
        name = VenueName(source.name)
        latency = latency_of(settings, name, tape.first_ns, tape.last_ns)
        for market, route in zip(source.markets, source.routes, strict=True):
            models.append(match_model(settings, name, market, latency))
            if route is not None:
                listing = _in_steps_of(listings.listing(route.instrument, route.venue), market)
                is_derivative = name in MARGIN_VENUES
                markets[route.instrument, route.venue] = BacktestMarket(len(models) - 1, listing, is_derivative)
    balances = _balances(settings.backtest, markets.values())
    return Plan(settings, tuple(sources), tape, tuple(models), listings, markets, balances)


def _in_steps_of(listing: Listing, market: FeedMarket) -> Listing:
    """A listing in the ticks and lots of a recording: the venue's own may be coarser."""
    instrument = listing.instrument
    return replace(
        listing,
        tick=10 ** (-market.price_decimals - instrument.price_scale.exponent),
        lot=10 ** (-market.quantity_decimals - instrument.quantity_scale.exponent),
    )


def _playable(source: FeedSettings) -> SourceSettings | PacketSourceSettings:
    if isinstance(source, SourceSettings):
        return source
    if isinstance(source, PacketSourceSettings) and states_orders(source):
        return source
    raise MissingInput(
        f"{source.path} is a capture of packets of {source.name}: a backtest needs recorded lines, a feed capture, or "
        f"packets that state every order, those of {' or '.join(form.value for form in ORDER_FORMATS)}"
    )


def _named(listings: Catalogue) -> Catalogue:
    """The same with names for what changes hands."""
    named: list[Listing] = []
    for listing in listings.listings:
        base, quote = asset_names(listing)
        if listing.symbol.startswith(base):
            quote = listing.symbol.removeprefix(base).partition("_")[0]
        named.append(replace(listing, base_asset=base, quote_asset=quote or "QUOTE"))
    return Catalogue(named)


def _balances(backtest: BacktestSettings, markets: Iterable[BacktestMarket]) -> dict[AssetKey, Decimal]:
    """What is held at the start."""
    held: dict[AssetKey, Decimal] = {}
    for market in markets:
        listing = market.listing
        held[listing.venue, listing.quote_asset] = backtest.quote_balance
        # Inverse contracts are margined in what they are of.
        if not market.is_derivative or listing.contract_value:
            held[listing.venue, listing.base_asset] = backtest.base_balance
    return held
