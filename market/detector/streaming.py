"""The detector of one market, fed from its events in one pass.

A larger kernel calls ``on_top``, ``on_book``, ``on_trade``, ``on_withdrawn`` and ``on_gap`` as things happen, and
``advance`` when time is known to have passed without them. Each call ends with the state machine; ``record_intake``
does the calling for decoded records. Numbers below 0 say that the venue numbers nothing.
"""

from __future__ import annotations

from typing import Final

from market.detector.admission import admit_depth, admit_top, admit_trade
from market.detector.candles import add_trade, add_volume
from market.detector.jitter import DROPPED, LATE, admit_time, hear, lose_feed, pass_time
from market.detector.known_market import (
    doubt,
    state_depth,
    state_top,
    state_trade_price,
    withdraw_depth,
    withdraw_top,
)
from market.detector.layout import (
    CALM_SINCE,
    CONFIRM_NS,
    DEBOUNCE_NS,
    DOUBTED_BOOK,
    DOUBTED_TOP,
    ENTERED,
    LARGEST_TIME,
    LAST_BOOK,
    LAST_TOP,
    LAST_TRADE,
    LOST,
    NONE,
    NOW,
    RECOVERY_NS,
    SIGNALS,
    STATE,
)
from market.detector.machine import SHUTDOWN, SLEEP, cause_of, next_state, since
from market.detector.message_velocity import add_message
from market.detector.readings import is_heard, required
from market.detector.states import Cause, Counter, Signal
from market.detector.transitions import change_state
from market.detector.trigger import forget_trigger, held_ns, take_trigger
from market.detector.volume_delta import add_delta
from market.detector.words import count, fires
from market.native.kernel import inline, part, shared
from market.native.memory import get, put
from market.wire.records import AGGRESSOR_BUY, AGGRESSOR_SELL

_MESSAGES: Final = int(Counter.MESSAGES)
_TRADES: Final = int(Counter.TRADES)
_BOOKS: Final = int(Counter.BOOKS)
_REPEATED: Final = int(Counter.REPEATED)
_GAPS: Final = int(Counter.GAPS)
_VIOLENT: Final = int(Signal.VIOLENT_RANGE)
_COMMANDED: Final = int(Cause.COMMANDED)


@inline
def _core_count(signals: int) -> int:
    firing = 0
    for bit in range(5):
        firing += (signals >> bit) & 1
    return firing


@inline
def _lasted(now: int, start: int) -> int:
    return now - start if start >= 0 else NONE


@shared
def evaluate(detector: int) -> None:
    """Run the state machine on what holds now."""
    now, signals = get(detector, NOW), get(detector, SIGNALS)
    heard = is_heard(detector)
    met = heard and _core_count(signals) >= required(signals)
    calm = heard and not met and not fires(detector, _VIOLENT)
    take_trigger(detector, met)
    put(detector, CALM_SINCE, since(get(detector, CALM_SINCE), calm, now))
    state, entered, lost = get(detector, STATE), get(detector, ENTERED), get(detector, LOST) != 0
    met_ns = held_ns(detector)
    after = next_state(
        state,
        now - entered if entered >= 0 else LARGEST_TIME,
        met,
        met_ns,
        _lasted(now, get(detector, CALM_SINCE)),
        lost,
        get(detector, CONFIRM_NS),
        get(detector, RECOVERY_NS),
        get(detector, DEBOUNCE_NS),
    )
    if after != state:
        change_state(detector, after, cause_of(state, after, lost))
    if met and met_ns > get(detector, CONFIRM_NS):
        put(detector, LOST, 0)


@shared
def _admit(detector: int, number_word: int, number: int, time_ns: int) -> int:
    """What becomes of a message by its number and time; counted as a message unless it is dropped."""
    if 0 <= number <= get(detector, number_word):
        count(detector, _REPEATED)
        return DROPPED
    fate = admit_time(detector, time_ns)
    if fate != DROPPED:
        if number >= 0:
            put(detector, number_word, number)
        hear(detector)
        count(detector, _MESSAGES)
        add_message(detector)
    return fate


@part
def on_top(detector: int, number: int, time_ns: int, bid: int, bid_quantity: int, ask: int, ask_quantity: int) -> None:
    """Take a top of book in ticks and lots."""
    if not admit_top(detector, bid, bid_quantity, ask, ask_quantity):
        doubt(detector, DOUBTED_TOP)
        return
    fate = _admit(detector, LAST_TOP, number, time_ns)
    if fate == DROPPED:
        return
    if fate != LATE:
        state_top(detector, bid, ask)
    evaluate(detector)


@part
def on_book(
    detector: int,
    number: int,
    time_ns: int,
    bid: int,
    bid_quantity: int,
    ask: int,
    ask_quantity: int,
    bid_lots: int,
    ask_lots: int,
    bid_liquidity: int,
    ask_liquidity: int,
    bid_walls: int,
    ask_walls: int,
) -> None:
    """Take a depth update: the top of book after it, and sums over the best levels.

    Parameters
    ----------
    bid_lots, ask_lots: over ``imbalance_levels``. bid_liquidity, ask_liquidity: ticks times lots over
        ``depth_levels``. bid_walls, ask_walls: of the same levels; below 0 to count them from the sizes in the state.
    """
    if not admit_top(detector, bid, bid_quantity, ask, ask_quantity):
        doubt(detector, DOUBTED_TOP | DOUBTED_BOOK)
        return
    if not admit_depth(detector, bid_lots, ask_lots, bid_liquidity, ask_liquidity):
        doubt(detector, DOUBTED_BOOK)
        return
    fate = _admit(detector, LAST_BOOK, number, time_ns)
    if fate == DROPPED:
        return
    if fate != LATE:
        count(detector, _BOOKS)
        state_top(detector, bid, ask)
        state_depth(detector, bid_lots, ask_lots, bid_liquidity, ask_liquidity, bid_walls, ask_walls)
    evaluate(detector)


@part
def on_trade(detector: int, number: int, time_ns: int, price: int, quantity: int, aggressor: int) -> None:
    """Take a trade in ticks and lots."""
    if not admit_trade(detector, price, quantity, aggressor):
        return
    fate = _admit(detector, LAST_TRADE, number, time_ns)
    if fate == DROPPED:
        return
    count(detector, _TRADES)
    if aggressor == AGGRESSOR_BUY:
        add_delta(detector, quantity)
    elif aggressor == AGGRESSOR_SELL:
        add_delta(detector, -quantity)
    if fate == LATE:
        add_volume(detector, quantity)
    else:
        state_trade_price(detector, price)
        add_trade(detector, price, quantity)
    evaluate(detector)


@part
def advance(detector: int, time_ns: int) -> None:
    """Let time pass without an event. Times from here are believed; one that is not after now changes nothing."""
    if get(detector, NOW) < time_ns <= LARGEST_TIME:
        pass_time(detector, time_ns)
        evaluate(detector)


@part
def on_withdrawn(detector: int) -> None:
    """There is no top of book and no known depth any more."""
    withdraw_top(detector)
    withdraw_depth(detector)
    evaluate(detector)


@part
def on_gap(detector: int) -> None:
    """The feed says that something is missing: nothing known or confirmed holds; tops and books may be counted anew."""
    count(detector, _GAPS)
    put(detector, LAST_TOP, NONE)
    put(detector, LAST_BOOK, NONE)
    lose_feed(detector)
    evaluate(detector)


@part
def shut_down(detector: int) -> None:
    """Go to SHUTDOWN from any state, at once; indicators go on."""
    if get(detector, STATE) != SHUTDOWN:
        change_state(detector, SHUTDOWN, _COMMANDED)


@part
def restart(detector: int) -> None:
    """Go from SHUTDOWN to SLEEP; nothing that held before counts for a confirmation."""
    if get(detector, STATE) == SHUTDOWN:
        forget_trigger(detector)
        put(detector, CALM_SINCE, NONE)
        change_state(detector, SLEEP, _COMMANDED)
