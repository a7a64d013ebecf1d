"""Taking another engine's trigger over as it stands, so that what was acted upon counts against the limits here too."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from market.fastpath import layout, state
from market.fastpath.parity import crc32
from market.fastpath.specification import Kind, Side
from market.native.kernel import BYTES, entry, part
from market.native.memory import address_of, get, load_i64, load_u8, load_u16, load_u32, put

_ABSENT: Final = -1
_BUY: Final = int(Side.BUY)
_SELL: Final = int(Side.SELL)
_ARB: Final = int(Kind.ARB)
_BASIS: Final = int(Kind.BASIS)


@part
def _venue_of(message: int, side: int) -> int:
    """The venue of the leg on one side, or ``_ABSENT``."""
    if load_u8(message, layout.TRIGGER_FIRST_SIDE) == side:
        return load_u8(message, layout.TRIGGER_FIRST_VENUE)
    if load_u8(message, layout.TRIGGER_SECOND_SIDE) == side:
        return load_u8(message, layout.TRIGGER_SECOND_VENUE)
    return _ABSENT


@part
def _set_bit(row: int, venue: int, slot: int, bit: int) -> None:
    quote = state.quote_of(row, venue)
    put(quote, slot, get(quote, slot) | 1 << bit)


@part
def _set_bits(row: int, kind: int, seller: int, buyer: int) -> None:
    """Set the trigger's ``on`` bit; a BASIS trigger of one leg does not say whom it was compared with."""
    if kind == _ARB:
        _set_bit(row, seller, state.ARB_SELL, buyer)
        _set_bit(row, buyer, state.ARB_BUY, seller)
    elif kind == _BASIS:
        if seller != _ABSENT and buyer != _ABSENT:
            _set_bit(row, seller, state.BASIS_SELL, buyer)
            _set_bit(row, buyer, state.BASIS_BUY, seller)
    elif buyer != _ABSENT:
        _set_bit(row, buyer, state.IMBALANCE_ON, 0)
    else:
        _set_bit(row, seller, state.IMBALANCE_ON, 1)


@part
def _add_pending(row: int, venue: int, slot: int, size: int) -> None:
    quote = state.quote_of(row, venue)
    put(quote, slot, get(quote, slot) + size)


@entry(f"int64(int64[::1], {BYTES})")
def adopt_trigger(words: NDArray[np.int64], message: bytes) -> int:
    """Count a trigger of another engine as if it had been decided here: id, parity, rate, cooldown, pendings, bit.

    A trigger whose id was reached here already changes neither id nor parity. Returns 1; 0 for a message that is no
    trigger or names an instrument or venue that this engine does not have, and nothing is changed.
    """
    engine, trigger = address_of(words), address_of(message)
    if len(message) != layout.TRIGGER_SIZE or load_i64(trigger, 0) != layout.TRIGGER_HEADER:
        return 0
    seller, buyer = _venue_of(trigger, _SELL), _venue_of(trigger, _BUY)
    instrument, venues = load_u16(trigger, layout.TRIGGER_INSTRUMENT), get(engine, state.VENUES)
    if instrument >= get(engine, state.INSTRUMENTS) or seller >= venues or buyer >= venues:
        return 0
    if seller == _ABSENT and buyer == _ABSENT:
        return 0
    row = state.instrument_row(engine, instrument)
    identity, time_ns = load_i64(trigger, layout.TRIGGER_ID), load_i64(trigger, layout.TRIGGER_CAUSE_TIME)
    if identity > get(engine, state.LAST_ID):
        put(engine, state.LAST_ID, identity)
        table = engine + get(engine, state.CRC_TABLE)
        parity = load_u32(trigger, layout.TRIGGER_PARITY)
        put(engine, state.PARITY, crc32(table, trigger, layout.TRIGGER_SIZE, parity))
    put(engine, state.RATE_AT, max(get(engine, state.RATE_AT), time_ns) + get(engine, state.RATE_INTERVAL))
    put(row, state.COOLDOWN_UNTIL, max(get(row, state.COOLDOWN_UNTIL), time_ns + get(row, state.COOLDOWN)))
    if seller != _ABSENT:
        _add_pending(row, seller, state.PENDING_SELL, load_i64(trigger, layout.TRIGGER_FIRST_QUANTITY))
    if buyer != _ABSENT:
        _add_pending(row, buyer, state.PENDING_BUY, load_i64(trigger, layout.TRIGGER_FIRST_QUANTITY))
    _set_bits(row, load_u8(trigger, layout.TRIGGER_KIND), seller, buyer)
    return 1
