"""The strategy's side: the book as it was received, and the conditions that wake the strategy."""

from __future__ import annotations

from typing import Final

from market.book.ladder import NO_PRICE, best_tick, centre_windows, quantity_at
from market.native.kernel import inline, part
from market.native.memory import get, put
from market.pipeline.wake_conditions import WAKE_WIDTH, Wake, judge_top, judge_trade
from sim.backtest.exchange import clear_ladders, middle_of, set_levels
from sim.backtest.layout import (
    ASKS,
    ASKS_START,
    BIDS,
    BIDS_START,
    TAPE_GAP,
    TAPE_KIND,
    TAPE_QUOTE,
    TAPE_SNAPSHOT,
    TAPE_TRADE,
    TRADE_AGGRESSOR,
    TRADE_LOTS,
    TRADE_PRICE,
)
from sim.backtest.state import (
    LAST_TRADE_AGGRESSOR,
    LAST_TRADE_LOTS,
    LAST_TRADE_PRICE,
    RECEIVED_ASKS,
    RECEIVED_BIDS,
    RECEIVED_KNOWN,
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
def _woken(state: int, row: int, market: int, wakes: int, is_trade: bool) -> bool:
    """Judge a market's conditions after something was received; whether one fires."""
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
        put(wake, _FIRED, 1 if fires else 0)
        fired = fired or fires
    return fired


@part
def receive(state: int, row: int, market: int, event: int, bids: int, asks: int, wakes: int) -> bool:
    """Apply one row of the tape to the received book; whether a wake condition fires."""
    kind = get(event, TAPE_KIND)
    if kind == TAPE_TRADE:
        put(row, LAST_TRADE_PRICE, get(event, TRADE_PRICE))
        put(row, LAST_TRADE_LOTS, get(event, TRADE_LOTS))
        put(row, LAST_TRADE_AGGRESSOR, get(event, TRADE_AGGRESSOR))
        return get(state, WAKES) > 0 and _woken(state, row, market, wakes, True)
    if kind == TAPE_QUOTE:
        return False
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
    return get(state, WAKES) > 0 and _woken(state, row, market, wakes, False)
