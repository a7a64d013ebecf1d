"""From settings to the flash-crash traders of a run."""

from __future__ import annotations

from decimal import Decimal

from config.base import EXACT
from config.flash_crash import FlashCrashMarket, FlashCrashThresholds
from config.settings import Settings
from market.errors import Fatal
from market.instruments import Catalogue, Listing
from orchestrator.detector.plan import detector_settings
from orchestrator.engine.tables import venue_numbers
from orchestrator.strategies.flash_crash.event_watch import MarketWatch
from orchestrator.strategies.flash_crash.parameters import (
    PPM,
    EntryParameters,
    ExitParameters,
    FlashCrashParameters,
    SizeParameters,
)
from orchestrator.strategies.flash_crash.trader import FlashCrash
from orchestrator.strategies.sizing import Sizing

_MS = 1_000_000


def flash_crash_traders(settings: Settings, listings: Catalogue, sizing: Sizing) -> list[FlashCrash]:
    """A trader for each market of the settings; raises Fatal for a market that they do not list."""
    numbers, venues = list(settings.instruments), venue_numbers(settings)
    made: list[FlashCrash] = []
    for name, market in settings.strategies.flash_crash.markets.items():
        listed = settings.instruments.get(market.instrument)
        if listed is None or market.venue not in listed.markets:
            raise Fatal(
                f"strategies.flash_crash.markets.{name} names {market.instrument} on {market.venue}; "
                "expected a known market"
            )
        listing = listings.listing(numbers.index(market.instrument), venues[market.venue])
        parameters = flash_crash_parameters(settings, market, listing)
        written = listed.markets[market.venue]
        watched = detector_settings(
            settings.detector.thresholds(market.instrument),
            price_decimals=written.price_decimals,
            quantity_decimals=written.quantity_decimals,
        )
        tag = trader_tag(listing.instrument.number, listing.venue)
        made.append(FlashCrash(parameters, MarketWatch(parameters, watched), tag, sizing))
    return made


def trader_tag(instrument: int, venue: int) -> str:
    """Tag of the trader of a market."""
    return f"fc{instrument}_{venue}"


def flash_crash_parameters(settings: Settings, market: FlashCrashMarket, listing: Listing) -> FlashCrashParameters:
    """Parameters of one market in counts."""
    instrument = settings.instruments[market.instrument]
    written = instrument.markets[market.venue]
    chosen = settings.strategies.flash_crash.thresholds(settings.detector.profile, market)
    notional = listing.instrument.notional_exponent
    return FlashCrashParameters(
        market=(listing.instrument.number, listing.venue),
        price_unit=10 ** (-written.price_decimals - instrument.price_exponent),
        quantity_unit=10 ** (-written.quantity_decimals - instrument.quantity_exponent),
        size=SizeParameters(
            capital=_counts(market.capital_quote, notional),
            share_ppm=_ppm(chosen.equity_share),
            maximum_quantity=_counts(instrument.maximum_quantity, instrument.quantity_exponent),
            maximum_notional=_counts(instrument.maximum_notional_quote, notional),
        ),
        entry=_entry(chosen, _counts(market.minimum_volume, instrument.quantity_exponent)),
        exits=_exits(chosen),
    )


def _entry(chosen: FlashCrashThresholds, minimum_volume: int) -> EntryParameters:
    return EntryParameters(
        entry_ppm=_ppm(chosen.entry_percentile),
        exit_ppm=_ppm(chosen.exit_percentile),
        shift_ppm=_ppm(chosen.percentile_shift),
        minimum_range_ppm=_ppm(chosen.minimum_range),
        volume_multiple_ppm=_ppm(chosen.volume_multiple),
        volume_seconds=chosen.volume_window_s,
        minimum_volume=minimum_volume,
        score=float(chosen.entry_score),
        lowered_score=float(chosen.lowered_entry_score),
        cooldown_ns=chosen.cooldown_ms * _MS,
        loss_cooldown_ns=chosen.loss_cooldown_ms * _MS,
        lifetime_ns=chosen.entry_lifetime_ms * _MS,
        concurrent=chosen.concurrent_trades,
        range_samples=chosen.range_samples,
        extremum_seconds=chosen.extremum_window_s,
    )


def _exits(chosen: FlashCrashThresholds) -> ExitParameters:
    return ExitParameters(
        stop_ppm=_ppm(chosen.stop_loss),
        maximum_hold_ns=chosen.maximum_hold_ms * _MS,
        exits_bearish=chosen.exits_bearish,
        gap_ppm=_ppm(chosen.negative_gap),
        reversal_ppm=_ppm(chosen.sudden_reversal),
        trailing_ppm=_ppm(chosen.trailing_stop),
        decay_after_ns=chosen.decay_after_ms * _MS,
        decay_over_ns=chosen.decay_over_ms * _MS,
        retry_ns=chosen.retry_ms * _MS,
    )


def _ppm(share: Decimal) -> int:
    return int(EXACT.multiply(share, Decimal(PPM)))


def _counts(value: Decimal, exponent: int) -> int:
    """What is finer than a count is left away."""
    return int(value.scaleb(-exponent, EXACT))
