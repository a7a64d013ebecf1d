"""Events past the strategies that do not wait for them: straight into the compiled engine, until one is waited for.

The fast loop takes every event in the same order either way. What is left out is Python: a loop that only has to hear
of quotes and trades that somebody waits for, of triggers, of conditions that hold, and of detectors that
wake a strategy.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from market.book.book import BOOK_WORDS
from market.fastpath import layout as messages
from market.fastpath import state
from market.fastpath.entries import has_room
from market.fastpath.events import quote_event, trade_event
from market.native.kernel import entry, inline, part
from market.native.memory import address_of, get, put
from market.pipeline import detector_wakes, layout
from market.pipeline.detector_wakes import hear, tell_time
from market.pipeline.intake import next_source, source_row, take_next
from market.pipeline.pacing import NOT_YET
from market.pipeline.wake_conditions import WAKE_WIDTH, Wake, judge_top, judge_trade
from market.wire import records
from market.wire.records import Rows, Words

# Words of the watch.
PASSED: Final = 0
"""Events that the engine was fed with by the last call; the one that it found is among them if ``FED`` says so."""
FED: Final = 1
VENUES: Final = 2
"""Venue numbers are below it; a market's number is instrument * VENUES + venue."""
CONDITIONS: Final = 3
WOKEN_NS: Final = 4
"""When the time that was told woke a strategy; 0: it did not. Nothing goes on until it is 0 again."""
_HEADER: Final = 5

# Words of a market.
WATCHED: Final = 0
"""Sum of WATCH_QUOTES and WATCH_TRADES: which events are never passed."""
KEPT: Final = 1
"""Whether a quote was passed; the newest stands from ``QUOTE`` on."""
QUOTE: Final = 2
MARKET_WORDS: Final = QUOTE + layout.EVENT_WORDS

WATCH_QUOTES: Final = 1
WATCH_TRADES: Final = 2

_ASLEEP: Final = int(detector_wakes.Standing.ASLEEP)
_MARKET: Final = int(Wake.MARKET)
_FIRED: Final = int(Wake.FIRED)


def new_watch(instruments: int, venues: int, conditions: int) -> Words:
    """A watch in which nothing is waited for but so many conditions."""
    watch: Words = np.zeros(_HEADER + MARKET_WORDS * instruments * venues, dtype=np.int64)
    watch[VENUES], watch[CONDITIONS] = venues, conditions
    return watch


def market_rows(watch: Words) -> Rows:
    """A watch's markets, int64[instruments * venues, MARKET_WORDS]."""
    return watch[_HEADER:].reshape(-1, MARKET_WORDS)


@part
def _judge(event: int, market: int, conditions: int, count: int) -> bool:
    """Judge a market's conditions at an event; whether one fires."""
    fired = False
    is_quote = get(event, layout.EVENT_TYPE) == layout.QUOTE_EVENT
    bid, bid_quantity = get(event, layout.EVENT_BID_PRICE), get(event, layout.EVENT_BID_QUANTITY)
    ask, ask_quantity = get(event, layout.EVENT_ASK_PRICE), get(event, layout.EVENT_ASK_QUANTITY)
    is_sound = is_quote and bid_quantity > 0 and ask_quantity > 0 and bid < ask
    for index in range(count):
        wake = conditions + 8 * WAKE_WIDTH * index
        fires = False
        if get(wake, _MARKET) == market:
            if is_quote:
                fires = is_sound and judge_top(wake, bid, bid_quantity, ask, ask_quantity)
            else:
                fires = judge_trade(wake, get(event, layout.EVENT_QUANTITY))
        put(wake, _FIRED, 1 if fires else 0)
        fired = fired or fires
    return fired


@part
def _tell_time(watch: int, wakes: int, count: int, until_ns: int) -> bool:
    """Tell the time to the detectors of strategies that sleep; whether one of them woke."""
    woken_ns = 0
    for index in range(count):
        wake = get(wakes, index)
        # What one detector's waking puts off is told to the others with the next call.
        if get(wake, detector_wakes.STANDING) == _ASLEEP and tell_time(wake, woken_ns if woken_ns != 0 else until_ns):
            woken_ns = get(wake, detector_wakes.NOW_NS)
    put(watch, WOKEN_NS, woken_ns)
    return woken_ns != 0


@inline
def _hear(wakes: int, count: int, market: int, event: int, row: int, book: int) -> tuple[bool, bool]:
    """Feed the detectors of a market's strategies that sleep; whether one woke, and whether one was awake before."""
    woken = awake = False
    for index in range(count):
        wake = get(wakes, index)
        if get(wake, detector_wakes.MARKET) == market:
            if get(wake, detector_wakes.STANDING) == _ASLEEP:
                woken = hear(wake, event, row, book) or woken
            else:
                awake = True
    return woken, awake


@inline
def _feed(event: int, engine: int) -> None:
    if get(event, layout.EVENT_TYPE) == layout.QUOTE_EVENT:
        quote_event(
            engine,
            get(event, layout.EVENT_INSTRUMENT),
            get(event, layout.EVENT_VENUE),
            get(event, layout.EVENT_PRICE_EXPONENT),
            get(event, layout.EVENT_QUANTITY_EXPONENT),
            get(event, layout.EVENT_SEQUENCE),
            get(event, layout.EVENT_BID_PRICE),
            get(event, layout.EVENT_BID_QUANTITY),
            get(event, layout.EVENT_ASK_PRICE),
            get(event, layout.EVENT_ASK_QUANTITY),
            get(event, layout.EVENT_TIME),
        )
    else:
        trade_event(
            engine,
            get(event, layout.EVENT_INSTRUMENT),
            get(event, layout.EVENT_VENUE),
            get(event, layout.EVENT_PRICE_EXPONENT),
            get(event, layout.EVENT_QUANTITY_EXPONENT),
            get(event, layout.EVENT_PRICE),
            get(event, layout.EVENT_QUANTITY),
            get(event, layout.EVENT_AGGRESSOR),
            get(event, layout.EVENT_TIME),
        )


@inline
def _is_waited_for(event: int, row: int) -> bool:
    """Whether Python must have an event: somebody waits for it, or it withdraws a quote."""
    if get(event, layout.EVENT_TYPE) != layout.QUOTE_EVENT:
        return get(row, WATCHED) & WATCH_TRADES != 0
    withdrawn = get(event, layout.EVENT_BID_QUANTITY) == 0 and get(event, layout.EVENT_ASK_QUANTITY) == 0
    return withdrawn or get(row, WATCHED) & WATCH_QUOTES != 0


@entry("int64(int64[::1], int64[::1], int64)")
def tell_detectors(watch_words: Words, wake_addresses: Words, until_ns: int) -> int:
    """Tell the time, up to and including a moment, where no event came; the time at which it woke a strategy, or 0."""
    _tell_time(address_of(watch_words), address_of(wake_addresses), len(wake_addresses), until_ns)
    return get(address_of(watch_words), WOKEN_NS)


@entry("int64(int64[::1], int64, int64[::1], int64[::1], int64[::1], int64[:, ::1], int64[::1], int64)")
def pass_events(
    sources: Words,
    source_count: int,
    event_words: Words,
    engine_words: Words,
    watch_words: Words,
    condition_rows: Rows,
    wake_addresses: Words,
    before_ns: int,
) -> int:
    """Feed events to the engine until one is waited for, makes a trigger, fires a condition or wakes a strategy.

    Returns the source of the event. One that is waited for was not fed: ``FED`` is 0. Others return as
    ``pacing.next_event`` does; NOT_YET also where the time alone has woken a strategy, see ``WOKEN_NS``.

    Parameters
    ----------
    event_words: ``layout.EVENT_WORDS`` words, the event. engine_words: state of a ``CpuEngine``.
    watch_words: of ``new_watch``. condition_rows: int64[n, WAKE_WIDTH], ``Wake.FIRED`` as of the event that was found.
    wake_addresses: int64[m], of the words of ``DetectorWake``.
    before_ns: a record received then or later is left alone.
    """
    source_base, event, engine = address_of(sources), address_of(event_words), address_of(engine_words)
    watch, conditions = address_of(watch_words), address_of(condition_rows)
    wakes, wake_count = address_of(wake_addresses), len(wake_addresses)
    count = get(watch, CONDITIONS)
    put(watch, PASSED, 0)
    put(watch, FED, 0)
    while get(watch, WOKEN_NS) == 0:
        chosen = next_source(source_base, source_count)
        if chosen < 0:
            return chosen
        source = source_row(source_base, chosen)
        record = get(source, layout.RECORDS) + 8 * records.WIDTH * get(source, layout.POSITION)
        received_ns = get(record, records.RECEIVE_NS)
        is_timed = get(record, records.KIND) != records.REJECTED
        if is_timed and _tell_time(watch, wakes, wake_count, min(received_ns, before_ns - 1)):
            return NOT_YET
        if is_timed and received_ns >= before_ns:
            return NOT_YET
        row = take_next(source, event)
        if get(event, layout.EVENT_TYPE) == layout.NO_EVENT:
            continue
        market = get(event, layout.EVENT_INSTRUMENT) * get(watch, VENUES) + get(event, layout.EVENT_VENUE)
        kept = watch + 8 * (_HEADER + MARKET_WORDS * market)
        fired = _judge(event, market, conditions, count)
        book = get(source, layout.BOOKS) + 8 * BOOK_WORDS * get(row, records.MARKET)
        woken, awake = _hear(wakes, wake_count, market, event, row, book)
        if awake or _is_waited_for(event, kept) or not has_room(engine, 1, messages.QUOTE_EVENT_SIZE):
            return chosen
        trigger = get(engine, state.LAST_ID)
        _feed(event, engine)
        put(watch, PASSED, get(watch, PASSED) + 1)
        if get(event, layout.EVENT_TYPE) == layout.QUOTE_EVENT:
            put(kept, KEPT, 1)
            for word in range(layout.EVENT_WORDS):
                put(kept, QUOTE + word, get(event, word))
        if fired or woken or get(engine, state.LAST_ID) != trigger:
            put(watch, FED, 1)
            return chosen
    return NOT_YET
