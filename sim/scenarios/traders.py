"""Who trades in the compiled market: noise in clusters, makers, those who know the price, and liquidations."""

from __future__ import annotations

from typing import Final

from market.native.kernel import part
from sim.scenarios.book import (
    best,
    best_lots,
    insert_second,
    new_size,
    next_gap,
    outward,
    pop,
    push,
    second,
    set_best,
    touch,
)
from sim.scenarios.chance import draw, uniform
from sim.scenarios.layout import ASK, BID, MOST_EAGER, Habit, Real, Rows, Values, Whole, Words
from sim.scenarios.publishing import has_room, quote, trade
from sim.scenarios.tables import BEST_LOTS, DEEP_LOTS, TRADE_LOTS

_COUNT: Final = int(Whole.COUNT)
_LAST_SIDE: Final = int(Whole.LAST_SIDE)
_HURRIED: Final = int(Whole.HURRIED)
_BURST_SIZE: Final = int(Habit.BURST_SIZE)
_FORCED_SALES: Final = int(Whole.FORCED_SALES)
_FORCED: Final = int(Real.FORCED)
_SPREAD: Final = int(Real.SPREAD)
_DEPTH: Final = int(Real.DEPTH)
_TARGET: Final = int(Real.TARGET)
_PANIC: Final = int(Real.PANIC)

_EAGERNESS: Final = int(Real.EAGERNESS)
_PATIENT: Final = int(Habit.PATIENT)
_LIQUIDATION: Final = int(Real.LIQUIDATION)
_FORCED_ORDERS: Final = int(Habit.FORCED_ORDERS)
_FORCED_LOTS: Final = int(Habit.FORCED_LOTS)
_BARGAIN_ORDERS: Final = int(Habit.BARGAIN_ORDERS)
_BARGAIN_AT: Final = int(Habit.BARGAIN_AT)
_DISLOCATION: Final = int(Real.DISLOCATION)
_MARKET_SHARE: Final = int(Habit.MARKET_SHARE)
_SAME_SIDE: Final = int(Habit.SAME_SIDE)
_USUAL_LOTS: Final = int(Habit.USUAL_LOTS)
_TAKEN: Final = int(Habit.TAKEN)
_REACTION: Final = int(Habit.REACTION)
_NARROWING: Final = int(Habit.NARROWING)
_WIDENING: Final = int(Habit.WIDENING)
_FORCING: Final = 0.0002
"""Forced sales that are still to come, as a share of the price, from which on they show."""
_LEFT: Final = 8
"""Levels of a side that stay within a step; the next one begins with new ones."""
_DEEPEST: Final = 100
"""Levels that one sweep takes at most."""
_MOST_FILLS: Final = 12
"""Fills of one sweep; what lies deeper is withdrawn."""
_TAKEN_IN_PANIC: Final = 0.85
_FARTHEST: Final = 1.5
"""Spreads from the worth of the market at which nobody sells or buys at any price any more."""
_HOLE_TICKS: Final = 12
_HOLE: Final = 0.4
"""Spreads between the best level and the next one at which makers fill the hole."""
_LARGER_IN_PANIC: Final = 8.0
"""How much more market orders are of in full panic."""
_SAME_HURRY: Final = 0.9
"""How often a market order is of those who are in a hurry, where nobody else trades."""
_LARGEST_SHARE: Final = 4.0
"""Of a liquidation, against one of the usual size."""
_TOO_NARROW: Final = 0.55
_SLOWER_IN_PANIC: Final = 0.65
"""How much less often makers react in full panic."""
_CALM_TICKS: Final = 2.5
"""Spread that makers ask for, below which they close every gap at the best prices."""
_NO_LOSS: Final = 0.45
"""Ticks beyond the worth of the market at which they still do."""
_WORTH_TAKING: Final = 0.5
"""Ticks beyond a best price at which those who know the price take it."""


@part
def take(
    state: Words,
    reals: Values,
    ticks: Rows,
    lots: Rows,
    dirty: Rows,
    rows: Rows,
    faults: Rows,
    tables: Values,
    side: int,
    size: int,
) -> None:
    """A market order against a side: of the best level alone in calm, where nobody takes more than there is."""
    left, passed, most = size, 0, 1 + int(_MOST_FILLS * reals[_PANIC])
    while left > 0 and passed < most and state[_COUNT + side] > _LEFT and has_room(state):
        if (best(state, ticks, side) - reals[_TARGET]) * outward(side) > _FARTHEST * reals[_SPREAD]:
            break
        there = best_lots(state, lots, side)
        filled = min(left, there)
        trade(state, rows, faults, tables, best(state, ticks, side), filled, 1 if side == BID else 0)
        if filled < there:
            set_best(state, ticks, lots, dirty, side, there - filled)
        else:
            pop(state, ticks, dirty, side)
        left -= filled
        passed += 1


@part
def _close_gap(state: Words, reals: Values, ticks: Rows, lots: Rows, dirty: Rows, tables: Values, side: int) -> bool:
    """A maker's new best price one tick from the other side's, where that is no loss; whether it was placed."""
    tick = best(state, ticks, 1 - side) + outward(side)
    if (reals[_TARGET] - tick) * outward(side) > _NO_LOSS:
        return False
    push(state, ticks, lots, dirty, side, tick, new_size(state, reals, tables, BEST_LOTS))
    return True


@part
def _refill(state: Words, reals: Values, ticks: Rows, lots: Rows, dirty: Rows, tables: Values, side: int) -> None:
    """Makers close what an order has opened before anybody sees it."""
    is_open = best(state, ticks, ASK) - best(state, ticks, BID) > 1
    if is_open and not _close_gap(state, reals, ticks, lots, dirty, tables, side):
        _close_gap(state, reals, ticks, lots, dirty, tables, 1 - side)


@part
def make_noise(
    state: Words,
    reals: Values,
    ticks: Rows,
    lots: Rows,
    dirty: Rows,
    rows: Rows,
    faults: Rows,
    tables: Values,
) -> None:
    """One order of somebody who knows nothing: taken, joined or withdrawn at a best price."""
    if not has_room(state):
        return
    if uniform(state) < reals[_MARKET_SHARE]:
        side = state[_LAST_SIDE] if uniform(state) < reals[_SAME_SIDE] else int(uniform(state) * 2.0)
        if uniform(state) < 0.25 * reals[_PANIC]:
            side = BID
        state[_LAST_SIDE] = side
        if uniform(state) * (reals[_EAGERNESS] + 1.0) < _SAME_HURRY * reals[_EAGERNESS]:
            side = state[_HURRIED]
        eager = reals[_PATIENT] + (1.0 - reals[_PATIENT]) * min(reals[_EAGERNESS], MOST_EAGER)
        size = draw(state, tables, TRADE_LOTS) * reals[_BURST_SIZE] * eager * (1.0 + _LARGER_IN_PANIC * reals[_PANIC])
        take(state, reals, ticks, lots, dirty, rows, faults, tables, side, 1 + int(size))
        if reals[_SPREAD] < _CALM_TICKS and uniform(state) > reals[_PANIC]:
            _refill(state, reals, ticks, lots, dirty, tables, side)
    else:
        side = int(uniform(state) * 2.0)
        there = best_lots(state, lots, side)
        usual = reals[_USUAL_LOTS] * reals[_DEPTH] + 1.0
        if uniform(state) * (usual + there) < usual:
            set_best(state, ticks, lots, dirty, side, there + new_size(state, reals, tables, DEEP_LOTS))
        else:
            left = there - int(draw(state, tables, DEEP_LOTS) * reals[_DEPTH]) - 1
            set_best(state, ticks, lots, dirty, side, max(left, 1))
    quote(state, ticks, lots, rows, faults, tables)


@part
def sweep(
    state: Words,
    reals: Values,
    ticks: Rows,
    lots: Rows,
    dirty: Rows,
    rows: Rows,
    faults: Rows,
    tables: Values,
    side: int,
) -> bool:
    """Those who know the price take what is in its way, and makers withdraw the rest; whether anything was.

    Forced sales are of these: while they last, more of the bids is taken and less withdrawn.
    """
    target, fills, passed = reals[_TARGET], 0, 0
    forced = side == BID and reals[_FORCED] > _FORCING
    taken = reals[_TAKEN] + (_TAKEN_IN_PANIC - reals[_TAKEN]) * reals[_PANIC]
    while (
        state[_COUNT + side] > _LEFT
        and passed < _DEEPEST
        and (best(state, ticks, side) - target) * outward(side) < -_WORTH_TAKING
    ):
        there = best_lots(state, lots, side)
        passed += 1
        if fills < _MOST_FILLS and has_room(state) and (forced or uniform(state) < taken):
            if forced:
                state[_FORCED_SALES] += there
            fills += 1
            trade(state, rows, faults, tables, best(state, ticks, side), there, 1 if side == BID else 0)
        pop(state, ticks, dirty, side)
    if passed:
        if reals[_SPREAD] < _CALM_TICKS and uniform(state) > reals[_PANIC]:
            _refill(state, reals, ticks, lots, dirty, tables, side)
        quote(state, ticks, lots, rows, faults, tables)
    return passed > 0


@part
def _print(
    state: Words,
    reals: Values,
    ticks: Rows,
    lots: Rows,
    dirty: Rows,
    rows: Rows,
    faults: Rows,
    tables: Values,
    side: int,
    share: float,
) -> int:
    """Trade more than a side shows at its best price, and have it refilled; returns the lots.

    ``share``: of the usual size.
    """
    size = 1 + int(2.0 * reals[_FORCED_LOTS] * share * uniform(state))
    trade(state, rows, faults, tables, best(state, ticks, side), size, 1 if side == BID else 0)
    set_best(state, ticks, lots, dirty, side, new_size(state, reals, tables, DEEP_LOTS))
    quote(state, ticks, lots, rows, faults, tables)
    return size


@part
def force_and_hunt(
    state: Words,
    reals: Values,
    ticks: Rows,
    lots: Rows,
    dirty: Rows,
    rows: Rows,
    faults: Rows,
    tables: Values,
) -> None:
    """Liquidations sell while forced sales last, and bargain hunters buy what is far below its worth."""
    if not has_room(state):
        return
    if reals[_FORCED] > _FORCING and uniform(state) < reals[_FORCED_ORDERS]:
        share = min(reals[_FORCED] / reals[_LIQUIDATION], _LARGEST_SHARE)
        state[_FORCED_SALES] += _print(state, reals, ticks, lots, dirty, rows, faults, tables, BID, share)
    below = reals[_DISLOCATION] / reals[_BARGAIN_AT] - 1.0
    if below > 0.0 and uniform(state) < reals[_BARGAIN_ORDERS] * min(below, 1.0):
        _print(state, reals, ticks, lots, dirty, rows, faults, tables, ASK, 1.0)


@part
def _place(state: Words, reals: Values, ticks: Rows, lots: Rows, dirty: Rows, tables: Values, side: int) -> bool:
    """A maker's new best price around the target, half a spread away; whether it was placed."""
    sign = outward(side)
    away = reals[_SPREAD] * (0.35 + 0.3 * uniform(state))
    tick = int(reals[_TARGET] + sign * away + 0.5)
    inner = best(state, ticks, 1 - side) + sign
    if (tick - inner) * sign < 0:
        tick = inner
    if (best(state, ticks, side) - tick) * sign <= 0:
        return False
    push(state, ticks, lots, dirty, side, tick, new_size(state, reals, tables, BEST_LOTS))
    return True


@part
def make_markets(
    state: Words,
    reals: Values,
    ticks: Rows,
    lots: Rows,
    dirty: Rows,
    rows: Rows,
    faults: Rows,
    tables: Values,
) -> None:
    """Makers follow the price, come closer where the spread is wide, and step back where it is too narrow for them."""
    if not has_room(state):
        return
    spread, wanted = best(state, ticks, ASK) - best(state, ticks, BID), reals[_SPREAD]
    reaction = reals[_REACTION] * (1.0 - _SLOWER_IN_PANIC * reals[_PANIC])
    changed = False
    for side in (BID, ASK):
        distance = (best(state, ticks, side) - reals[_TARGET]) * outward(side)
        if distance > 1.2 * wanted and uniform(state) < reaction:
            changed = _place(state, reals, ticks, lots, dirty, tables, side) or changed
    if not changed and spread > max(1.3 * wanted, wanted + 0.5) and uniform(state) < reals[_NARROWING]:
        above, below = best(state, ticks, ASK) - reals[_TARGET], reals[_TARGET] - best(state, ticks, BID)
        side = ASK if above > below else BID
        changed = _place(state, reals, ticks, lots, dirty, tables, side)
        if not changed and wanted < _CALM_TICKS:
            changed = _close_gap(state, reals, ticks, lots, dirty, tables, side)
    elif not changed and spread < _TOO_NARROW * wanted - 0.5 and uniform(state) < reals[_WIDENING]:
        side = BID if best(state, ticks, ASK) - reals[_TARGET] > reals[_TARGET] - best(state, ticks, BID) else ASK
        pop(state, ticks, dirty, side)
        changed = True
    side = int(uniform(state) * 2.0)
    gap = (second(state, ticks, side) - best(state, ticks, side)) * outward(side)
    if gap > _HOLE_TICKS + _HOLE * wanted and uniform(state) < reaction:
        behind = best(state, ticks, side) + outward(side) * next_gap(state, reals, tables)
        if (second(state, ticks, side) - behind) * outward(side) > 0:
            insert_second(state, ticks, lots, dirty, side, behind, new_size(state, reals, tables, DEEP_LOTS))
    if changed:
        quote(state, ticks, lots, rows, faults, tables)


@part
def churn(state: Words, reals: Values, ticks: Rows, lots: Rows, dirty: Rows, tables: Values, changes: int) -> None:
    """Change sizes behind the best prices, as far as the depth stream shows them."""
    for _ in range(changes):
        side = int(uniform(state) * 2.0)
        count = state[_COUNT + side]
        place = count - 2 - int(uniform(state) * uniform(state) * (count - 2))
        if place >= 0:
            lots[side, place] = new_size(state, reals, tables, DEEP_LOTS)
            touch(state, dirty, side, ticks[side, place])
