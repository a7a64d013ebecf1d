"""What Python calls: batches of events, one waiting event, one control message.

Every entry takes the engine's state array. A batch stops before an event that might not find room for
what it sends, and says how many events it took: drain the areas, then give it the rest.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from market.fastpath import layout, state
from market.fastpath.control import control_message
from market.fastpath.datagrams import TRIGGERS_MOST, datagram
from market.fastpath.egress import has_output_room
from market.fastpath.event_log import PAYLOAD_LIMIT, has_log_room
from market.fastpath.events import quote_event, trade_event
from market.fastpath.frames import frame_event
from market.native.kernel import BYTES, entry, inline
from market.native.memory import address_of, get

Words = NDArray[np.int64]
Bytes = NDArray[np.uint8]

QUOTE_COLUMNS: Final = 10
"""instrument, venue, price exponent, quantity exponent, sequence, bid price, bid quantity, ask price, ask quantity,
time in ns."""
TRADE_COLUMNS: Final = 8
"""instrument, venue, price exponent, quantity exponent, price, quantity, aggressor (``Side``), time in ns."""


@inline
def has_room(engine: int, triggers: int, payload: int) -> bool:
    """Whether a step of at most that many triggers, made of that many bytes, finds room in both areas."""
    return has_output_room(engine, triggers) and has_log_room(engine, payload)


@inline
def _quote_at(engine: int, event: int) -> None:
    quote_event(
        engine,
        get(event, 0),
        get(event, 1),
        get(event, 2),
        get(event, 3),
        get(event, 4),
        get(event, 5),
        get(event, 6),
        get(event, 7),
        get(event, 8),
        get(event, 9),
    )


@entry("int64(int64[::1], int64[:, ::1])")
def push_quotes(words: Words, events: Words) -> int:
    """Feed quote events, each a step of its own: ``int64[n, 10]``, columns as in ``QUOTE_COLUMNS``.

    Returns how many were taken; -1 for another number of columns.
    """
    if events.shape[1] != QUOTE_COLUMNS:
        return -1
    engine, event = address_of(words), address_of(events)
    for taken in range(events.shape[0]):
        if not has_room(engine, 1, layout.QUOTE_EVENT_SIZE):
            return taken
        _quote_at(engine, event)
        event += 8 * QUOTE_COLUMNS
    return events.shape[0]


@entry("int64(int64[::1], int64[:, ::1])")
def push_trades(words: Words, events: Words) -> int:
    """Feed trade events, each a step of its own: ``int64[n, 8]``, columns as in ``TRADE_COLUMNS``.

    Returns how many were taken; -1 for another number of columns.
    """
    if events.shape[1] != TRADE_COLUMNS:
        return -1
    engine, event = address_of(words), address_of(events)
    for taken in range(events.shape[0]):
        if not has_room(engine, 1, layout.TRADE_EVENT_SIZE):
            return taken
        trade_event(
            engine,
            get(event, 0),
            get(event, 1),
            get(event, 2),
            get(event, 3),
            get(event, 4),
            get(event, 5),
            get(event, 6),
            get(event, 7),
        )
        event += 8 * TRADE_COLUMNS
    return events.shape[0]


@entry("int64(int64[::1])")
def push_waiting_quote(words: Words) -> int:
    """Feed the quote event that waits at ``state.INPUT`` (ten words as in ``QUOTE_COLUMNS``).

    The quickest way to feed one event: a single argument. Returns the bytes that wait in the output area,
    or -1 when the event was not taken for lack of room.
    """
    engine = address_of(words)
    if not has_room(engine, 1, layout.QUOTE_EVENT_SIZE):
        return -1
    _quote_at(engine, engine + 8 * state.INPUT)
    return get(engine, state.OUTPUT_USED)


@entry(f"int64(int64[::1], {BYTES}, int64)")
def push_control(words: Words, message: bytes, time_ns: int) -> int:
    """Feed one control message; returns 1, or 0 when it was not taken for lack of room."""
    engine = address_of(words)
    if not has_room(engine, 0, len(message)):
        return 0
    control_message(engine, address_of(message), len(message), time_ns)
    return 1


@entry("int64(int64[::1], uint8[::1], int64[::1], int64[::1])")
def push_frames(words: Words, buffer: Bytes, offsets: Words, times: Words) -> int:
    """Feed frames, check sequences included, in the order of their ends; returns how many were taken.

    Parameters
    ----------
    buffer: ``uint8[bytes]``, the frames one after the other.
    offsets: ``int64[n + 1]``, where in the buffer each frame begins, and where the last one ends.
    times: ``int64[n]``, receive times in ns, taken at the frames' starts.

    Returns ``-1 - k`` when frame k does not lie in the buffer; the frames before it were taken.
    """
    engine, frames = address_of(words), address_of(buffer)
    count = times.shape[0]
    if offsets.shape[0] < count + 1:
        return -1
    for taken in range(count):
        start, end = offsets[taken], offsets[taken + 1]
        if not 0 <= start <= end <= buffer.shape[0]:
            return -1 - taken
        if not has_room(engine, TRIGGERS_MOST, PAYLOAD_LIMIT):
            return taken
        frame_event(engine, frames + start, end - start, times[taken])
    return count


@entry(f"int64(int64[::1], {BYTES}, int64, int64)")
def push_datagram(words: Words, payload: bytes, channel: int, time_ns: int) -> int:
    """Feed the UDP payload of a frame that was already checked, as a shadow does from a log of steps.

    Returns 1; 0 when it was not taken for lack of room; -1 for a channel row that was never written or
    a payload that no frame can carry.
    """
    engine = address_of(words)
    if not 0 <= channel < get(engine, state.CHANNELS_IN_USE) or len(payload) > PAYLOAD_LIMIT:
        return -1
    if not has_room(engine, TRIGGERS_MOST, len(payload)):
        return 0
    datagram(engine, channel, address_of(payload), len(payload), time_ns)
    return 1
