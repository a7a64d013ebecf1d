"""From settings to the market signals of a replay."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from config.instruments import InstrumentSettings, MarketSettings
from config.settings import Settings
from config.signals import SignalsSettings
from market.pipeline.signal_stage import SignalPlan
from market.signals.flow import FlowSettings
from market.signals.iceberg import IcebergSettings
from market.signals.layout import LARGEST_QUANTITY
from market.signals.profile import ProfileSettings
from market.signals.streaming import SignalSettings
from market.signals.vpin import VpinSettings
from orchestrator.engine.tables import NS_PER_MS, instrument_numbers, venue_numbers

_NS_PER_S: Final = 1_000_000_000
_LARGEST_NOTIONAL: Final = (1 << 62) - 1


def signal_plan(settings: Settings) -> SignalPlan | None:
    """The signals of every market that the settings trade; None when they ask for none."""
    signals = settings.replay.signals
    if not signals.sample_interval_ms:
        return None
    venues, instruments = venue_numbers(settings), instrument_numbers(settings)
    return SignalPlan(
        interval_ns=signals.sample_interval_ms * NS_PER_MS,
        settings={
            (instruments[name], venues[venue]): _of_market(signals, instrument, market)
            for name, instrument in settings.instruments.items()
            for venue, market in instrument.markets.items()
        },
    )


def _of_market(signals: SignalsSettings, instrument: InstrumentSettings, market: MarketSettings) -> SignalSettings:
    """A small print is one that is no larger than the smallest quantity we trade; VAMP fills our largest leg."""
    notional = instrument.maximum_notional_quote.scaleb(market.price_decimals + market.quantity_decimals)
    return SignalSettings(
        vpin=VpinSettings(
            bucket_lots=_lots(signals.vpin_bucket_quote / instrument.reference_price, market),
            buckets=signals.vpin_buckets,
        ),
        flow=FlowSettings(window_ns=signals.flow_window_s * _NS_PER_S),
        icebergs=IcebergSettings(small_print_lots=_lots(instrument.minimum_quantity, market)),
        profile=ProfileSettings(notional=int(notional) if notional <= _LARGEST_NOTIONAL else 0),
    )


def _lots(quantity: Decimal, market: MarketSettings) -> int:
    """A quantity in base currency as whole lots, at least one and at most what the signals can count."""
    return min(max(int(quantity.scaleb(market.quantity_decimals)), 1), LARGEST_QUANTITY)
