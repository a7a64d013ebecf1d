"""The book of the compiled market: each side a stack of (tick, lots), the best level on top.

Whatever changes a level writes its tick down for the next depth message.
"""

from __future__ import annotations

from typing import Final

from market.native.kernel import inline, part
from sim.scenarios.chance import draw, uniform
from sim.scenarios.layout import ASK, BID, DIRTY_ROOM, ROOM, Habit, Real, Rows, Values, Whole, Words
from sim.scenarios.tables import DEEP_LOTS, GAP_TICKS

_COUNT: Final = int(Whole.COUNT)
_DIRTY: Final = int(Whole.DIRTY)
_UPDATE_ID: Final = int(Whole.UPDATE_ID)
_FIRST_ID: Final = int(Whole.FIRST_ID)
_SPREAD: Final = int(Real.SPREAD)
_DEPTH: Final = int(Real.DEPTH)
_FEWEST: Final = 120
_BLOCK: Final = 80
_MOST: Final = ROOM - 40
_ID_STEP: Final = 7
_GAP_OF_SPREAD: Final = int(Habit.GAP_OF_SPREAD)


@inline
def outward(side: int) -> int:
    """Sign of the direction in which prices of a side get worse."""
    return 1 if side == ASK else -1


@inline
def best(state: Words, ticks: Rows, side: int) -> int:
    """Tick of the best level."""
    return int(ticks[side, state[_COUNT + side] - 1])


@inline
def second(state: Words, ticks: Rows, side: int) -> int:
    """Tick of the level behind the best one."""
    return int(ticks[side, state[_COUNT + side] - 2])


@inline
def best_lots(state: Words, lots: Rows, side: int) -> int:
    """Lots of the best level."""
    return int(lots[side, state[_COUNT + side] - 1])


@part
def touch(state: Words, dirty: Rows, side: int, tick: int) -> None:
    """Write down that a level changed."""
    state[_UPDATE_ID] += _ID_STEP
    if state[_FIRST_ID] == 0:
        state[_FIRST_ID] = state[_UPDATE_ID]
    count = state[_DIRTY + side]
    if count < DIRTY_ROOM:
        dirty[side, count] = tick
        state[_DIRTY + side] = count + 1


@part
def new_size(state: Words, reals: Values, tables: Values, table: int) -> int:
    """Lots of a new order: a table's, as much smaller as makers are afraid."""
    return 1 + int(draw(state, tables, table) * reals[_DEPTH])


@part
def next_gap(state: Words, reals: Values, tables: Values) -> int:
    """Ticks between two levels: the calm book's, and wider as makers are afraid."""
    return 1 + int(draw(state, tables, GAP_TICKS) + reals[_SPREAD] * reals[_GAP_OF_SPREAD] * 2.0 * uniform(state) - 0.1)


@part
def extend(state: Words, reals: Values, ticks: Rows, lots: Rows, dirty: Rows, tables: Values, side: int) -> None:
    """Place worse levels below the ones there are."""
    count = state[_COUNT + side]
    for place in range(count - 1, -1, -1):
        ticks[side, place + _BLOCK] = ticks[side, place]
        lots[side, place + _BLOCK] = lots[side, place]
    tick = ticks[side, _BLOCK]
    for place in range(_BLOCK - 1, -1, -1):
        tick += outward(side) * next_gap(state, reals, tables)
        ticks[side, place], lots[side, place] = tick, new_size(state, reals, tables, DEEP_LOTS)
        touch(state, dirty, side, tick)
    state[_COUNT + side] = count + _BLOCK


@part
def trim(state: Words, ticks: Rows, lots: Rows, dirty: Rows, side: int) -> None:
    """Withdraw the worst levels."""
    count = state[_COUNT + side]
    for place in range(_BLOCK):
        touch(state, dirty, side, ticks[side, place])
    for place in range(count - _BLOCK):
        ticks[side, place] = ticks[side, place + _BLOCK]
        lots[side, place] = lots[side, place + _BLOCK]
    state[_COUNT + side] = count - _BLOCK


@part
def keep_size(state: Words, reals: Values, ticks: Rows, lots: Rows, dirty: Rows, tables: Values) -> None:
    """Keep both sides between the fewest and the most levels."""
    for side in (BID, ASK):
        if state[_COUNT + side] < _FEWEST:
            extend(state, reals, ticks, lots, dirty, tables, side)
        elif state[_COUNT + side] > _MOST:
            trim(state, ticks, lots, dirty, side)


@part
def pop(state: Words, ticks: Rows, dirty: Rows, side: int) -> None:
    """Take the best level out."""
    touch(state, dirty, side, best(state, ticks, side))
    state[_COUNT + side] -= 1


@part
def set_best(state: Words, ticks: Rows, lots: Rows, dirty: Rows, side: int, size: int) -> None:
    """Change the lots of the best level."""
    lots[side, state[_COUNT + side] - 1] = size
    touch(state, dirty, side, best(state, ticks, side))


@part
def push(state: Words, ticks: Rows, lots: Rows, dirty: Rows, side: int, tick: int, size: int) -> None:
    """Place a new best level."""
    count = state[_COUNT + side]
    ticks[side, count], lots[side, count] = tick, size
    state[_COUNT + side] = count + 1
    touch(state, dirty, side, tick)


@part
def insert_second(state: Words, ticks: Rows, lots: Rows, dirty: Rows, side: int, tick: int, size: int) -> None:
    """Place a level right behind the best one, which must be better, and better than the next."""
    count = state[_COUNT + side]
    ticks[side, count], lots[side, count] = ticks[side, count - 1], lots[side, count - 1]
    ticks[side, count - 1], lots[side, count - 1] = tick, size
    state[_COUNT + side] = count + 1
    touch(state, dirty, side, tick)


@part
def lots_at(state: Words, ticks: Rows, lots: Rows, side: int, tick: int) -> int:
    """Lots of a level; 0 where there is none."""
    low, high, sign = 0, state[_COUNT + side] - 1, outward(side)
    while low <= high:
        middle = (low + high) // 2
        there = ticks[side, middle]
        if there == tick:
            return int(lots[side, middle])
        if (there - tick) * sign > 0:
            low = middle + 1
        else:
            high = middle - 1
    return 0
