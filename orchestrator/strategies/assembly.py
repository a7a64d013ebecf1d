"""Strategies from settings."""

from __future__ import annotations

from decimal import Decimal

from config.base import EXACT
from config.settings import Settings
from config.strategies import MarketMakingSettings, StrategyName
from config.venues import VenueName
from market.errors import Fatal
from market.instruments import Catalogue, Instrument, Listing
from market.protocols import Strategy
from market.risk.notional import PPB
from orchestrator.engine.tables import venue_numbers
from orchestrator.run_loop.catalogue import catalogue
from orchestrator.strategies.arbitrage import Arbitrage, ArbitrageParameters
from orchestrator.strategies.flash_crash.plan import flash_crash_traders
from orchestrator.strategies.leg_closing import ClosingSettings
from orchestrator.strategies.market_making import MarketMaking, MarketMakingParameters
from orchestrator.strategies.protection import ProtectionParameters
from orchestrator.strategies.quoting import QuotingParameters
from orchestrator.strategies.sizing import Sizing
from orchestrator.strategies.stock import PPM, Stock

_MS = 1_000_000
_BPS = 10_000
_BPS_PPB = 100_000


def strategies(settings: Settings, listings: Catalogue, sizing: Sizing) -> list[Strategy]:
    """The strategies that are active, in their order; raises Fatal for one whose market is not in the settings."""
    made: list[Strategy] = []
    for name in settings.strategies.active:
        if name is StrategyName.ARBITRAGE:
            made.append(Arbitrage(arbitrage_parameters(settings), sizing=sizing))
        elif name is StrategyName.FLASH_CRASH:
            made += flash_crash_traders(settings, listings, sizing)
        elif settings.strategies.market_making is not None:
            parameters = market_making_parameters(settings, settings.strategies.market_making, listings)
            made.append(MarketMaking(parameters, sizing=sizing))
    return made


def arbitrage_parameters(settings: Settings) -> ArbitrageParameters:
    """Parameters of the arbitrage in counts; raises Fatal for a stock of what the settings do not list."""
    chosen = settings.strategies.arbitrage
    instruments = instruments_by_name(settings)
    venues = venue_numbers(settings)
    stocks = {}
    for stock in chosen.stocks.values():
        if stock.instrument not in instruments or stock.venue not in settings.instruments[stock.instrument].markets:
            raise Fatal(
                f"strategies.arbitrage.stocks names {stock.instrument} on {stock.venue}; expected a known market"
            )
        instrument = instruments[stock.instrument]
        stocks[instrument.number, venues[stock.venue]] = stock_counts(stock.base, stock.quote, instrument)
    margins = {
        instrument.number: _rounded_up(
            EXACT.multiply(settings.instruments[name].reference_price, chosen.safety_margin_bps) / _BPS,
            instrument.price_scale.exponent,
        )
        for name, instrument in instruments.items()
    }
    return ArbitrageParameters(
        safety_margin=margins,
        maximum_age_ns=chosen.maximum_age_ms * _MS,
        concurrent_plans=chosen.concurrent_plans,
        markets=tuple((listing.instrument.number, listing.venue) for listing in catalogue(settings).listings),
        stocks=stocks,
        taker_fee_ppb={
            number: _rounded_up(settings.venues[venue].taker_fee_bps * _BPS_PPB, 0) for venue, number in venues.items()
        },
        least_share_ppm=int(chosen.least_share * PPM),
        shadow_ns=chosen.shadow_ms * _MS,
        closing=ClosingSettings(
            patience_ns=chosen.patience_ms * _MS,
            retry_ns=chosen.retry_ms * _MS,
            longest_retry_ns=max(5_000, chosen.retry_ms) * _MS,
            maximum_quote_age_ns=chosen.maximum_quote_age_ms * _MS,
        ),
    )


def market_making_parameters(
    settings: Settings, chosen: MarketMakingSettings, listings: Catalogue
) -> MarketMakingParameters:
    """Parameters of market making in counts; raises Fatal for a market that the settings do not list."""
    instruments = instruments_by_name(settings)
    if chosen.instrument not in instruments or chosen.venue not in settings.instruments[chosen.instrument].markets:
        raise Fatal(f"strategies.market_making quotes {chosen.instrument} on {chosen.venue}; expected a known market")
    instrument = instruments[chosen.instrument]
    listing = listings.listing(instrument.number, venue_numbers(settings)[chosen.venue])
    has_stock = bool(chosen.base_stock or chosen.quote_stock)
    return MarketMakingParameters(
        market=(instrument.number, listing.venue),
        quoting=_quoting(chosen, instrument),
        protection=_protection(chosen, listing),
        repost_ppb=int(chosen.repost_bps * _BPS_PPB),
        maximum_quote_age_ns=chosen.maximum_quote_age_ms * _MS,
        stock=stock_counts(chosen.base_stock, chosen.quote_stock, instrument) if has_stock else None,
        maker_fee_ppb=_rounded_up(settings.venues[VenueName(chosen.venue)].maker_fee_bps * _BPS_PPB, 0),
    )


def instruments_by_name(settings: Settings) -> dict[str, Instrument]:
    """The instruments with their numbers and scales."""
    return {listing.instrument.name: listing.instrument for listing in catalogue(settings).listings}


def stock_counts(base: Decimal, quote: Decimal, instrument: Instrument) -> Stock:
    """A stock in counts, what is finer than these left away."""
    return Stock(
        base=_rounded_down(base, instrument.quantity_scale.exponent),
        quote=_rounded_down(quote, instrument.notional_exponent),
    )


def _quoting(chosen: MarketMakingSettings, instrument: Instrument) -> QuotingParameters:
    exponent = instrument.quantity_scale.exponent
    return QuotingParameters(
        quantity=_rounded_down(chosen.quantity, exponent),
        inventory_limit=_rounded_down(chosen.inventory_limit, exponent),
        spread_ppb=int(chosen.spread * PPB),
        leaning_ppm=int(chosen.leaning_share * PPM),
        leaning_widening_ppb=int(chosen.leaning_widening_bps * _BPS_PPB),
        microprice_weight_ppm=int(chosen.microprice_weight * PPM),
        imbalance_weight_ppb=int(chosen.imbalance_weight_bps * _BPS_PPB),
        size_skew_ppm=int(chosen.size_skew * PPM),
        protective_widening_ppm=int(chosen.protective_widening * PPM),
    )


def _protection(chosen: MarketMakingSettings, listing: Listing) -> ProtectionParameters:
    bucket = _rounded_down(chosen.vpin_bucket, listing.instrument.quantity_scale.exponent) // listing.lot
    return ProtectionParameters(
        vpin_bucket_lots=max(bucket, 1),
        vpin_buckets=chosen.vpin_buckets,
        vpin_limit=float(chosen.vpin_limit),
        toxicity_limit=float(chosen.toxicity_limit),
        wide_spread_bps=float(chosen.wide_spread_bps),
        volatility_window_ns=max(chosen.volatility_window_ms, 100) * _MS,
        volatility_limit_bps=float(chosen.volatility_limit_bps),
        news=tuple(news.window_ns for news in chosen.news.values()),
    )


def _rounded_down(value: Decimal, exponent: int) -> int:
    return int(value.scaleb(-exponent, EXACT))


def _rounded_up(value: Decimal, exponent: int) -> int:
    return -int((-value).scaleb(-exponent, EXACT).__floor__())
