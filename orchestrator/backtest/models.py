"""From settings to how orders are matched on a venue, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from config.backtest import BacktestVenueSettings, Queue, SlippageModel
from config.settings import Settings
from config.venues import VenueName
from orchestrator.risk.limits import MARGIN_VENUES
from sim.backtest.core import MatchModel
from sim.backtest.funding import AssumedFunding, MarketFunding, StatedFunding, funded, is_perpetual, stated_funding
from sim.backtest.latency import Latency
from sim.backtest.latency_file import placed_samples, read_latency
from sim.backtest.layout import QueueModel, Slippage
from sim.backtest.tape import Tape
from sim.replay.feed import FeedMarket, FeedSettings
from sim.replay.source import SourceSettings

_NS_PER_US: Final = 1_000
_NS_PER_MINUTE: Final = 60 * 10**9
_BPS_PPB: Final = 100_000
QUEUES: Final = {
    Queue.RISK_AVERSE: QueueModel.RISK_AVERSE,
    Queue.POWER: QueueModel.POWER,
    Queue.POWER_2: QueueModel.POWER_2,
    Queue.POWER_3: QueueModel.POWER_3,
    Queue.LOG: QueueModel.LOG,
    Queue.LOG_2: QueueModel.LOG_2,
}
SLIPPAGES: Final = {
    SlippageModel.NONE: Slippage.NONE,
    SlippageModel.FIXED: Slippage.FIXED,
    SlippageModel.SPREAD: Slippage.SPREAD,
    SlippageModel.SQUARE_ROOT: Slippage.SQUARE_ROOT,
}


def of_venue(settings: Settings, venue: VenueName) -> BacktestVenueSettings:
    """What is set of a venue, the rest from what holds on all."""
    backtest = settings.backtest
    own = backtest.venues.get(venue, BacktestVenueSettings())
    return own.model_copy(
        update={
            "entry_us": backtest.entry_us if own.entry_us is None else own.entry_us,
            "response_us": backtest.response_us if own.response_us is None else own.response_us,
            "slippage": own.slippage or backtest.slippage,
            "funding": own.funding or backtest.funding,
        }
    )


def match_model(settings: Settings, venue: VenueName, market: FeedMarket, latency: Latency) -> MatchModel:
    """How orders are matched on a market of a venue, as the settings say."""
    backtest, fees = settings.backtest, settings.venues[venue]
    slippage = of_venue(settings, venue).slippage or backtest.slippage
    decimals = market.price_decimals + market.quantity_decimals
    return MatchModel(
        queue=QUEUES[backtest.queue],
        exponent=float(backtest.queue_exponent),
        partial=backtest.partial_fills,
        impact=backtest.own_impact,
        maker_ppb=int(fees.maker_fee_bps * _BPS_PPB),
        taker_ppb=int(fees.taker_fee_bps * _BPS_PPB),
        slippage=SLIPPAGES[slippage.model],
        slippage_ppb=int(slippage.share_bps * _BPS_PPB),
        slippage_worth=max(float(slippage.reference_worth.scaleb(decimals)), 1.0),
        latency=latency,
        lots_per_unit=10**market.quantity_decimals,
    )


def latency_of(settings: Settings, venue: VenueName, first_ns: int, last_ns: int) -> Latency:
    """Latency of a venue's orders; raises MissingInput for a file of samples that cannot be read."""
    own = of_venue(settings, venue)
    if own.latency_samples is not None:
        return placed_samples(read_latency(Path(own.latency_samples)), first_ns, last_ns)[0]
    return Latency((own.entry_us or 0) * _NS_PER_US, (own.response_us or 0) * _NS_PER_US)


def with_funding(settings: Settings, sources: Sequence[FeedSettings], tape: Tape) -> Tape:
    """A tape with the payments of its perpetual futures, as the recordings state them, else as the settings do."""
    markets: dict[int, MarketFunding] = {}
    number = 0
    for source in sources:
        venue, stated = VenueName(source.name), list[StatedFunding]()
        if venue in MARGIN_VENUES and isinstance(source, SourceSettings):
            stated = stated_funding(source)
        for market in source.markets:
            if venue in MARGIN_VENUES and is_perpetual(market.symbol):
                own = [one for one in stated if one.symbol == market.symbol]
                markets[number] = MarketFunding(own, _assumed(settings, venue))
            number += 1
    return funded(tape, markets)


def _assumed(settings: Settings, venue: VenueName) -> AssumedFunding | None:
    funding = of_venue(settings, venue).funding or settings.backtest.funding
    if not funding.rate_bps:
        return None
    return AssumedFunding(int(funding.rate_bps * _BPS_PPB), funding.interval_minutes * _NS_PER_MINUTE)
