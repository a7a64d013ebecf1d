"""Table rows of the control protocol: each function checks one whole row and stores it, or refuses it.

``message`` is the address of a whole message whose length has been checked. All return a ``Refusal``.
"""

from __future__ import annotations

from typing import Final

from market.fastpath import layout, state
from market.fastpath.arithmetic import product_exceeds
from market.fastpath.specification import (
    BASIS_SHIFT_LIMIT,
    DURATION_LIMIT_NS,
    FEE_LIMIT,
    IMBALANCE_ONE,
    NO_INSTRUMENT,
    RATE_INTERVAL_LEAST_NS,
    RATE_TOLERANCE_INTERVALS,
    SCALING_SHIFT_LIMIT,
    Feed,
    Kind,
    Refusal,
)
from market.native.kernel import inline, part
from market.native.memory import get, load_i8, load_i32, load_i64, load_u8, load_u16, load_u32, put

ACCEPTED: Final = int(Refusal.NONE)
UNKNOWN_ROW: Final = int(Refusal.UNKNOWN_ROW)
BAD_VALUE: Final = int(Refusal.BAD_VALUE)
QUANTITY_ORDER: Final = int(Refusal.QUANTITY_ORDER)
NOTIONAL: Final = int(Refusal.NOTIONAL)
_KINDS: Final = sum(kind.mask for kind in Kind)
_FEED_FIRST: Final = int(min(Feed))
_FEED_LAST: Final = int(max(Feed))


@inline
def is_duration(value_ns: int) -> bool:
    """Whether a value is a duration: 0..2^56 - 1 ns."""
    return 0 <= value_ns < DURATION_LIMIT_NS


@inline
def is_count(engine: int, value: int) -> bool:
    """Whether a value is a price or a quantity of the build, zero included: 0..2^P - 1."""
    return 0 <= value <= get(engine, state.TOP)


@inline
def is_flag(value: int) -> bool:
    """Whether a value is 0 or 1."""
    return 0 <= value <= 1


@part
def write_engine_row(engine: int, message: int) -> int:
    """Rate limit and lease."""
    interval = load_i64(message, layout.ENGINE_ROW_RATE_INTERVAL)
    tolerance = load_i64(message, layout.ENGINE_ROW_RATE_TOLERANCE)
    lease = load_i64(message, layout.ENGINE_ROW_LEASE)
    if not (is_duration(interval) and is_duration(tolerance) and is_duration(lease)):
        return BAD_VALUE
    if interval < RATE_INTERVAL_LEAST_NS or tolerance > RATE_TOLERANCE_INTERVALS * interval:
        return BAD_VALUE
    put(engine, state.RATE_INTERVAL, interval)
    put(engine, state.RATE_TOLERANCE, tolerance)
    put(engine, state.LEASE, lease)
    return ACCEPTED


@part
def write_venue_row(engine: int, message: int) -> int:
    """A venue's fee and how old or silent it may be."""
    venue = load_u8(message, layout.VENUE_ROW_VENUE)
    fee = load_i32(message, layout.VENUE_ROW_FEE)
    age, silence = load_i64(message, layout.VENUE_ROW_MAXIMUM_AGE), load_i64(message, layout.VENUE_ROW_MAXIMUM_SILENCE)
    if venue >= get(engine, state.VENUES):
        return UNKNOWN_ROW
    enabled = load_u8(message, layout.VENUE_ROW_ENABLED)
    if not is_flag(enabled) or abs(fee) >= FEE_LIMIT or not is_duration(age) or not is_duration(silence):
        return BAD_VALUE
    row = state.venue_row(engine, venue)
    put(row, state.VENUE_ENABLED, enabled)
    put(row, state.FEE, fee)
    put(row, state.MAXIMUM_AGE, age)
    put(row, state.MAXIMUM_SILENCE, silence)
    return ACCEPTED


@inline
def _power_of_ten(exponent: int) -> int:
    factor = 1
    for _ in range(exponent):
        factor *= 10
    return factor


@part
def write_scaling_row(engine: int, message: int) -> int:
    """The exponents that a venue's messages about an instrument carry, and what they are multiplied by."""
    instrument = load_u16(message, layout.SCALING_ROW_INSTRUMENT)
    venue = load_u8(message, layout.SCALING_ROW_VENUE)
    price_shift = load_u8(message, layout.SCALING_ROW_PRICE_SHIFT)
    quantity_shift = load_u8(message, layout.SCALING_ROW_QUANTITY_SHIFT)
    if instrument >= get(engine, state.INSTRUMENTS) or venue >= get(engine, state.VENUES):
        return UNKNOWN_ROW
    if price_shift > SCALING_SHIFT_LIMIT or quantity_shift > SCALING_SHIFT_LIMIT:
        return BAD_VALUE
    quote = state.quote_of(state.instrument_row(engine, instrument), venue)
    put(quote, state.PRICE_EXPONENT, load_i8(message, layout.SCALING_ROW_PRICE_EXPONENT))
    put(quote, state.QUANTITY_EXPONENT, load_i8(message, layout.SCALING_ROW_QUANTITY_EXPONENT))
    put(quote, state.PRICE_FACTOR, _power_of_ten(price_shift))
    put(quote, state.PRICE_TOP, get(engine, state.TOP + price_shift))
    put(quote, state.QUANTITY_FACTOR, _power_of_ten(quantity_shift))
    put(quote, state.QUANTITY_TOP, get(engine, state.TOP + quantity_shift))
    put(quote, state.SCALED, 1)
    return ACCEPTED


@part
def write_channel_row(engine: int, message: int) -> int:
    """Which datagrams an engine takes: destination address and port, and what they contain."""
    channel = load_u16(message, layout.CHANNEL_ROW_CHANNEL)
    instrument = load_u16(message, layout.CHANNEL_ROW_INSTRUMENT)
    venue = load_u8(message, layout.CHANNEL_ROW_VENUE)
    feed = load_u8(message, layout.CHANNEL_ROW_FEED)
    if channel >= get(engine, state.CHANNELS) or venue >= get(engine, state.VENUES):
        return UNKNOWN_ROW
    if instrument >= get(engine, state.INSTRUMENTS) and instrument != NO_INSTRUMENT:
        return UNKNOWN_ROW
    enabled = load_u8(message, layout.CHANNEL_ROW_ENABLED)
    if not is_flag(enabled) or feed < _FEED_FIRST or feed > _FEED_LAST:
        return BAD_VALUE
    row = state.channel_row(engine, channel)
    used = get(engine, state.CHANNELS_IN_USE)
    while used <= channel:
        put(state.channel_row(engine, used), state.CHANNEL_KEY, state.NO_KEY)
        used += 1
    put(engine, state.CHANNELS_IN_USE, used)
    key = load_u32(message, layout.CHANNEL_ROW_ADDRESS) << 16 | load_u16(message, layout.CHANNEL_ROW_PORT)
    put(row, state.CHANNEL_KEY, key if enabled else state.NO_KEY)
    put(row, state.CHANNEL_VENUE, venue)
    put(row, state.CHANNEL_INSTRUMENT, instrument)
    put(row, state.CHANNEL_FEED, feed)
    return ACCEPTED


@inline
def _bad_conditions(engine: int, message: int) -> bool:
    minimum_edge = load_i64(message, layout.INSTRUMENT_ROW_MINIMUM_EDGE)
    basis_threshold = load_i64(message, layout.INSTRUMENT_ROW_BASIS_THRESHOLD)
    imbalance_threshold = load_u16(message, layout.INSTRUMENT_ROW_IMBALANCE_THRESHOLD)
    edge_limit = (get(engine, state.TOP) + 1) * 4
    return not (
        load_u8(message, layout.INSTRUMENT_ROW_KINDS) & ~_KINDS == 0
        and -edge_limit < minimum_edge < edge_limit
        and 1 <= basis_threshold < edge_limit
        and load_u8(message, layout.INSTRUMENT_ROW_BASIS_SHIFT) <= BASIS_SHIFT_LIMIT
        and is_duration(load_i64(message, layout.INSTRUMENT_ROW_BASIS_INTERVAL))
        and 1 <= imbalance_threshold < IMBALANCE_ONE
        and is_count(engine, load_i64(message, layout.INSTRUMENT_ROW_MAXIMUM_SPREAD))
    )


@inline
def _bad_limits(engine: int, message: int) -> bool:
    return not (
        is_flag(load_u8(message, layout.INSTRUMENT_ROW_ENABLED))
        and is_count(engine, load_i64(message, layout.INSTRUMENT_ROW_MINIMUM_QUANTITY))
        and is_count(engine, load_i64(message, layout.INSTRUMENT_ROW_MAXIMUM_QUANTITY))
        and is_count(engine, load_i64(message, layout.INSTRUMENT_ROW_PRICE_LOW))
        and is_count(engine, load_i64(message, layout.INSTRUMENT_ROW_PRICE_HIGH))
        and is_count(engine, load_i64(message, layout.INSTRUMENT_ROW_POSITION_LIMIT))
        and is_duration(load_i64(message, layout.INSTRUMENT_ROW_COOLDOWN))
    )


@part
def check_instrument_row(engine: int, message: int) -> int:
    """The first refusal of an instrument row, or ``ACCEPTED``."""
    if load_u16(message, layout.INSTRUMENT_ROW_INSTRUMENT) >= get(engine, state.INSTRUMENTS):
        return UNKNOWN_ROW
    if load_u16(message, layout.LEADS_HEADER + 2) != get(engine, state.VENUES):
        return BAD_VALUE
    if _bad_conditions(engine, message) or _bad_limits(engine, message):
        return BAD_VALUE
    largest = load_i64(message, layout.INSTRUMENT_ROW_MAXIMUM_QUANTITY)
    if not 1 <= load_i64(message, layout.INSTRUMENT_ROW_MINIMUM_QUANTITY) <= largest:
        return QUANTITY_ORDER
    high = load_i64(message, layout.INSTRUMENT_ROW_PRICE_HIGH)
    notional_high = load_u32(message, layout.INSTRUMENT_ROW_MAXIMUM_NOTIONAL_HIGH)
    notional_low = load_i64(message, layout.INSTRUMENT_ROW_MAXIMUM_NOTIONAL_LOW)
    return NOTIONAL if product_exceeds(high, largest, notional_high, notional_low) else ACCEPTED


@inline
def _write_leads(engine: int, row: int, message: int) -> None:
    venues = get(engine, state.VENUES)
    for venue in range(venues):
        led_by = 0
        for other in range(venues):
            leads = load_i64(message, layout.LEADS_ENTRIES + other * layout.LEADS_ENTRY_SIZE)
            led_by |= (leads >> venue & 1) << other
        quote = state.quote_of(row, venue)
        put(quote, state.LEADS, load_i64(message, layout.LEADS_ENTRIES + venue * layout.LEADS_ENTRY_SIZE))
        put(quote, state.LED_BY, led_by)


@part
def write_instrument_row(engine: int, message: int) -> int:
    """Conditions and limits of an instrument, and which venue leads which."""
    refusal = check_instrument_row(engine, message)
    if refusal != ACCEPTED:
        return refusal
    row = state.instrument_row(engine, load_u16(message, layout.INSTRUMENT_ROW_INSTRUMENT))
    put(row, state.INSTRUMENT_ENABLED, load_u8(message, layout.INSTRUMENT_ROW_ENABLED))
    put(row, state.KINDS, load_u8(message, layout.INSTRUMENT_ROW_KINDS))
    put(row, state.BASIS_SHIFT, load_u8(message, layout.INSTRUMENT_ROW_BASIS_SHIFT))
    put(row, state.IMBALANCE_THRESHOLD, load_u16(message, layout.INSTRUMENT_ROW_IMBALANCE_THRESHOLD))
    put(row, state.MINIMUM_EDGE, load_i64(message, layout.INSTRUMENT_ROW_MINIMUM_EDGE))
    put(row, state.BASIS_THRESHOLD, load_i64(message, layout.INSTRUMENT_ROW_BASIS_THRESHOLD))
    put(row, state.BASIS_INTERVAL, load_i64(message, layout.INSTRUMENT_ROW_BASIS_INTERVAL))
    put(row, state.BASIS_WARM_UP, load_u16(message, layout.INSTRUMENT_ROW_BASIS_WARM_UP))
    put(row, state.MAXIMUM_SPREAD, load_i64(message, layout.INSTRUMENT_ROW_MAXIMUM_SPREAD))
    put(row, state.MINIMUM_QUANTITY, load_i64(message, layout.INSTRUMENT_ROW_MINIMUM_QUANTITY))
    put(row, state.MAXIMUM_QUANTITY, load_i64(message, layout.INSTRUMENT_ROW_MAXIMUM_QUANTITY))
    put(row, state.PRICE_LOW, load_i64(message, layout.INSTRUMENT_ROW_PRICE_LOW))
    put(row, state.PRICE_HIGH, load_i64(message, layout.INSTRUMENT_ROW_PRICE_HIGH))
    put(row, state.COOLDOWN, load_i64(message, layout.INSTRUMENT_ROW_COOLDOWN))
    put(row, state.POSITION_LIMIT, load_i64(message, layout.INSTRUMENT_ROW_POSITION_LIMIT))
    _write_leads(engine, row, message)
    return ACCEPTED
