"""Settles and heartbeats of a replay, as ordered control messages that every engine sees alike.

Each leg of a trigger is settled a fixed time after it, in the order of triggers; the lease is renewed by
heartbeats at a fixed interval. Both take effect before the first record of their time or later.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from market.fastpath import layout as messages
from market.fastpath.control import control_message
from market.fastpath.entries import has_room
from market.fastpath.specification import NO_VENUE
from market.native.kernel import inline, part, shared
from market.native.memory import get, load_i64, load_u8, load_u16, put, store_8, store_16, store_64
from market.pipeline import layout
from market.wire.records import Words


def _header_word(name: str) -> int:
    """A message's eight header bytes as one word."""
    message = messages.SCHEMA.message(name)
    fields = (message.block_length, message.template_id, messages.SCHEMA_ID, messages.SCHEMA_VERSION)
    return sum(value << (16 * position) for position, value in enumerate(fields))


_SETTLE_HEADER: Final = _header_word("Settle")
_HEARTBEAT_HEADER: Final = _header_word("Heartbeat")
_ABSENT: Final = NO_VENUE
_LEG_BYTES: Final = 16
_DUE: Final = 0
_INSTRUMENT: Final = 1
_VENUE: Final = 2
_SIDE: Final = 3
_QUANTITY: Final = 4


def new_control(
    *, settle_after_ns: int, filled: bool, heartbeat_every_ns: int, first_heartbeat_ns: int, next_sequence: int
) -> Words:
    """Control state of one run.

    Parameters
    ----------
    settle_after_ns: from a trigger to its settlement; below 0 settles nothing.
    filled: whether a settlement says that the leg was filled.
    heartbeat_every_ns: interval of heartbeats from ``first_heartbeat_ns`` on; 0 sends none.
    next_sequence: number of the next control message.
    """
    control = np.zeros(layout.CONTROL_WORDS, dtype=np.int64)
    control[layout.SETTLE_AFTER] = settle_after_ns
    control[layout.SETTLE_FILLED] = filled
    control[layout.HEARTBEAT_EVERY] = heartbeat_every_ns
    control[layout.NEXT_HEARTBEAT] = first_heartbeat_ns
    control[layout.NEXT_SEQUENCE] = next_sequence
    return control


@inline
def _message(control: int, header: int) -> int:
    """Address of a fresh control message with the next sequence number."""
    message = control + 8 * layout.MESSAGE
    sequence = get(control, layout.NEXT_SEQUENCE)
    put(control, layout.NEXT_SEQUENCE, sequence + 1)
    put(message, 0, header)
    put(message, 1, sequence)
    return message


@inline
def _queue_row(control: int, position: int) -> int:
    return control + 8 * (layout.QUEUE + layout.QUEUE_ROW * (position & (layout.QUEUE_ENTRIES - 1)))


@shared
def _settle(control: int, engine: int, leg: int) -> None:
    """Release a leg's pending quantity, filled or not."""
    message = _message(control, _SETTLE_HEADER)
    quantity = get(leg, _QUANTITY)
    store_64(message, messages.SETTLE_INSTRUMENT, 0)
    store_16(message, messages.SETTLE_INSTRUMENT, get(leg, _INSTRUMENT))
    store_8(message, messages.SETTLE_VENUE, get(leg, _VENUE))
    store_8(message, messages.SETTLE_SIDE, get(leg, _SIDE))
    store_64(message, messages.SETTLE_RELEASED, quantity)
    store_64(message, messages.SETTLE_FILLED, quantity if get(control, layout.SETTLE_FILLED) != 0 else 0)
    control_message(engine, message, messages.SETTLE_SIZE, get(leg, _DUE))


@inline
def _next_due(control: int) -> int:
    """Time of the next control message, or the largest time when none waits."""
    due = (1 << 62) - 1
    if get(control, layout.HEARTBEAT_EVERY) > 0:
        due = get(control, layout.NEXT_HEARTBEAT)
    if get(control, layout.QUEUE_HEAD) != get(control, layout.QUEUE_TAIL):
        due = min(due, get(_queue_row(control, get(control, layout.QUEUE_HEAD)), _DUE))
    return due


@part
def send_due(control: int, engine: int, time_ns: int) -> bool:
    """Send what is due up to a time, in order of time, settles before a heartbeat of the same time.

    Returns False when the engine has no room for the next message; call again when its outputs are drained.
    """
    due = _next_due(control)
    while due <= time_ns:
        if not has_room(engine, 0, messages.SETTLE_SIZE):
            return False
        head = get(control, layout.QUEUE_HEAD)
        leg = _queue_row(control, head)
        if head != get(control, layout.QUEUE_TAIL) and get(leg, _DUE) == due:
            put(control, layout.QUEUE_HEAD, head + 1)
            _settle(control, engine, leg)
        else:
            put(control, layout.NEXT_HEARTBEAT, due + get(control, layout.HEARTBEAT_EVERY))
            control_message(engine, _message(control, _HEARTBEAT_HEADER), messages.HEARTBEAT_SIZE, due)
        due = _next_due(control)
    return True


@shared
def enqueue(control: int, trigger: int) -> None:
    """Queue the settlement of a trigger's legs; ``trigger`` is the address of its payload."""
    if get(control, layout.SETTLE_AFTER) < 0:
        return
    for leg in range(2):
        venue = load_u8(trigger, messages.TRIGGER_FIRST_VENUE + 2 * leg)
        if venue != _ABSENT:
            tail = get(control, layout.QUEUE_TAIL)
            if tail - get(control, layout.QUEUE_HEAD) == layout.QUEUE_ENTRIES:
                put(control, layout.OVERRUN, 1)
                return
            row = _queue_row(control, tail)
            put(row, _DUE, load_i64(trigger, messages.TRIGGER_CAUSE_TIME) + get(control, layout.SETTLE_AFTER))
            put(row, _INSTRUMENT, load_u16(trigger, messages.TRIGGER_INSTRUMENT))
            put(row, _VENUE, venue)
            put(row, _SIDE, load_u8(trigger, messages.TRIGGER_FIRST_SIDE + 2 * leg))
            put(row, _QUANTITY, load_i64(trigger, messages.TRIGGER_FIRST_QUANTITY + _LEG_BYTES * leg))
            put(control, layout.QUEUE_TAIL, tail + 1)
