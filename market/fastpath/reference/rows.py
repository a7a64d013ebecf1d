"""Control, table rows: what is refused, and what a row becomes."""

from __future__ import annotations

from market.fastpath.reference.messages import ControlMessage
from market.fastpath.reference.state import State
from market.fastpath.reference.tables import ChannelRow, EngineRow, InstrumentRow, ScalingRow, VenueRow
from market.fastpath.specification import Feed, Kind, Refusal

NO_INSTRUMENT = 65_535
KIND_BITS = sum(1 << (kind - 1) for kind in Kind)


def is_duration(value: int) -> bool:
    """0..2^56 - 1 ns."""
    return 0 <= value < 1 << 56


def is_flag(value: int) -> bool:
    """0 or 1."""
    return value in (0, 1)


def write_engine_row(state: State, message: ControlMessage) -> Refusal:
    """Rate interval, tolerance, lease."""
    interval, tolerance, lease = message["rate_interval"], message["rate_tolerance"], message["lease"]
    if not (is_duration(interval) and is_duration(tolerance) and is_duration(lease)):
        return Refusal.BAD_VALUE
    if interval < 2_048 or tolerance > 62 * interval:
        return Refusal.BAD_VALUE
    state.engine = EngineRow(interval, tolerance, lease)
    return Refusal.NONE


def write_venue_row(state: State, message: ControlMessage) -> Refusal:
    """Enabled, fee, maximum age, maximum silence."""
    age, silence = message["maximum_age"], message["maximum_silence"]
    if not state.has_venue(message["venue"]):
        return Refusal.UNKNOWN_ROW
    if not (
        is_flag(message["enabled"]) and abs(message["fee"]) < 1 << 16 and is_duration(age) and is_duration(silence)
    ):
        return Refusal.BAD_VALUE
    state.venues[message["venue"]] = VenueRow(bool(message["enabled"]), message["fee"], age, silence)
    return Refusal.NONE


def write_scaling_row(state: State, message: ControlMessage) -> Refusal:
    """Exponents that the messages must carry, and k of price and quantity."""
    if not (state.has_instrument(message["instrument"]) and state.has_venue(message["venue"])):
        return Refusal.UNKNOWN_ROW
    if message["price_shift"] > 3 or message["quantity_shift"] > 3:
        return Refusal.BAD_VALUE
    state.scaling[message["instrument"], message["venue"]] = ScalingRow(
        message["price_exponent"], message["quantity_exponent"], message["price_shift"], message["quantity_shift"]
    )
    return Refusal.NONE


def write_channel_row(state: State, message: ControlMessage) -> Refusal:
    """What arrives at a destination address and port."""
    instrument = None if message["instrument"] == NO_INSTRUMENT else message["instrument"]
    if message["channel"] >= state.sizes.channels or not state.has_venue(message["venue"]):
        return Refusal.UNKNOWN_ROW
    if instrument is not None and not state.has_instrument(instrument):
        return Refusal.UNKNOWN_ROW
    if message["feed"] not in set(Feed) or not is_flag(message["enabled"]):
        return Refusal.BAD_VALUE
    state.channels[message["channel"]] = ChannelRow(
        message["address"], message["port"], message["venue"], message["feed"], instrument, bool(message["enabled"])
    )
    return Refusal.NONE


def write_instrument_row(state: State, message: ControlMessage) -> Refusal:
    """Everything about one instrument; its notional is bounded here, once, instead of in the gate."""
    if not state.has_instrument(message["instrument"]):
        return Refusal.UNKNOWN_ROW
    if not _instrument_values_in_range(state, message):
        return Refusal.BAD_VALUE
    if not 1 <= message["minimum_quantity"] <= message["maximum_quantity"]:
        return Refusal.QUANTITY_ORDER
    maximum_notional = message["maximum_notional_high"] << 64 | message["maximum_notional_low"]
    if message["price_high"] * message["maximum_quantity"] > maximum_notional:
        return Refusal.NOTIONAL
    state.instruments[message["instrument"]] = InstrumentRow(
        enabled=bool(message["enabled"]),
        kinds=message["kinds"],
        minimum_edge=message["minimum_edge"],
        basis_threshold=message["basis_threshold"],
        basis_shift=message["basis_shift"],
        basis_interval=message["basis_interval"],
        basis_warm_up=message["basis_warm_up"],
        leads=message.leads,
        imbalance_threshold=message["imbalance_threshold"],
        maximum_spread=message["maximum_spread"],
        minimum_quantity=message["minimum_quantity"],
        maximum_quantity=message["maximum_quantity"],
        price_low=message["price_low"],
        price_high=message["price_high"],
        cooldown=message["cooldown"],
        position_limit=message["position_limit"],
    )
    return Refusal.NONE


def _instrument_values_in_range(state: State, message: ControlMessage) -> bool:
    p_bits = ("price_low", "price_high", "minimum_quantity", "maximum_quantity", "maximum_spread", "position_limit")
    difference_limit = 1 << (state.sizes.price_bits + 2)
    return (
        all(0 <= message[name] <= state.sizes.top for name in p_bits)
        and is_flag(message["enabled"])
        and message["kinds"] & ~KIND_BITS == 0
        and message["basis_shift"] <= 16
        and 1 <= message["imbalance_threshold"] <= 32_767
        and abs(message["minimum_edge"]) < difference_limit
        and 1 <= message["basis_threshold"] < difference_limit
        and is_duration(message["basis_interval"])
        and is_duration(message["cooldown"])
        and len(message.leads) == state.sizes.venues
    )
