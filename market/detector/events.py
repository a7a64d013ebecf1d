"""The events of one market as rows of int64.

A row is (kind, time, number, up to ten values), 0 where a kind has none:

| kind | values |
|---|---|
| TOP | bid, bid quantity, ask, ask quantity |
| TRADE | price, quantity, aggressor |
| BOOK | bid, bid quantity, ask, ask quantity, bid lots, ask lots, bid liquidity, ask liquidity, bid walls, ask walls |
| TIME, GAP, WITHDRAWN, SHUTDOWN, RESTART | none |
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from market.detector.layout import EVENT_WIDTH, STATE, TRANSITION_ROOM, Rows, Values, Words
from market.detector.readings import write_reading
from market.detector.states import READINGS
from market.detector.streaming import (
    advance,
    on_book,
    on_gap,
    on_top,
    on_trade,
    on_withdrawn,
    restart,
    shut_down,
)
from market.detector.transitions import unread
from market.native.kernel import entry, inline
from market.native.memory import address_of, get


class EventKind(IntEnum):
    """What a row is."""

    TOP = 0
    TRADE = 1
    BOOK = 2
    TIME = 3
    """Time passes, by a clock that is believed."""
    GAP = 4
    WITHDRAWN = 5
    SHUTDOWN = 6
    RESTART = 7


_TOP: Final = int(EventKind.TOP)
_TRADE: Final = int(EventKind.TRADE)
_BOOK: Final = int(EventKind.BOOK)
_TIME: Final = int(EventKind.TIME)
_GAP: Final = int(EventKind.GAP)
_WITHDRAWN: Final = int(EventKind.WITHDRAWN)
_SHUTDOWN: Final = int(EventKind.SHUTDOWN)
_RESTART: Final = int(EventKind.RESTART)


@inline
def _take_command(detector: int, kind: int) -> bool:
    if kind == _GAP:
        on_gap(detector)
    elif kind == _WITHDRAWN:
        on_withdrawn(detector)
    elif kind == _SHUTDOWN:
        shut_down(detector)
    elif kind == _RESTART:
        restart(detector)
    else:
        return False
    return True


@inline
def take_event(detector: int, row: int) -> bool:
    """Take one row; whether its kind is known."""
    kind, time_ns, number = get(row, 0), get(row, 1), get(row, 2)
    if kind == _TOP:
        on_top(detector, number, time_ns, get(row, 3), get(row, 4), get(row, 5), get(row, 6))
    elif kind == _TRADE:
        on_trade(detector, number, time_ns, get(row, 3), get(row, 4), get(row, 5))
    elif kind == _BOOK:
        on_book(
            detector,
            number,
            time_ns,
            get(row, 3),
            get(row, 4),
            get(row, 5),
            get(row, 6),
            get(row, 7),
            get(row, 8),
            get(row, 9),
            get(row, 10),
            get(row, 11),
            get(row, 12),
        )
    elif kind == _TIME:
        advance(detector, time_ns)
    else:
        return _take_command(detector, kind)
    return True


@entry("int64(int64[::1], int64[:, ::1], int64, int64[::1], float64[:, ::1])")
def take_events(detector: Words, events: Rows, first: int, states: Words, readings: Values) -> int:
    """Take rows from ``first`` on until the end, an unknown kind, or until unread transitions fill their room.

    Parameters
    ----------
    states, readings: ``State`` and readings after each row, where they have rows.

    Returns the index of the first row that was not taken.
    """
    base, rows = address_of(detector), address_of(events)
    for index in range(first, len(events)):
        if unread(base) == TRANSITION_ROOM or not take_event(base, rows + 8 * EVENT_WIDTH * index):
            return index
        if index < len(states):
            states[index] = get(base, STATE)
        if index < len(readings):
            write_reading(base, address_of(readings) + 8 * READINGS * index)
    return len(events)
