"""The strategy's side: the book as it was received, and the conditions that wake the strategy."""

from __future__ import annotations

from typing import Final

from market.book.ladder import BASE, BID, NO_PRICE, WINDOW, best_tick, centre_windows, quantity_at, set_level
from market.native.kernel import inline, part
from market.native.memory import get, put
from market.pipeline.wake_conditions import WAKE_WIDTH, Wake, judge_top, judge_trade
from sim.backtest.exchange import clear_ladders, middle_of, set_levels
from sim.backtest.layout import (
    ASKS,
    ASKS_START,
    BIDS,
    BIDS_START,
    OPERATION_WIDTH,
    ORDERS,
    ORDERS_START,
    RESTATES,
    TAPE_FUNDING,
    TAPE_GAP,
    TAPE_KIND,
    TAPE_ORDERS,
    TAPE_QUOTE,
    TAPE_SNAPSHOT,
    TAPE_TRADE,
    TRADE_AGGRESSOR,
    TRADE_LOTS,
    TRADE_PRICE,
)
from sim.backtest.operations import (
    AGGRESSOR_WORD,
    CLEAR,
    KIND_WORD,
    LEVEL_LOTS_WORD,
    LOTS_WORD,
    PRICE_WORD,
    SIDE_WORD,
    TRADE,
)
from sim.backtest.state import (
    LAST_TRADE_AGGRESSOR,
    LAST_TRADE_LOTS,
    LAST_TRADE_PRICE,
    RECEIVED_ASKS,
    RECEIVED_BIDS,
    RECEIVED_KNOWN,
    TAPE_OPERATIONS,
    TOP_ASK,
    TOP_ASK_LOTS,
    TOP_BID,
    TOP_BID_LOTS,
    WAKES,
)

_KIND: Final = int(Wake.KIND)
_MARKET: Final = int(Wake.MARKET)
_FIRED: Final = int(Wake.FIRED)


@inline
def _keep_top(row: int) -> None:
    """Read the best prices of the received book."""
    bids, asks = get(row, RECEIVED_BIDS), get(row, RECEIVED_ASKS)
    bid, ask = best_tick(bids), best_tick(asks)
    put(row, TOP_BID, bid)
    put(row, TOP_ASK, ask)
    put(row, TOP_BID_LOTS, quantity_at(bids, bid) if bid != NO_PRICE else 0)
    put(row, TOP_ASK_LOTS, quantity_at(asks, ask) if ask != NO_PRICE else 0)


@part
def _woken(state: int, row: int, market: int, wakes: int, is_trade: bool, keeps: bool) -> bool:
    """Judge a market's conditions after something was received; whether one fires.

    ``keeps``: those that have fired stay so.
    """
    fired = False
    has_top = get(row, TOP_BID) != NO_PRICE and get(row, TOP_ASK) != NO_PRICE
    for index in range(get(state, WAKES)):
        wake = wakes + 8 * WAKE_WIDTH * index
        if get(wake, _KIND) == 0 or get(wake, _MARKET) != market:
            continue
        if is_trade:
            fires = judge_trade(wake, get(row, LAST_TRADE_LOTS))
        else:
            fires = has_top and judge_top(
                wake, get(row, TOP_BID), get(row, TOP_BID_LOTS), get(row, TOP_ASK), get(row, TOP_ASK_LOTS)
            )
        fires = fires or (keeps and get(wake, _FIRED) != 0)
        put(wake, _FIRED, 1 if fires else 0)
        fired = fired or fires
    return fired


@part
def _receive_orders(state: int, row: int, market: int, event: int, wakes: int) -> bool:
    """Apply a transaction of single orders: its trades, then what its prices show."""
    bids, asks, watched, fired = get(row, RECEIVED_BIDS), get(row, RECEIVED_ASKS), get(state, WAKES) > 0, False
    if get(event, RESTATES) != 0:
        clear_ladders(bids, asks, get(bids, BASE) + WINDOW // 2)
        put(row, RECEIVED_KNOWN, 1)
    for index in range(get(event, ORDERS)):
        operation = get(state, TAPE_OPERATIONS) + 8 * OPERATION_WIDTH * (get(event, ORDERS_START) + index)
        kind = get(operation, KIND_WORD)
        if kind == TRADE:
            put(row, LAST_TRADE_PRICE, get(operation, PRICE_WORD))
            put(row, LAST_TRADE_LOTS, get(operation, LOTS_WORD))
            put(row, LAST_TRADE_AGGRESSOR, get(operation, AGGRESSOR_WORD))
            fired = (watched and _woken(state, row, market, wakes, True, fired)) or fired
        elif kind == CLEAR:
            clear_ladders(bids, asks, get(bids, BASE) + WINDOW // 2)
        else:
            set_level(
                bids if get(operation, SIDE_WORD) == BID else asks,
                get(operation, PRICE_WORD),
                get(operation, LEVEL_LOTS_WORD),
            )
    if get(row, RECEIVED_KNOWN) == 0:
        return fired
    centre_windows(bids, asks)
    _keep_top(row)
    return (watched and _woken(state, row, market, wakes, False, fired)) or fired


@part
def receive(state: int, row: int, market: int, event: int, bids: int, asks: int, wakes: int) -> bool:
    """Apply one row of the tape to the received book; whether a wake condition fires."""
    kind = get(event, TAPE_KIND)
    if kind == TAPE_TRADE:
        put(row, LAST_TRADE_PRICE, get(event, TRADE_PRICE))
        put(row, LAST_TRADE_LOTS, get(event, TRADE_LOTS))
        put(row, LAST_TRADE_AGGRESSOR, get(event, TRADE_AGGRESSOR))
        return get(state, WAKES) > 0 and _woken(state, row, market, wakes, True, False)
    if kind == TAPE_QUOTE or kind == TAPE_FUNDING:
        return False
    if kind == TAPE_ORDERS:
        return _receive_orders(state, row, market, event, wakes)
    own_bids, own_asks = get(row, RECEIVED_BIDS), get(row, RECEIVED_ASKS)
    bid_rows, ask_rows = bids + 16 * get(event, BIDS_START), asks + 16 * get(event, ASKS_START)
    bid_count, ask_count = get(event, BIDS), get(event, ASKS)
    if kind == TAPE_SNAPSHOT:
        clear_ladders(own_bids, own_asks, middle_of(bid_rows, bid_count, ask_rows, ask_count))
        put(row, RECEIVED_KNOWN, 1)
    elif kind == TAPE_GAP:
        put(row, RECEIVED_KNOWN, 0)
        put(row, TOP_BID, NO_PRICE)
        put(row, TOP_ASK, NO_PRICE)
        return False
    set_levels(own_bids, bid_rows, bid_count)
    set_levels(own_asks, ask_rows, ask_count)
    centre_windows(own_bids, own_asks)
    _keep_top(row)
    return get(state, WAKES) > 0 and _woken(state, row, market, wakes, False, False)
