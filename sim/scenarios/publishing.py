"""What the venue of the compiled market publishes, as rows: quotes, trades, changed levels, the whole book."""

from __future__ import annotations

from typing import Final

from market.native.kernel import inline, part
from sim.scenarios.book import best, best_lots, lots_at, touch
from sim.scenarios.chance import draw, uniform
from sim.scenarios.layout import (
    ASK,
    BID,
    ROWS_ROOM,
    STEP_NS,
    Column,
    Fault,
    Message,
    Rows,
    Values,
    Whole,
    Words,
)
from sim.scenarios.tables import PAUSE_NS, TRANSIT_NS

_START_NS: Final = int(Whole.START_NS)
_NOW_NS: Final = int(Whole.NOW_NS)
_LAST_RECEIVE_NS: Final = int(Whole.LAST_RECEIVE_NS)
_STEP: Final = int(Whole.STEP)
_UPDATE_ID: Final = int(Whole.UPDATE_ID)
_FIRST_ID: Final = int(Whole.FIRST_ID)
_PREVIOUS_ID: Final = int(Whole.PREVIOUS_ID)
_TRADE_ID: Final = int(Whole.TRADE_ID)
_COUNT: Final = int(Whole.COUNT)
_DIRTY: Final = int(Whole.DIRTY)
_ROWS: Final = int(Whole.ROWS)
_LEVELS: Final = int(Whole.LEVELS)
_QUOTED: Final = int(Whole.QUOTED)
_FAULT_AT: Final = int(Whole.FAULT_AT)
_VOLUME: Final = int(Whole.VOLUME)

_KIND: Final = int(Column.KIND)
_RECEIVE_NS: Final = int(Column.RECEIVE_NS)
_EVENT_MS: Final = int(Column.EVENT_MS)
_FIRST: Final = int(Column.FIRST)
_A: Final = int(Column.A)
_B: Final = int(Column.B)
_C: Final = int(Column.C)
_D: Final = int(Column.D)
_E: Final = int(Column.E)
_F: Final = int(Column.F)

_DEPTH_KIND: Final = int(Message.DEPTH)
_SNAPSHOT_KIND: Final = int(Message.SNAPSHOT)
_QUOTE_KIND: Final = int(Message.QUOTE)
_TRADE_KIND: Final = int(Message.TRADE)
_STUCK: Final = int(Fault.STUCK)
_CROSSED: Final = int(Fault.CROSSED)
_BEHIND_NS: Final = 3_000
"""Least time between two receipts: what was held up comes as fast as it is read."""
_MS: Final = 1_000_000


@part
def fault_now(state: Words, faults: Rows) -> int:
    """What the feed does wrong at this step: a Fault, 0 for nothing."""
    at = state[_FAULT_AT]
    while at < len(faults) and faults[at, 1] <= state[_STEP]:
        at += 1
    state[_FAULT_AT] = at
    if at < len(faults) and faults[at, 0] <= state[_STEP]:
        return int(faults[at, 2])
    return 0


@part
def new_row(state: Words, rows: Rows, faults: Rows, tables: Values, kind: int) -> int:
    """Begin a message of now; returns its row. The next one is a little later, within the step."""
    at = state[_ROWS]
    state[_ROWS] = at + 1
    receive = max(
        state[_NOW_NS] + int(draw(state, tables, TRANSIT_NS)),
        state[_LAST_RECEIVE_NS] + _BEHIND_NS,
    )
    if fault_now(state, faults) == _STUCK:
        receive = max(receive, state[_START_NS] + faults[state[_FAULT_AT], 1] * STEP_NS)
    state[_LAST_RECEIVE_NS] = receive
    rows[at, _KIND] = kind
    rows[at, _RECEIVE_NS] = receive
    rows[at, _EVENT_MS] = state[_NOW_NS] // _MS
    last = state[_START_NS] + (state[_STEP] + 1) * STEP_NS - 1
    state[_NOW_NS] = min(state[_NOW_NS] + int(draw(state, tables, PAUSE_NS)), last)
    return int(at)


@inline
def has_room(state: Words) -> bool:
    """Whether a row is left for what may be left out."""
    return bool(state[_ROWS] < ROWS_ROOM - 64)


@part
def quote(state: Words, ticks: Rows, lots: Rows, rows: Rows, faults: Rows, tables: Values) -> None:
    """State the best prices if they are others than last time."""
    bid, ask = best(state, ticks, BID), best(state, ticks, ASK)
    bid_lots, ask_lots = best_lots(state, lots, BID), best_lots(state, lots, ASK)
    same = state[_QUOTED] == bid and state[_QUOTED + 1] == bid_lots
    if same and state[_QUOTED + 2] == ask and state[_QUOTED + 3] == ask_lots:
        return
    state[_QUOTED], state[_QUOTED + 1] = bid, bid_lots
    state[_QUOTED + 2], state[_QUOTED + 3] = ask, ask_lots
    at = new_row(state, rows, faults, tables, _QUOTE_KIND)
    rows[at, _FIRST] = state[_UPDATE_ID]
    rows[at, _A], rows[at, _B], rows[at, _C], rows[at, _D] = bid, bid_lots, ask, ask_lots


@part
def quote_crossed(state: Words, ticks: Rows, lots: Rows, dirty: Rows, rows: Rows, faults: Rows, tables: Values) -> None:
    """State a bid above the offer, under an id of its own; the next true quote follows at once."""
    touch(state, dirty, BID, best(state, ticks, BID))
    at = new_row(state, rows, faults, tables, _QUOTE_KIND)
    rows[at, _FIRST] = state[_UPDATE_ID]
    rows[at, _A] = best(state, ticks, ASK) + 1 + int(uniform(state) * 20.0)
    rows[at, _B], rows[at, _D] = best_lots(state, lots, BID), best_lots(state, lots, ASK)
    rows[at, _C] = best(state, ticks, ASK)
    touch(state, dirty, BID, best(state, ticks, BID))
    state[_QUOTED] = 0


@part
def trade(state: Words, rows: Rows, faults: Rows, tables: Values, tick: int, size: int, is_sale: int) -> None:
    """A fill."""
    state[_VOLUME] += size
    state[_TRADE_ID] += 1
    at = new_row(state, rows, faults, tables, _TRADE_KIND)
    rows[at, _FIRST] = state[_TRADE_ID]
    rows[at, _A], rows[at, _B], rows[at, _C] = tick, size, is_sale


@part
def _sort(values: Rows, side: int, count: int) -> None:
    """Ascending, in place: Shell's method with gaps that shrink to a third."""
    gap = 1
    while gap < count // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for start in range(gap, count):
            value, place = values[side, start], start
            while place >= gap and values[side, place - gap] > value:
                values[side, place] = values[side, place - gap]
                place -= gap
            values[side, place] = value
        gap //= 3


@part
def _write_changes(state: Words, ticks: Rows, lots: Rows, dirty: Rows, levels: Rows, side: int) -> int:
    """Write every changed level of a side once, 0 lots for one that is gone; returns how many."""
    count, start = state[_DIRTY + side], state[_LEVELS]
    _sort(dirty, side, count)
    at, last = start, -1
    for place in range(count):
        tick = dirty[side, place]
        if tick != last:
            levels[at, 0], levels[at, 1] = tick, lots_at(state, ticks, lots, side, tick)
            at += 1
            last = tick
    state[_DIRTY + side], state[_LEVELS] = 0, at
    return int(at - start)


@part
def publish_depth(
    state: Words, ticks: Rows, lots: Rows, dirty: Rows, rows: Rows, levels: Rows, faults: Rows, tables: Values
) -> None:
    """Send what changed since the last time; nothing where nothing did."""
    if state[_FIRST_ID] == 0:
        return
    at = new_row(state, rows, faults, tables, _DEPTH_KIND)
    rows[at, _FIRST], rows[at, _A], rows[at, _B] = state[_FIRST_ID], state[_UPDATE_ID], state[_PREVIOUS_ID]
    rows[at, _C] = state[_LEVELS]
    rows[at, _D] = _write_changes(state, ticks, lots, dirty, levels, BID)
    rows[at, _E] = state[_LEVELS]
    rows[at, _F] = _write_changes(state, ticks, lots, dirty, levels, ASK)
    state[_PREVIOUS_ID], state[_FIRST_ID] = state[_UPDATE_ID], 0


@part
def _write_side(state: Words, ticks: Rows, lots: Rows, levels: Rows, side: int) -> int:
    at, count = state[_LEVELS], state[_COUNT + side]
    for place in range(count):
        levels[at + place, 0] = ticks[side, count - 1 - place]
        levels[at + place, 1] = lots[side, count - 1 - place]
    state[_LEVELS] = at + count
    return int(count)


@part
def photograph(
    state: Words, ticks: Rows, lots: Rows, dirty: Rows, rows: Rows, levels: Rows, faults: Rows, tables: Values
) -> None:
    """Answer a request for the whole book, in the middle of what the next depth message covers."""
    touch(state, dirty, BID, best(state, ticks, BID))
    at = new_row(state, rows, faults, tables, _SNAPSHOT_KIND)
    rows[at, _FIRST] = state[_UPDATE_ID]
    rows[at, _C] = state[_LEVELS]
    rows[at, _D] = _write_side(state, ticks, lots, levels, BID)
    rows[at, _E] = state[_LEVELS]
    rows[at, _F] = _write_side(state, ticks, lots, levels, ASK)
    touch(state, dirty, ASK, best(state, ticks, ASK))
