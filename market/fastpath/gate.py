"""Parts 6 to 8 of a quote event: the candidate's size, the risk gate, the trigger."""

from __future__ import annotations

from typing import Final

from market.fastpath import layout, state
from market.fastpath.arithmetic import imbalance_of, microprice_of
from market.fastpath.choice import ABSENT
from market.fastpath.egress import append, extend_parity
from market.fastpath.specification import NO_VENUE, GateReason, Side
from market.native.kernel import inline, part
from market.native.memory import get, put, store_8, store_16, store_32, store_64

PASSED: Final = -1
_KILL: Final = int(GateReason.KILL)
_LEASE: Final = int(GateReason.LEASE)
_INSTRUMENT: Final = int(GateReason.INSTRUMENT)
_COOLDOWN: Final = int(GateReason.COOLDOWN)
_COLLAR: Final = int(GateReason.COLLAR)
_POSITION: Final = int(GateReason.POSITION)
_RATE: Final = int(GateReason.RATE)
_NONE: Final = int(Side.NONE)
_BUY: Final = int(Side.BUY)
_SELL: Final = int(Side.SELL)


@inline
def size_of(row: int, seller: int, buyer: int) -> int:
    """The largest size that the maximum and the displayed quantities of the legs allow."""
    size = get(row, state.MAXIMUM_QUANTITY)
    if seller != ABSENT:
        size = min(size, get(state.quote_of(row, seller), state.BID_QUANTITY))
    if buyer != ABSENT:
        size = min(size, get(state.quote_of(row, buyer), state.ASK_QUANTITY))
    return size


@inline
def inside_collar(row: int, seller: int, buyer: int) -> bool:
    """Whether the price of every leg lies in low..high."""
    low, high = get(row, state.PRICE_LOW), get(row, state.PRICE_HIGH)
    inside = low <= high
    if seller != ABSENT:
        inside = inside and low <= get(state.quote_of(row, seller), state.BID) <= high
    if buyer != ABSENT:
        inside = inside and low <= get(state.quote_of(row, buyer), state.ASK) <= high
    return inside


@inline
def fits_positions(row: int, seller: int, buyer: int, size: int) -> bool:
    """Whether every leg's position has room for the size, pending orders taken as filled."""
    limit = get(row, state.POSITION_LIMIT)
    fits = True
    if seller != ABSENT:
        quote = state.quote_of(row, seller)
        fits = size <= limit + get(quote, state.POSITION) - get(quote, state.PENDING_SELL)
    if buyer != ABSENT:
        quote = state.quote_of(row, buyer)
        fits = fits and size <= limit - get(quote, state.POSITION) - get(quote, state.PENDING_BUY)
    return fits


@part
def gate(engine: int, row: int, seller: int, buyer: int, size: int) -> int:
    """The first ``GateReason`` that stops a candidate, or ``PASSED``."""
    now = get(engine, state.TIME)
    if not get(engine, state.ARMED):
        return _KILL
    if now > get(engine, state.LEASE_UNTIL):
        return _LEASE
    if not get(row, state.INSTRUMENT_ENABLED):
        return _INSTRUMENT
    if now < get(row, state.COOLDOWN_UNTIL):
        return _COOLDOWN
    if not inside_collar(row, seller, buyer):
        return _COLLAR
    if not fits_positions(row, seller, buyer, size):
        return _POSITION
    if get(engine, state.RATE_AT) > now + get(engine, state.RATE_TOLERANCE):
        return _RATE
    return PASSED


@part
def commit(engine: int, row: int, seller: int, buyer: int, size: int) -> None:
    """Take a passed candidate into the limits: id, rate, cooldown, pending sizes."""
    now = get(engine, state.TIME)
    state.bump(engine, state.LAST_ID)
    put(engine, state.RATE_AT, max(get(engine, state.RATE_AT), now) + get(engine, state.RATE_INTERVAL))
    put(row, state.COOLDOWN_UNTIL, now + get(row, state.COOLDOWN))
    if seller != ABSENT:
        quote = state.quote_of(row, seller)
        put(quote, state.PENDING_SELL, get(quote, state.PENDING_SELL) + size)
    if buyer != ABSENT:
        quote = state.quote_of(row, buyer)
        put(quote, state.PENDING_BUY, get(quote, state.PENDING_BUY) + size)


@inline
def _write_leg(message: int, venue_at: int, price_at: int, venue: int, side: int, price: int, size: int) -> None:
    store_8(message, venue_at, venue)
    store_8(message, venue_at + _SIDE_AT, side)
    store_64(message, price_at, price)
    store_64(message, price_at + _QUANTITY_AT, size)


_SIDE_AT: Final = layout.TRIGGER_FIRST_SIDE - layout.TRIGGER_FIRST_VENUE
_QUANTITY_AT: Final = layout.TRIGGER_FIRST_QUANTITY - layout.TRIGGER_FIRST_PRICE


@inline
def _write_legs(message: int, row: int, seller: int, buyer: int, size: int) -> None:
    venue_at, price_at = layout.TRIGGER_FIRST_VENUE, layout.TRIGGER_FIRST_PRICE
    if seller != ABSENT:
        bid = get(state.quote_of(row, seller), state.BID)
        _write_leg(message, venue_at, price_at, seller, _SELL, bid, size)
        venue_at, price_at = layout.TRIGGER_SECOND_VENUE, layout.TRIGGER_SECOND_PRICE
    if buyer != ABSENT:
        ask = get(state.quote_of(row, buyer), state.ASK)
        _write_leg(message, venue_at, price_at, buyer, _BUY, ask, size)
    if seller == ABSENT or buyer == ABSENT:
        _write_leg(message, layout.TRIGGER_SECOND_VENUE, layout.TRIGGER_SECOND_PRICE, NO_VENUE, _NONE, 0, 0)


@part
def send_trigger(
    engine: int, instrument: int, row: int, venue: int, kind: int, seller: int, buyer: int, edge: int, size: int
) -> None:
    """Append the trigger of a committed candidate and take it into the parity."""
    quote = state.quote_of(row, venue)
    imbalance = imbalance_of(get(quote, state.BID_QUANTITY), get(quote, state.ASK_QUANTITY))
    message = append(engine, layout.TRIGGER_SIZE, layout.TRIGGER_HEADER)
    store_64(message, layout.TRIGGER_ID, get(engine, state.LAST_ID))
    store_32(message, layout.TRIGGER_EPOCH, get(engine, state.EPOCH))
    store_32(message, layout.TRIGGER_PARITY, get(engine, state.PARITY))
    store_8(message, layout.TRIGGER_KIND, kind)
    store_8(message, layout.TRIGGER_CAUSE_VENUE, venue)
    store_16(message, layout.TRIGGER_INSTRUMENT, instrument)
    _write_legs(message, row, seller, buyer, size)
    store_64(message, layout.TRIGGER_EDGE, edge)
    store_64(message, layout.TRIGGER_CAUSE_SEQUENCE, get(quote, state.SEQUENCE))
    store_64(message, layout.TRIGGER_CAUSE_TIME, get(engine, state.TIME))
    store_64(message, layout.TRIGGER_IMBALANCE, imbalance)
    microprice = microprice_of(get(quote, state.BID), get(quote, state.ASK), imbalance)
    store_64(message, layout.TRIGGER_MICROPRICE, microprice)
    extend_parity(engine, message)


@part
def decide(engine: int, instrument: int, row: int, venue: int, kind: int, seller: int, buyer: int, edge: int) -> None:
    """Put an event's candidate through the gate: count it, and send it if nothing stops it."""
    state.bump(engine, state.CANDIDATES + kind)
    size = size_of(row, seller, buyer)
    reason = gate(engine, row, seller, buyer, size)
    if reason != PASSED:
        state.bump(engine, state.GATES + reason)
        return
    commit(engine, row, seller, buyer, size)
    state.bump(engine, state.TRIGGERS + kind)
    send_trigger(engine, instrument, row, venue, kind, seller, buyer, edge, size)
