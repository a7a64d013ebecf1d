"""A strategy that sleeps until its detector says something: compiled code feeds the detector meanwhile.

While it sleeps the strategy hears neither quotes nor trades of the market. The detector is fed in its place, with what
the strategy itself would feed it: the book at each change of the best prices, each trade, and the time at every
multiple of an interval. Candles of a second are kept for it. A change of the detector's state, or of a permission that
counts, ends the sleep. The strategy goes to sleep again when it likes.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np

from market.book.book import STARTED, SYNCHRONISED
from market.book.top import CHANGED, WITHDRAWN
from market.detector.events import EventKind, take_event
from market.detector.layout import EVENT, STATE
from market.detector.readings import permissions
from market.detector.record_events import put_event
from market.detector.settings import SECOND_NS
from market.detector.states import Permission
from market.detector.streaming import advance
from market.native.kernel import inline, part
from market.native.memory import get, put
from market.pipeline import layout
from market.wire import records
from market.wire.records import Words


class Standing(IntEnum):
    """Whether a strategy sleeps."""

    AWAKE = 0
    ASLEEP = 1
    WOKEN = 2
    """Its detector ended the sleep; the strategy has not been told."""


# Words of a wake.
STANDING: Final = 0
MARKET: Final = 1
"""Number of the market in the watch; -1 while no loop feeds it."""
DETECTOR: Final = 2
"""Address of the detector's state."""
COUNTED: Final = 3
"""Sum of ``Permission``: those whose change wakes."""
EVERY_NS: Final = 4
NOW_NS: Final = 5
"""Newest time that was told."""
ROOM: Final = 6
"""Candles that are kept."""
CLOSED: Final = 7
"""Candles that were closed so far; the newest is in place ``CLOSED - 1`` modulo ``ROOM``."""
OPEN: Final = 8
"""The candle of the running second: second, open, high, low, close, volume; second -1: none."""
CANDLE_WORDS: Final = 6
RECORD: Final = 16
"""A record of which kind and time are written."""
RING: Final = RECORD + records.WIDTH

_ASLEEP: Final = int(Standing.ASLEEP)
_WOKEN: Final = int(Standing.WOKEN)
_TRADE: Final = int(EventKind.TRADE)


class SecondCandle(NamedTuple):
    """The trades of a second that had any, in ticks and lots; ``second``: its number since the epoch."""

    second: int
    open: int
    high: int
    low: int
    close: int
    volume: int


class DetectorWake:
    """Wakes a strategy when its detector's state, or what it permits, is another.

    Parameters
    ----------
    market: instrument and venue number. detector: state of ``market.detector``; the same array for as long as this is.
    counted: permissions whose change wakes; a change of state always does.
    every_ns: time is told at every multiple. candles: how many are kept.

    Members
    -------
    words: int64[n], what kernels read and write.
    """

    def __init__(
        self, market: tuple[int, int], detector: Words, *, counted: Permission, every_ns: int, candles: int
    ) -> None:
        self.market = market
        self._detector = detector
        self.words: Words = np.zeros(RING + CANDLE_WORDS * candles, dtype=np.int64)
        self.words[MARKET] = -1
        self.words[DETECTOR] = detector.ctypes.data
        self.words[COUNTED] = int(counted)
        self.words[EVERY_NS] = every_ns
        self.words[ROOM] = candles
        self.words[OPEN] = -1
        self._taken = 0

    def attach(self, market: int) -> None:
        """A loop feeds the detector from here on, as that number's."""
        self.words[MARKET] = market

    @property
    def is_attached(self) -> bool:
        """Whether a loop feeds the detector of a strategy that sleeps; where none does it must stay awake."""
        return int(self.words[MARKET]) >= 0

    @property
    def standing(self) -> Standing:
        """Whether the strategy sleeps."""
        return Standing(int(self.words[STANDING]))

    @property
    def now_ns(self) -> int:
        """Newest time that the detector was told in its sleep."""
        return int(self.words[NOW_NS])

    def sleep(self, now_ns: int, running: SecondCandle | None) -> None:
        """Sleep from now on; ``running``: the trades of this second so far."""
        self.words[NOW_NS] = now_ns
        self.words[OPEN : OPEN + CANDLE_WORDS] = (-1, 0, 0, 0, 0, 0) if running is None else running
        self._taken = int(self.words[CLOSED])
        self.words[STANDING] = _ASLEEP

    def awake(self) -> None:
        """The strategy hears of its market itself from now on."""
        self.words[STANDING] = int(Standing.AWAKE)

    def take_candles(self) -> list[SecondCandle]:
        """Candles since the last call or the last sleep began, oldest first, as far as they are kept.

        The last one may be that of the running second; it comes again, with what is traded until then.
        """
        closed, room = int(self.words[CLOSED]), int(self.words[ROOM])
        rows = self.words[RING:].reshape(-1, CANDLE_WORDS)
        first, self._taken = max(self._taken, closed - room), closed
        found = [SecondCandle(*rows[place % room].tolist()) for place in range(first, closed)]
        running = SecondCandle(*self.words[OPEN : OPEN + CANDLE_WORDS].tolist())
        return found if running.second < 0 else [*found, running]


@inline
def _candle(wake: int, second: int, price: int, lots: int) -> None:
    """Take a trade into the candle of its second."""
    running = wake + 8 * OPEN
    if get(running, 0) != second:
        if get(running, 0) >= 0:
            place = wake + 8 * (RING + CANDLE_WORDS * (get(wake, CLOSED) % get(wake, ROOM)))
            for word in range(CANDLE_WORDS):
                put(place, word, get(running, word))
            put(wake, CLOSED, get(wake, CLOSED) + 1)
        put(running, 0, second)
        put(running, 1, price)
        put(running, 2, price)
        put(running, 3, price)
        put(running, 5, 0)
    put(running, 2, max(get(running, 2), price))
    put(running, 3, min(get(running, 3), price))
    put(running, 4, price)
    put(running, 5, get(running, 5) + lots)


@inline
def _feed_trade(wake: int, detector: int, row: int, now_ns: int) -> None:
    number = get(row, records.TRADE_ID)
    event = detector + 8 * EVENT
    put(event, 0, _TRADE)
    put(event, 1, now_ns)
    put(event, 2, number if number > 0 else -1)
    put(event, 3, get(row, records.PRICE))
    put(event, 4, get(row, records.QUANTITY))
    put(event, 5, get(row, records.AGGRESSOR))
    _candle(wake, now_ns // SECOND_NS, get(row, records.PRICE), get(row, records.QUANTITY))
    take_event(detector, event)


@inline
def _feed_quote(wake: int, detector: int, event: int, book: int, now_ns: int) -> None:
    bid_quantity, ask_quantity = get(event, layout.EVENT_BID_QUANTITY), get(event, layout.EVENT_ASK_QUANTITY)
    is_sound = bid_quantity > 0 and ask_quantity > 0
    is_sound = is_sound and get(event, layout.EVENT_BID_PRICE) < get(event, layout.EVENT_ASK_PRICE)
    is_lost = get(book, STARTED) != 0 and get(book, SYNCHRONISED) == 0
    record = wake + 8 * RECORD
    put(record, records.KIND, records.GAP if is_lost and not is_sound else records.DIFF)
    put(record, records.RECEIVE_NS, now_ns)
    if put_event(detector, detector + 8 * EVENT, book, record, CHANGED if is_sound else WITHDRAWN):
        take_event(detector, detector + 8 * EVENT)


@inline
def _ends(wake: int, detector: int, state: int, allowed: int) -> bool:
    """Whether state or permissions are others than they were, which ends the sleep."""
    is_same = get(detector, STATE) == state and (permissions(detector) ^ allowed) & get(wake, COUNTED) == 0
    if is_same:
        return False
    put(wake, STANDING, _WOKEN)
    return True


@part
def hear(wake: int, event: int, row: int, book: int) -> bool:
    """Feed the detector of a sleeping strategy with an event of its market; whether that ends the sleep.

    Parameters
    ----------
    event: of the pipeline. row, book: the record that it was made of, and its book, which has taken it.
    """
    detector = get(wake, DETECTOR)
    state, allowed = get(detector, STATE), permissions(detector)
    now_ns = max(get(wake, NOW_NS), get(event, layout.EVENT_TIME))
    put(wake, NOW_NS, now_ns)
    if get(event, layout.EVENT_TYPE) == layout.QUOTE_EVENT:
        _feed_quote(wake, detector, event, book, now_ns)
    else:
        _feed_trade(wake, detector, row, now_ns)
    return _ends(wake, detector, state, allowed)


@part
def tell_time(wake: int, until_ns: int) -> bool:
    """Tell a sleeping strategy's detector the time, up to and including a moment; whether that ends the sleep."""
    detector, every_ns = get(wake, DETECTOR), get(wake, EVERY_NS)
    next_ns = (get(wake, NOW_NS) // every_ns + 1) * every_ns
    while next_ns <= until_ns:
        state, allowed = get(detector, STATE), permissions(detector)
        put(wake, NOW_NS, next_ns)
        advance(detector, next_ns)
        if _ends(wake, detector, state, allowed):
            return True
        next_ns += every_ns
    return False
