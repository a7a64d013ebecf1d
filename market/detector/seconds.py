"""The grid of event time: slots of 100 ms for the trailing second, whole seconds for samples and candles."""

from __future__ import annotations

from typing import Final

from market.detector.acceleration import take_close
from market.detector.baselines import begin_second, is_taken
from market.detector.candles import close_candle, end_runs
from market.detector.known_market import forget_doubted
from market.detector.layout import (
    FIRST_CLOSE,
    LAST_PRICE,
    NAN,
    NOW,
    PARTIAL,
    SECOND_DELTA,
    SECOND_MESSAGES,
    SLOT,
    SLOT_DELTA,
    SLOT_MESSAGES,
    SLOT_NS,
    SLOT_RING,
    SLOTS,
    TRAILING_DELTA,
    TRAILING_MESSAGES,
    VOLATILITY,
)
from market.detector.liquidity import close_liquidity
from market.detector.message_velocity import close_messages, judge_velocity
from market.detector.returns import is_valid_move
from market.detector.spread import close_spread
from market.detector.states import Counter, Signal
from market.detector.volatility import take_return
from market.detector.volume_delta import close_delta, judge_delta
from market.detector.words import count, set_signal
from market.native.float_memory import put_float
from market.native.kernel import inline, shared
from market.native.memory import get, put

_SECONDS: Final = int(Counter.SECONDS)
_BAD_RETURN: Final = int(Counter.BAD_RETURN)
_VOLATILITY: Final = int(Signal.VOLATILITY)


@inline
def forget_prices(detector: int) -> None:
    """The price history starts again: no return and no acceleration reach back over this."""
    for place in range(3):
        put(detector, FIRST_CLOSE + place, 0)
    put_float(detector, VOLATILITY, NAN)
    set_signal(detector, _VOLATILITY, False)
    take_close(detector)


@inline
def _close_price(detector: int, taken: bool) -> None:
    put(detector, FIRST_CLOSE + 2, get(detector, FIRST_CLOSE + 1))
    put(detector, FIRST_CLOSE + 1, get(detector, FIRST_CLOSE))
    put(detector, FIRST_CLOSE, get(detector, LAST_PRICE))
    before, after = get(detector, FIRST_CLOSE + 1), get(detector, FIRST_CLOSE)
    if is_valid_move(before, after):
        take_return(detector, taken)
        take_close(detector)
        return
    if before > 0 and after > 0:
        count(detector, _BAD_RETURN)
    forget_prices(detector)
    put(detector, FIRST_CLOSE, after)


@shared
def _close_second(detector: int) -> None:
    forget_doubted(detector)
    if get(detector, PARTIAL) != 0:
        put(detector, PARTIAL, 0)
        put(detector, FIRST_CLOSE, get(detector, LAST_PRICE))
        end_runs(detector)
    else:
        taken = is_taken(detector)
        _close_price(detector, taken)
        close_spread(detector, taken)
        close_delta(detector, taken)
        close_messages(detector, taken)
        close_liquidity(detector)
        close_candle(detector)
        count(detector, _SECONDS)
    put(detector, SECOND_DELTA, 0)
    put(detector, SECOND_MESSAGES, 0)
    begin_second(detector)


@inline
def _open_next_slot(detector: int) -> None:
    slot = get(detector, SLOT)
    closing = detector + 8 * (SLOT_RING + 2 * (slot % SLOTS))
    opening = detector + 8 * (SLOT_RING + 2 * ((slot + 1) % SLOTS))
    put(closing, 0, get(detector, SLOT_DELTA))
    put(closing, 1, get(detector, SLOT_MESSAGES))
    put(detector, TRAILING_DELTA, get(detector, TRAILING_DELTA) - get(opening, 0))
    put(detector, TRAILING_MESSAGES, get(detector, TRAILING_MESSAGES) - get(opening, 1))
    put(detector, SLOT_DELTA, 0)
    put(detector, SLOT_MESSAGES, 0)
    put(detector, SLOT, slot + 1)
    if (slot + 1) % SLOTS == 0:
        _close_second(detector)


@shared
def _roll_to(detector: int, slot: int) -> None:
    while get(detector, SLOT) < slot:
        _open_next_slot(detector)
    judge_delta(detector)
    judge_velocity(detector)


@inline
def roll(detector: int) -> None:
    """Close the slots and seconds that ended by now; a silence never makes them many."""
    slot = get(detector, NOW) // SLOT_NS
    if get(detector, SLOT) < slot:
        _roll_to(detector, slot)


@inline
def start_grid(detector: int) -> None:
    """Begin again with the slot of now; the second that it lies in does not count."""
    for place in range(2 * SLOTS):
        put(detector, SLOT_RING + place, 0)
    for word in (SLOT_DELTA, SLOT_MESSAGES, TRAILING_DELTA, TRAILING_MESSAGES, SECOND_DELTA, SECOND_MESSAGES):
        put(detector, word, 0)
    put(detector, SLOT, get(detector, NOW) // SLOT_NS)
    put(detector, PARTIAL, 1)
    judge_delta(detector)
    judge_velocity(detector)
