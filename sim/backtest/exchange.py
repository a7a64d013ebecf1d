"""The exchange's side: the recorded flow changes the book and reaches own resting orders.

An own order is filled whole when the other side's best price comes to its price, or a trade goes through it; at its own
price by what of a trade its place in the queue lets through.
"""

from __future__ import annotations

from typing import Final

from market.book.ladder import (
    ASK,
    BID,
    NO_PRICE,
    WINDOW,
    best_tick,
    centre_windows,
    clear_side,
    quantity_at,
    set_level,
)
from market.native.kernel import inline, part
from market.native.memory import get, put
from sim.backtest.costs import fund
from sim.backtest.layout import (
    ASKS,
    ASKS_START,
    BIDS,
    BIDS_START,
    EXCHANGE_NS,
    QUOTE_ASK,
    QUOTE_ASK_LOTS,
    QUOTE_BID,
    QUOTE_BID_LOTS,
    TAPE_DIFF,
    TAPE_FUNDING,
    TAPE_KIND,
    TAPE_OLDER_DIFF,
    TAPE_ORDERS,
    TAPE_QUOTE,
    TAPE_SNAPSHOT,
    TAPE_TRADE,
    TRADE_AGGRESSOR,
    TRADE_LOTS,
    TRADE_PRICE,
)
from sim.backtest.order_flow import play_orders
from sim.backtest.queue_models import on_displayed, on_traded
from sim.backtest.reporting import MAKER, trade
from sim.backtest.shown import exchange_side, side_taken, state_side
from sim.backtest.state import (
    EXCHANGE_ASKS,
    EXCHANGE_BIDS,
    EXCHANGE_KNOWN,
    PARTIAL,
    SHARED,
    STORE,
    TAPE_OPERATIONS,
    place_of,
)
from sim.matching.queues import (
    AFTER,
    FIRST,
    ID,
    LOTS,
    NONE,
    OWNER,
    RANK,
    best_rank,
    find_level,
    level_at,
    level_by_place,
    level_count,
    order_at,
    rank_of,
    reduce_order,
    remove_order,
)
from sim.matching.taking import price_of

OPPOSITE: Final = BID + ASK


@part
def _fill_level(state: int, row: int, side: int, level: int, time_ns: int) -> None:
    """Fill all own orders of a level whole, each at its price; the level is gone then."""
    store = get(row, STORE)
    price, order = price_of(side, get(level, RANK)), get(level, FIRST)
    while order != NONE:
        node = order_at(store, order)
        after, lots = get(node, AFTER), get(node, LOTS)
        trade(state, row, get(node, ID), get(node, OWNER), side, price, lots, 0, MAKER, time_ns)
        remove_order(store, order)
        order = after


@part
def fill_reached(state: int, row: int, side: int, rank: int, time_ns: int) -> None:
    """Fill all own orders of a side whose rank is at least one: the market came to their price."""
    store = get(row, STORE)
    while level_count(store, side) > 0 and best_rank(store, side) >= rank:
        _fill_level(state, row, side, level_by_place(store, side, 0), time_ns)


@part
def _trade_at(state: int, row: int, side: int, level: int, lots: int, time_ns: int) -> None:
    """A trade at the price of a level of own orders, oldest first."""
    store = get(row, STORE)
    price, order = price_of(side, get(level, RANK)), get(level, FIRST)
    left = lots
    while order != NONE:
        node = order_at(store, order)
        after, stood = get(node, AFTER), get(node, LOTS)
        reached = on_traded(place_of(row, order), left)
        if reached > 0:
            filled = min(reached, stood) if get(row, PARTIAL) != 0 else stood
            trade(state, row, get(node, ID), get(node, OWNER), side, price, filled, stood - filled, MAKER, time_ns)
            if filled == stood:
                remove_order(store, order)
            else:
                reduce_order(store, order, stood - filled)
            if get(row, SHARED) != 0:
                left -= min(filled, left)
        order = after


@part
def _on_trade(state: int, row: int, side: int, price: int, lots: int, time_ns: int) -> None:
    """A trade that took from a side: through better own orders, and at the price."""
    store, rank = get(row, STORE), rank_of(side, price)
    if best_rank(store, side) > rank:
        fill_reached(state, row, side, rank + 1, time_ns)
    if level_count(store, side) > 0 and best_rank(store, side) == rank:
        _trade_at(state, row, side, level_by_place(store, side, 0), lots, time_ns)


@part
def _displayed(row: int, side: int, rank: int, before: int, after: int) -> None:
    """A price of a side displays another quantity: the places of own orders there move."""
    store = get(row, STORE)
    found = find_level(store, side, rank)
    if found == NONE:
        return
    order = get(level_at(store, found), FIRST)
    while order != NONE:
        on_displayed(row, place_of(row, order), before, after)
        order = get(order_at(store, order), AFTER)


@part
def _set_beside_orders(state: int, row: int, side: int, levels: int, count: int, time_ns: int, newest: bool) -> None:
    """Set levels of a side while own orders rest; best prices that a newer quote contradicts fill nothing."""
    store, ladder, other = get(row, STORE), exchange_side(row, side), OPPOSITE - side
    for index in range(count):
        tick, lots = get(levels, 2 * index), get(levels, 2 * index + 1)
        rank = rank_of(side, tick)
        if level_count(store, side) > 0 and rank <= best_rank(store, side):
            _displayed(row, side, rank, quantity_at(ladder, tick), lots)
        best = best_tick(ladder)
        set_level(ladder, tick, lots)
        improves = newest and lots > 0 and (best == NO_PRICE or rank > rank_of(side, best))
        if improves and level_count(store, other) > 0:
            fill_reached(state, row, other, rank_of(other, tick), time_ns)


@inline
def set_levels(ladder: int, levels: int, count: int) -> None:
    """Set levels of a ladder; rows of (tick, lots), 0 lots removes."""
    for index in range(count):
        set_level(ladder, get(levels, 2 * index), get(levels, 2 * index + 1))


@inline
def _set_side(state: int, row: int, side: int, levels: int, count: int, time_ns: int, newest: bool) -> None:
    store = get(row, STORE)
    if level_count(store, BID) + level_count(store, ASK) == 0:
        set_levels(exchange_side(row, side), levels, count)
    else:
        _set_beside_orders(state, row, side, levels, count, time_ns, newest)


@inline
def clear_ladders(bids: int, asks: int, middle: int) -> None:
    """Empty both sides of a book and centre their windows."""
    clear_side(bids, BID, middle - WINDOW // 2)
    clear_side(asks, ASK, middle - WINDOW // 2)


@inline
def middle_of(bids: int, bid_count: int, asks: int, ask_count: int) -> int:
    """A price near which a snapshot's levels lie."""
    if bid_count > 0:
        return get(bids, 0)
    return get(asks, 0) if ask_count > 0 else WINDOW


@part
def _keep_displayed(row: int, side: int, shown: int) -> int:
    """Remember what the prices of own orders display; writes lots per level, best first, and returns how many."""
    store, ladder = get(row, STORE), exchange_side(row, side)
    count = level_count(store, side)
    for place in range(count):
        level = level_by_place(store, side, place)
        put(shown, place, quantity_at(ladder, price_of(side, get(level, RANK))))
    return count


@part
def _restate(row: int, side: int, shown: int, count: int) -> None:
    """Tell the places of own orders what their prices display after a snapshot."""
    store, ladder = get(row, STORE), exchange_side(row, side)
    for place in range(count):
        rank = get(level_by_place(store, side, place), RANK)
        _displayed(row, side, rank, get(shown, place), quantity_at(ladder, price_of(side, rank)))


@part
def _reach_best(state: int, row: int, side: int, time_ns: int) -> None:
    """Fill own orders that the other side's best price has come to."""
    best = best_tick(exchange_side(row, OPPOSITE - side))
    if best != NO_PRICE:
        fill_reached(state, row, side, rank_of(side, best), time_ns)


@part
def _on_snapshot(
    state: int, row: int, bids: int, bid_count: int, asks: int, ask_count: int, time_ns: int, shown: int
) -> None:
    """A whole book: levels that it lacks are gone."""
    own_bids = _keep_displayed(row, BID, shown)
    own_asks = _keep_displayed(row, ASK, shown + 8 * own_bids)
    clear_ladders(get(row, EXCHANGE_BIDS), get(row, EXCHANGE_ASKS), middle_of(bids, bid_count, asks, ask_count))
    set_levels(get(row, EXCHANGE_BIDS), bids, bid_count)
    set_levels(get(row, EXCHANGE_ASKS), asks, ask_count)
    _restate(row, BID, shown, own_bids)
    _restate(row, ASK, shown + 8 * own_bids, own_asks)
    _reach_best(state, row, BID, time_ns)
    _reach_best(state, row, ASK, time_ns)
    put(row, EXCHANGE_KNOWN, 1)


@part
def _on_quote(state: int, row: int, event: int, time_ns: int) -> None:
    """Best prices as the venue states them: own orders that the other side has come to are filled."""
    store = get(row, STORE)
    bid, bid_lots = get(event, QUOTE_BID), get(event, QUOTE_BID_LOTS)
    ask, ask_lots = get(event, QUOTE_ASK), get(event, QUOTE_ASK_LOTS)
    state_side(row, BID, bid, bid_lots)
    state_side(row, ASK, ask, ask_lots)
    if bid_lots > 0 and level_count(store, ASK) > 0:
        fill_reached(state, row, ASK, rank_of(ASK, bid), time_ns)
    if ask_lots > 0 and level_count(store, BID) > 0:
        fill_reached(state, row, BID, rank_of(BID, ask), time_ns)


@part
def play(state: int, row: int, event: int, bids: int, asks: int, shown: int) -> int:
    """Apply one row of the tape to the exchange; returns the levels, trades and operations in it.

    ``shown`` is room for one word per own order.
    """
    kind, time_ns = get(event, TAPE_KIND), get(event, EXCHANGE_NS)
    if kind == TAPE_TRADE:
        store, price = get(row, STORE), get(event, TRADE_PRICE)
        side = side_taken(row, get(event, TRADE_AGGRESSOR), price)
        if side >= 0 and level_count(store, side) > 0:
            _on_trade(state, row, side, price, get(event, TRADE_LOTS), time_ns)
        return 1
    if kind == TAPE_FUNDING:
        fund(state, row, event)
        return 0
    if kind == TAPE_ORDERS:
        return play_orders(state, row, event, get(state, TAPE_OPERATIONS))
    bid_rows, ask_rows = bids + 16 * get(event, BIDS_START), asks + 16 * get(event, ASKS_START)
    bid_count, ask_count = get(event, BIDS), get(event, ASKS)
    if kind == TAPE_QUOTE:
        _on_quote(state, row, event, time_ns)
        return 0
    if kind != TAPE_OLDER_DIFF:
        state_side(row, BID, NO_PRICE, 0)
        state_side(row, ASK, NO_PRICE, 0)
    if kind == TAPE_DIFF or kind == TAPE_OLDER_DIFF:
        newest = kind == TAPE_DIFF
        _set_side(state, row, BID, bid_rows, bid_count, time_ns, newest)
        _set_side(state, row, ASK, ask_rows, ask_count, time_ns, newest)
        centre_windows(get(row, EXCHANGE_BIDS), get(row, EXCHANGE_ASKS))
    elif kind == TAPE_SNAPSHOT:
        _on_snapshot(state, row, bid_rows, bid_count, ask_rows, ask_count, time_ns, shown)
        centre_windows(get(row, EXCHANGE_BIDS), get(row, EXCHANGE_ASKS))
    else:
        put(row, EXCHANGE_KNOWN, 0)
    return bid_count + ask_count
