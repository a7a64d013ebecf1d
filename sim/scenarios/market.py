"""The market step by step: what the price is worth, how afraid makers are, and who trades.

Worth is a random walk times the path that was drawn beforehand, less what forced sales press it down; traders take the
book there. Makers are startled by every move for a quarter of a second, and afraid of volatility for two.
"""

from __future__ import annotations

from math import sqrt
from typing import Final

from market.native.kernel import entry, part
from sim.scenarios.book import keep_size
from sim.scenarios.chance import draw, uniform
from sim.scenarios.layout import (
    ASK,
    BID,
    DIRTY_ROOM,
    LEVELS_ROOM,
    MOST_EAGER,
    PHOTOGRAPH_STEPS,
    ROWS_ROOM,
    STEP_NS,
    Fault,
    Habit,
    Real,
    Rows,
    Values,
    Whole,
    Words,
)
from sim.scenarios.publishing import fault_now, has_room, photograph, publish_depth, quote, quote_crossed
from sim.scenarios.tables import DEPTH_STEPS, HURRY, JUMP_BPS
from sim.scenarios.traders import churn, force_and_hunt, make_markets, make_noise, sweep

_STEP: Final = int(Whole.STEP)
_END_STEP: Final = int(Whole.END_STEP)
_START_NS: Final = int(Whole.START_NS)
_NOW_NS: Final = int(Whole.NOW_NS)
_DIRTY: Final = int(Whole.DIRTY)
_ROWS: Final = int(Whole.ROWS)
_LEVELS: Final = int(Whole.LEVELS)
_NEXT_DEPTH: Final = int(Whole.NEXT_DEPTH)
_PHOTOGRAPH: Final = int(Whole.PHOTOGRAPH)
_PATH_AT: Final = int(Whole.PATH_AT)
_REGIME_AT: Final = int(Whole.REGIME_AT)
_PANIC_AT: Final = int(Whole.PANIC_AT)

_START_PRICE: Final = int(Real.START_PRICE)
_WALK: Final = int(Real.WALK)
_DISLOCATION: Final = int(Real.DISLOCATION)
_FORCED: Final = int(Real.FORCED)
_CLUSTER: Final = int(Real.CLUSTER)
_VARIANCE: Final = int(Real.VARIANCE)
_STARTLE: Final = int(Real.STARTLE)
_EXCITED_FAST: Final = int(Real.EXCITED_FAST)
_EXCITED_SLOW: Final = int(Real.EXCITED_SLOW)
_SPREAD: Final = int(Real.SPREAD)
_DEPTH: Final = int(Real.DEPTH)
_TARGET: Final = int(Real.TARGET)
_LAST_MID: Final = int(Real.LAST_MID)
_LAST_TARGET: Final = int(Real.LAST_TARGET)
_ACTIVITY: Final = int(Real.ACTIVITY)
_SIGMA: Final = int(Real.SIGMA)
_LIQUIDATION: Final = int(Real.LIQUIDATION)
_SPACING: Final = int(Real.SPACING)
_CHOP: Final = int(Real.CHOP)
_PANIC: Final = int(Real.PANIC)
_FLOOR: Final = int(Real.FLOOR)
_EAGERNESS: Final = int(Real.EAGERNESS)
_PUSH: Final = int(Real.PUSH)
_HURRIED: Final = int(Whole.HURRIED)

_STARTLED_TICKS: Final = int(Habit.STARTLED_TICKS)
_STARTLED_ORDERS: Final = int(Habit.STARTLED_ORDERS)
_FEARED_BPS: Final = int(Habit.FEARED_BPS)
_WIDEST_BPS: Final = int(Habit.WIDEST_BPS)
_THIN_VARIANCE: Final = int(Habit.THIN_VARIANCE)
_LIVELY_BPS: Final = int(Habit.LIVELY_BPS)
_LIVELIEST: Final = int(Habit.LIVELIEST)
_SPONTANEOUS: Final = int(Habit.SPONTANEOUS)
_PROVOKED_FAST: Final = int(Habit.PROVOKED_FAST)
_PROVOKED_SLOW: Final = int(Habit.PROVOKED_SLOW)
_JUMPS: Final = int(Habit.JUMPS)
_CHURN: Final = int(Habit.CHURN)
_HURRIES: Final = int(Habit.HURRIES)
_HURRY_OF_JUMP: Final = int(Habit.HURRY_OF_JUMP)
_PATIENT: Final = int(Habit.PATIENT)
_CROSSED: Final = int(Fault.CROSSED)
_BPS: Final = 10_000.0
_LOOK_STEPS: Final = 50
"""Steps between two looks at how far the price moved."""
_FORGET_VARIANCE: Final = 0.975
"""Per look: two seconds."""
_LOOKS_PER_S: Final = 20.0
_FORGET_STARTLE: Final = 0.82
"""Per look: a quarter of a second."""
_FORGET_FAST: Final = 0.6
_FORGET_SLOW: Final = 0.996
_PANICKED: Final = 9.0
"""How much more makers fear volatility in full panic."""
_NOTICED_BPS: Final = 2.0
"""Moves between two looks that startle."""
_STARTLED_IN_CALM: Final = 0.2
"""Of what a move adds to the spread in a panic."""
_SOON_STARTLED: Final = 4.0
"""The inverse of the panic from which on a move startles as in a full one."""
_MOST_STARTLED: Final = 12.0
_USED_TO_IT: Final = 400.0
"""Variance in bps squared per second at which a move startles half as much."""
_FIRST_CLUSTER: Final = 0.006
"""How far below the worth the first liquidations lie before the fall."""
_RELEASED: Final = 0.007
"""Share of the forced sales carried out per step."""
_CALMED: Final = 0.995
"""Part of the eagerness that is left after a step: forgotten in a fifth of a second."""
_PUSHED: Final = 0.007
"""Share of a push carried out per step."""
_IMPACT: Final = 0.8
"""What a hurry of the usual size moves the price by, of the deviation that the shape asks for."""
_FORCED_AT_ONCE: Final = 0.45
"""Forced sales of a cluster of the usual size, of the mean that the shape asks for."""
_RECOVERED: Final = 0.0010
"""Share of a dislocation that bargain hunters close per step."""
_FEWER_IN_PANIC: Final = 6.0
"""How many times less is shown in full panic."""


@part
def _interpolated(state: Words, knots: Rows, place: int) -> float:
    """Value of a piecewise line, int64[n, 2] of (step, value), at this step."""
    at, step = state[place], state[_STEP]
    while at + 2 < len(knots) and knots[at + 1, 0] <= step:
        at += 1
    state[place] = at
    start, end = knots[at, 0], knots[at + 1, 0]
    low, high = knots[at, 1], knots[at + 1, 1]
    return float(low + (high - low) * (min(max(step - start, 0), end - start) / max(end - start, 1)))


@part
def _liquidate(state: Words, reals: Values, tables: Values, worth: float) -> None:
    """Begin forced sales where the worth reaches the next cluster of liquidations, carry some out, let some recover.

    While nothing happens the clusters follow the price: positions are closed and opened.
    """
    if reals[_PANIC] <= 0.0:
        reals[_CLUSTER] = worth * (1.0 - _FIRST_CLUSTER) if reals[_LIQUIDATION] > 0.0 else 0.0
    while reals[_CLUSTER] > 0.0 and worth < reals[_CLUSTER]:
        reals[_FORCED] += reals[_LIQUIDATION] * _FORCED_AT_ONCE * sqrt(draw(state, tables, HURRY))
        reals[_CLUSTER] -= reals[_SPACING] * (0.4 + 1.2 * uniform(state))
    released = reals[_FORCED] * _RELEASED
    reals[_FORCED] -= released
    reals[_DISLOCATION] += released - reals[_DISLOCATION] * _RECOVERED


@part
def _hurry(state: Words, reals: Values, tables: Values) -> None:
    """Somebody trades in a hurry now and then while there is panic: a burst of orders that presses the price one way.

    The price moves by the square root of what is traded; what it moves by is a dislocation, which comes back.
    """
    reals[_EAGERNESS] *= _CALMED
    if uniform(state) < reals[_HURRIES] * min(4.0 * reals[_PANIC], 1.0):
        size = draw(state, tables, HURRY)
        side = BID if uniform(state) < 0.5 else ASK
        state[_HURRIED] = side
        reals[_EAGERNESS] += size
        push = _IMPACT * reals[_CHOP] * reals[_PANIC] * sqrt(size)
        reals[_PUSH] += push if side == BID else -push
    released = reals[_PUSH] * _PUSHED
    reals[_PUSH] -= released
    reals[_DISLOCATION] += released


@part
def _move(state: Words, reals: Values, path: Rows, regime: Rows, panic: Rows, tables: Values) -> None:
    """What the price should be at this step."""
    calm = _interpolated(state, regime, _REGIME_AT) / 1_000.0
    if uniform(state) < reals[_JUMPS] * (0.5 + 0.5 * calm):
        drawn = draw(state, tables, JUMP_BPS)
        size, is_up = drawn / _BPS * calm * reals[_SIGMA], uniform(state) < 0.5
        reals[_WALK] *= 1.0 + (size if is_up else -size)
        reals[_EAGERNESS] += reals[_HURRY_OF_JUMP] * drawn * drawn * (1.0 - reals[_PANIC]) / (0.5 + 0.5 * calm)
        state[_HURRIED] = ASK if is_up else BID
    reals[_PANIC] = _interpolated(state, panic, _PANIC_AT) / 1_000.0
    worth = reals[_WALK] * (_interpolated(state, path, _PATH_AT) / 1e9)
    _liquidate(state, reals, tables, worth)
    _hurry(state, reals, tables)
    reals[_TARGET] = reals[_START_PRICE] * worth * (1.0 - reals[_DISLOCATION])


@part
def _look(state: Words, reals: Values) -> None:
    """How afraid makers are: what they ask for, and how much they show."""
    move = (reals[_TARGET] / reals[_LAST_TARGET] - 1.0) * _BPS
    reals[_LAST_TARGET] = reals[_TARGET]
    reals[_VARIANCE] = reals[_VARIANCE] * _FORGET_VARIANCE + move * move * _LOOKS_PER_S * (1.0 - _FORGET_VARIANCE)
    startled = abs(move) if abs(move) > _NOTICED_BPS else 0.0
    reals[_STARTLE] = reals[_STARTLE] * _FORGET_STARTLE + startled
    feared_bps = min(reals[_FEARED_BPS] * reals[_VARIANCE] * (1.0 + _PANICKED * reals[_PANIC]), reals[_WIDEST_BPS])
    ticks = feared_bps * reals[_TARGET] / _BPS
    easily = _STARTLED_IN_CALM + (1.0 - _STARTLED_IN_CALM) * min(_SOON_STARTLED * reals[_PANIC], 1.0)
    reals[_SPREAD] = 1.0 + reals[_STARTLED_TICKS] * easily * reals[_STARTLE] + ticks
    shown = 1.0 / (1.0 + reals[_VARIANCE] / reals[_THIN_VARIANCE]) / (1.0 + _FEWER_IN_PANIC * reals[_PANIC])
    reals[_DEPTH] = max(shown, reals[_FLOOR])


@part
def _arrivals(state: Words, reals: Values) -> int:
    """How many orders of noise come in this step, in clusters: those before provoke them."""
    startled = min(reals[_STARTLE] * reals[_STARTLED_ORDERS], _MOST_STARTLED) / (1.0 + reals[_VARIANCE] / _USED_TO_IT)
    liveliness = 1.0 + min(sqrt(reals[_VARIANCE]) / reals[_LIVELY_BPS], reals[_LIVELIEST]) + startled
    eager = reals[_PATIENT] + (1.0 - reals[_PATIENT]) * min(reals[_EAGERNESS], MOST_EAGER)
    rate = reals[_SPONTANEOUS] * reals[_ACTIVITY] * liveliness * eager + reals[_EXCITED_FAST] + reals[_EXCITED_SLOW]
    count = int(rate)
    if uniform(state) < rate - count:
        count += 1
    count = min(count, 12)
    reals[_EXCITED_FAST] = (reals[_EXCITED_FAST] + reals[_PROVOKED_FAST] * count) * _FORGET_FAST
    reals[_EXCITED_SLOW] = (reals[_EXCITED_SLOW] + reals[_PROVOKED_SLOW] * count) * _FORGET_SLOW
    return count


@part
def _is_full(state: Words) -> bool:
    """Whether the next step might not find room for its messages."""
    return bool(state[_ROWS] > ROWS_ROOM - 512 or state[_LEVELS] > LEVELS_ROOM - 2 * DIRTY_ROOM - 1_024)


@entry(
    "int64(int64[::1], float64[::1], int64[:, ::1], int64[:, ::1], int64[:, ::1], int64[:, ::1], int64[:, ::1],"
    " int64[:, ::1], int64[:, ::1], int64[:, ::1], int64[:, ::1], float64[:, ::1])"
)
def run_market(
    state: Words,
    reals: Values,
    ticks: Rows,
    lots: Rows,
    dirty: Rows,
    rows: Rows,
    levels: Rows,
    path: Rows,
    regime: Rows,
    panic: Rows,
    faults: Rows,
    tables: Values,
) -> int:
    """Go on until the end or until the rows are nearly full; returns the number of rows, 0 at the end.

    Parameters
    ----------
    state, reals: words of ``layout.Whole`` and ``layout.Real``. ticks, lots: int64[2, ROOM], sides of the book.
    rows, levels: what is published, from their beginning; see ``layout``.
    path, regime, panic: int64[n, 2] of (step, value), at least two: worth in billionths of the start, volatility and
        panic in thousandths. faults: int64[n, 3] of (first step, step behind the last, Fault), one after the other.
    """
    state[_ROWS] = state[_LEVELS] = 0
    while state[_STEP] < state[_END_STEP] and not _is_full(state):
        step = state[_STEP]
        state[_NOW_NS] = state[_START_NS] + step * STEP_NS + int(uniform(state) * 4e5)
        keep_size(state, reals, ticks, lots, dirty, tables)
        _move(state, reals, path, regime, panic, tables)
        if step % _LOOK_STEPS == 0:
            _look(state, reals)
        if not sweep(state, reals, ticks, lots, dirty, rows, faults, tables, BID):
            sweep(state, reals, ticks, lots, dirty, rows, faults, tables, ASK)
        force_and_hunt(state, reals, ticks, lots, dirty, rows, faults, tables)
        make_markets(state, reals, ticks, lots, dirty, rows, faults, tables)
        for _ in range(_arrivals(state, reals)):
            make_noise(state, reals, ticks, lots, dirty, rows, faults, tables)
        if fault_now(state, faults) == _CROSSED and has_room(state) and uniform(state) < 0.02:
            quote_crossed(state, ticks, lots, dirty, rows, faults, tables)
            quote(state, ticks, lots, rows, faults, tables)
        if step == state[_PHOTOGRAPH]:
            photograph(state, ticks, lots, dirty, rows, levels, faults, tables)
            state[_PHOTOGRAPH] = step + PHOTOGRAPH_STEPS
        if step >= state[_NEXT_DEPTH] or state[_DIRTY] + state[_DIRTY + 1] > DIRTY_ROOM // 2:
            churn(state, reals, ticks, lots, dirty, tables, int(reals[_CHURN]))
            publish_depth(state, ticks, lots, dirty, rows, levels, faults, tables)
            state[_NEXT_DEPTH] = step + int(draw(state, tables, DEPTH_STEPS))
        state[_STEP] = step + 1
    return int(state[_ROWS])
