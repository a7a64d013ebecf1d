"""Questions about a book, answered without changing it."""

from __future__ import annotations

from market.native.kernel import entry
from market.native.memory import address_of, get
from market.wire.records import Rows, Words
from sim.matching.layout import ASK, BID
from sim.matching.queues import (
    COUNT,
    LEVEL,
    LOTS,
    NONE,
    OWNER,
    RANK,
    SIDE,
    SUM,
    find_order,
    level_at,
    level_by_place,
    level_count,
    order_at,
    queue_ahead,
)
from sim.matching.taking import ANY_PRICE, opposite, price_of, stop_rank


@entry("int64(int64[::1], int64, int64[:, ::1])")
def read_levels(state: Words, side: int, levels: Rows) -> int:
    """Write price, lots and orders of a side's levels, best first, as far as there is room; gives how many."""
    book = address_of(state)
    if side != BID and side != ASK:
        return 0
    count = min(levels.shape[0], level_count(book, side))
    for place in range(count):
        level = level_by_place(book, side, place)
        levels[place, 0] = price_of(side, get(level, RANK))
        levels[place, 1] = get(level, SUM)
        levels[place, 2] = get(level, COUNT)
    return count


@entry("int64(int64[::1], int64, int64, int64, int64, int64[::1])")
def read_reach(state: Words, side: int, price: int, lots: int, money: int, reach: Words) -> int:
    """What an order of a side would trade at once at prices up to its limit (0: any); gives the lots.

    Parameters
    ----------
    lots: of the order. money: most that it may trade in price times lots, -1 for no bound.
    reach: becomes lots, price times lots (the caller keeps it below 2**63), worst price.
    """
    book = address_of(state)
    found = spent = worst = 0
    if side != BID and side != ASK:
        reach[0] = reach[1] = reach[2] = 0
        return 0
    other = opposite(side)
    least = ANY_PRICE if price == 0 else stop_rank(side, price)
    for place in range(level_count(book, other)):
        level = level_by_place(book, other, place)
        if get(level, RANK) < least:
            break
        at = price_of(other, get(level, RANK))
        traded = min(lots - found, get(level, SUM))
        if money >= 0:
            traded = min(traded, (money - spent) // at)
        if traded <= 0:
            break
        found += traded
        spent += traded * at
        worst = at
    reach[0], reach[1], reach[2] = found, spent, worst
    return found


@entry("int64(int64[::1], int64, int64[::1])")
def read_order(state: Words, identifier: int, found: Words) -> int:
    """Write owner, side, price, lots, orders ahead and lots ahead of a resting order; 0 if it does not rest."""
    book = address_of(state)
    order = find_order(book, identifier)
    if order == NONE:
        return 0
    node = order_at(book, order)
    level = level_at(book, get(node, LEVEL))
    side = get(level, SIDE)
    found[0] = get(node, OWNER)
    found[1] = side
    found[2] = price_of(side, get(level, RANK))
    found[3] = get(node, LOTS)
    found[4], found[5] = queue_ahead(book, order)
    return 1
