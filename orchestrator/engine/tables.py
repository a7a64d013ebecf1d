"""Settings as table rows of the fast loop: exact integers, made with decimal arithmetic.

Whatever does not come out even is rounded to the safe side: fees, edges and thresholds up, limits and collar inwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Final

from config.base import EXACT
from config.engine import EngineSettings
from config.instruments import InstrumentSettings, MarketSettings
from config.instruments import Kind as KindSetting
from config.settings import Settings
from config.venues import VenueName, VenueSettings
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import FEE_FRACTION_BITS, IMBALANCE_FRACTION_BITS, EngineSizes, Kind
from market.wire.sbe import encode

BASIS_POINTS: Final = Decimal(10_000)
NS_PER_US: Final = 1_000
NS_PER_MS: Final = 1_000_000
KINDS: Final = {
    KindSetting.ARB: Kind.ARB,
    KindSetting.BASIS: Kind.BASIS,
    KindSetting.IMBALANCE: Kind.IMBALANCE,
}


def venue_numbers(settings: Settings) -> dict[VenueName, int]:
    """The engine's number of each venue: its place in the settings."""
    return {name: number for number, name in enumerate(settings.venues)}


def instrument_numbers(settings: Settings) -> dict[str, int]:
    """The engine's number of each instrument: its place in the settings."""
    return {name: number for number, name in enumerate(settings.instruments)}


def engine_sizes(settings: Settings) -> EngineSizes:
    """Sizes of the build that the settings ask for."""
    engine = settings.engine
    return EngineSizes(venues=engine.venues, instruments=engine.instruments, price_bits=engine.price_bits)


def control_messages(settings: Settings, *, first_sequence: int = 1) -> list[bytes]:
    """All table rows as control messages, in the order in which they are sent: engine, venues, instruments, scalings.

    Parameters
    ----------
    first_sequence: sequence number of the first message; the others follow without a gap.
    """
    rows = enumerate(_rows(settings), start=first_sequence)
    return [encode(SCHEMA, name, {"sequence": sequence, **values}) for sequence, (name, values) in rows]


def _rows(settings: Settings) -> Iterator[tuple[str, dict[str, Any]]]:
    """Message name and fields of each row."""
    venues = venue_numbers(settings)
    yield "EngineRow", engine_row(settings.engine)
    for venue_name in settings.venues:
        yield "VenueRow", numbered_venue_row(settings, venue_name)
    for number, (name, instrument) in enumerate(settings.instruments.items()):
        yield "InstrumentRow", numbered_instrument_row(settings, name)
        for venue_name, market in instrument.markets.items():
            yield "ScalingRow", {"instrument": number, "venue": venues[venue_name], **scaling_row(instrument, market)}


def numbered_venue_row(settings: Settings, name: VenueName) -> dict[str, Any]:
    """All fields of a venue's row."""
    return {"venue": venue_numbers(settings)[name], **venue_row(settings.venues[name])}


def numbered_instrument_row(settings: Settings, name: str) -> dict[str, Any]:
    """All fields of an instrument's row."""
    instrument = settings.instruments[name]
    leads = lead_masks(instrument, venue_numbers(settings), settings.engine.venues)
    return {"instrument": instrument_numbers(settings)[name], **instrument_row(instrument), "leads": leads}


def engine_row(engine: EngineSettings) -> dict[str, int]:
    """Fields of the engine row; durations in ns."""
    return {
        "rateInterval": engine.rate_interval_us * NS_PER_US,
        "rateTolerance": engine.rate_tolerance_us * NS_PER_US,
        "lease": engine.lease_ms * NS_PER_MS,
    }


def venue_row(venue: VenueSettings) -> dict[str, int]:
    """Fields of a venue row without its number; the fee is that of taking, in counts of 2^-20."""
    return {
        "enabled": int(venue.enabled),
        "fee": fee_count(venue.taker_fee_bps),
        "maximumAge": venue.maximum_age_ms * NS_PER_MS,
        "maximumSilence": venue.maximum_silence_ms * NS_PER_MS,
    }


def scaling_row(instrument: InstrumentSettings, market: MarketSettings) -> dict[str, int]:
    """Fields of a scaling row without its numbers."""
    return {
        "priceExponent": market.message_price_exponent,
        "quantityExponent": market.message_quantity_exponent,
        "priceShift": market.message_price_exponent - instrument.price_exponent,
        "quantityShift": market.message_quantity_exponent - instrument.quantity_exponent,
    }


def instrument_row(instrument: InstrumentSettings) -> dict[str, int]:
    """Fields of an instrument row without its number and leads; prices and quantities in the engine's counts."""
    price, quantity = instrument.price_exponent, instrument.quantity_exponent
    reference = instrument.reference_price
    notional = floor_count(instrument.maximum_notional_quote, price + quantity)
    return {
        "enabled": int(instrument.enabled),
        "kinds": sum(KINDS[kind].mask for kind in instrument.kinds),
        "basisShift": instrument.basis_shift,
        "imbalanceThreshold": _ceiling(EXACT.multiply(instrument.imbalance_threshold, 1 << IMBALANCE_FRACTION_BITS)),
        "minimumEdge": ceiling_count(share(instrument.minimum_edge_bps, reference), price),
        "basisThreshold": ceiling_count(share(instrument.basis_threshold_bps, 2 * reference), price),
        "basisInterval": instrument.basis_interval_ms * NS_PER_MS,
        "maximumSpread": floor_count(share(instrument.maximum_spread_bps, reference), price),
        "minimumQuantity": ceiling_count(instrument.minimum_quantity, quantity),
        "maximumQuantity": floor_count(instrument.maximum_quantity, quantity),
        "priceLow": ceiling_count(instrument.price_low, price),
        "priceHigh": floor_count(instrument.price_high, price),
        "maximumNotionalLow": notional & (1 << 64) - 1,
        "maximumNotionalHigh": notional >> 64,
        "basisWarmUp": instrument.basis_warm_up,
        "cooldown": instrument.cooldown_ms * NS_PER_MS,
        "positionLimit": floor_count(instrument.position_limit, quantity),
    }


def lead_masks(instrument: InstrumentSettings, venues: Mapping[VenueName, int], count: int) -> list[dict[str, int]]:
    """Entries of the group ``leads``, one per venue of the build: bit w of entry v says that v leads w."""
    masks = [0] * count
    for name, market in instrument.markets.items():
        masks[venues[name]] = sum(1 << venues[follower] for follower in market.leads)
    return [{"mask": mask} for mask in masks]


def fee_count(fee_bps: Decimal) -> int:
    """A fee as a signed count of 2^-20, rounded up."""
    return _ceiling(EXACT.divide(EXACT.multiply(fee_bps, 1 << FEE_FRACTION_BITS), BASIS_POINTS))


def share(bps: Decimal, of: Decimal) -> Decimal:
    """So many basis points of a value, exactly."""
    return EXACT.divide(EXACT.multiply(bps, of), BASIS_POINTS)


def floor_count(value: Decimal, exponent: int) -> int:
    """Whole counts of ``10^exponent`` in a value."""
    return int(value.scaleb(-exponent, EXACT).to_integral_value(ROUND_FLOOR, EXACT))


def ceiling_count(value: Decimal, exponent: int) -> int:
    """Counts of ``10^exponent`` that cover a value."""
    return _ceiling(value.scaleb(-exponent, EXACT))


def _ceiling(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_CEILING, EXACT))
