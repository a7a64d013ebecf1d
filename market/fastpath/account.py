"""Control messages that touch positions, memory and identity: settle, set position, reset, load.

``message`` is the address of a whole message whose length has been checked. All return a ``Refusal``.
"""

from __future__ import annotations

from typing import Final

from market.fastpath import layout, state
from market.fastpath.admission import invalidate
from market.fastpath.books.lines import unload_line
from market.fastpath.rows import ACCEPTED, BAD_VALUE, UNKNOWN_ROW, is_count
from market.fastpath.specification import (
    BASIS_FRACTION_BITS,
    NO_VENUE,
    TIME_LIMIT_NS,
    Refusal,
    Side,
)
from market.native.kernel import part
from market.native.memory import get, load_i64, load_u8, load_u16, load_u32, put

_WRONG_ID: Final = int(Refusal.WRONG_ID)
_NOT_KILLED: Final = int(Refusal.NOT_KILLED)
_SETTLEMENT: Final = int(Refusal.SETTLEMENT)
_BUY: Final = int(Side.BUY)
_SELL: Final = int(Side.SELL)


@part
def settle(engine: int, message: int) -> int:
    """Release a part of a pending size, and add what of it was filled to the position."""
    instrument, venue = load_u16(message, layout.SETTLE_INSTRUMENT), load_u8(message, layout.SETTLE_VENUE)
    if instrument >= get(engine, state.INSTRUMENTS) or venue >= get(engine, state.VENUES):
        return UNKNOWN_ROW
    side = load_u8(message, layout.SETTLE_SIDE)
    if side != _BUY and side != _SELL:
        return BAD_VALUE
    released, filled = load_i64(message, layout.SETTLE_RELEASED), load_i64(message, layout.SETTLE_FILLED)
    quote = state.quote_of(state.instrument_row(engine, instrument), venue)
    pending_slot = state.PENDING_BUY if side == _BUY else state.PENDING_SELL
    pending = get(quote, pending_slot)
    if not 0 <= filled <= released <= pending:
        return _SETTLEMENT
    put(quote, pending_slot, pending - released)
    put(quote, state.POSITION, get(quote, state.POSITION) + (filled if side == _BUY else -filled))
    return ACCEPTED


@part
def set_position(engine: int, message: int) -> int:
    """Replace a venue's position and pending sizes; the host names the last trigger that they include."""
    instrument = load_u16(message, layout.SET_POSITION_INSTRUMENT)
    venue = load_u8(message, layout.SET_POSITION_VENUE)
    if instrument >= get(engine, state.INSTRUMENTS) or venue >= get(engine, state.VENUES):
        return UNKNOWN_ROW
    position = load_i64(message, layout.SET_POSITION_POSITION)
    pending_buy = load_i64(message, layout.SET_POSITION_PENDING_BUY)
    pending_sell = load_i64(message, layout.SET_POSITION_PENDING_SELL)
    top = get(engine, state.TOP)
    if not -top <= position <= top or not is_count(engine, pending_buy) or not is_count(engine, pending_sell):
        return BAD_VALUE
    if load_i64(message, layout.SET_POSITION_LAST_ID) != get(engine, state.LAST_ID):
        return _WRONG_ID
    quote = state.quote_of(state.instrument_row(engine, instrument), venue)
    put(quote, state.POSITION, position)
    put(quote, state.PENDING_BUY, pending_buy)
    put(quote, state.PENDING_SELL, pending_sell)
    return ACCEPTED


@part
def forget_venue(engine: int, venue: int) -> None:
    """Clear what was learned from a venue: quotes, sequences, bits, lines, books, and every basis it is part of."""
    for line in range(get(engine, state.LINES_IN_USE)):
        if get(state.line_row(engine, line), state.LINE_VENUE) == venue:
            unload_line(engine, line)
    put(state.venue_row(engine, venue), state.SEEN, 0)
    for instrument in range(get(engine, state.INSTRUMENTS)):
        row = state.instrument_row(engine, instrument)
        quote = state.quote_of(row, venue)
        invalidate(row, quote, venue)
        put(quote, state.SEQUENCE, 0)
        put(quote, state.SEQUENCE_KNOWN, 0)
        for other in range(get(engine, state.VENUES)):
            if other != venue:
                pair = state.basis_of(engine, row, venue, other)
                put(pair, state.BASIS, 0)
                put(pair, state.SAMPLES, 0)
                put(pair, state.SAMPLE_TIME, 0)


@part
def reset(engine: int, message: int) -> int:
    """Forget one venue, or all."""
    venue = load_u8(message, layout.RESET_VENUE)
    venues = get(engine, state.VENUES)
    if venue == NO_VENUE:
        for each in range(venues):
            forget_venue(engine, each)
        return ACCEPTED
    if venue >= venues:
        return UNKNOWN_ROW
    forget_venue(engine, venue)
    return ACCEPTED


@part
def load_basis(engine: int, message: int) -> int:
    """Set the basis of a pair, while killed."""
    instrument = load_u16(message, layout.LOAD_BASIS_INSTRUMENT)
    first = load_u8(message, layout.LOAD_BASIS_FIRST_VENUE)
    second = load_u8(message, layout.LOAD_BASIS_SECOND_VENUE)
    venues = get(engine, state.VENUES)
    if instrument >= get(engine, state.INSTRUMENTS) or first >= venues or second >= venues:
        return UNKNOWN_ROW
    basis = load_i64(message, layout.LOAD_BASIS_BASIS)
    sample_time = load_i64(message, layout.LOAD_BASIS_SAMPLE_TIME)
    # a difference of two doubled mid prices has P + 1 bits and a sign
    limit = get(engine, state.TOP) + 1 << BASIS_FRACTION_BITS + 1
    if first >= second or not -limit < basis < limit or not 0 <= sample_time < TIME_LIMIT_NS:
        return BAD_VALUE
    if get(engine, state.ARMED):
        return _NOT_KILLED
    pair = state.basis_of(engine, state.instrument_row(engine, instrument), first, second)
    put(pair, state.BASIS, basis)
    put(pair, state.SAMPLES, load_u16(message, layout.LOAD_BASIS_SAMPLES))
    put(pair, state.SAMPLE_TIME, sample_time)
    return ACCEPTED


@part
def load_identity(engine: int, message: int) -> int:
    """Set the last trigger's id and the parity, while killed."""
    if get(engine, state.ARMED):
        return _NOT_KILLED
    put(engine, state.LAST_ID, load_i64(message, layout.LOAD_IDENTITY_ID))
    put(engine, state.PARITY, load_u32(message, layout.LOAD_IDENTITY_PARITY))
    return ACCEPTED
