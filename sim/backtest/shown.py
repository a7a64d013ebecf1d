"""The exchange's book as an order that arrives meets it: the depth, below a newer best price that the venue stated.

Depth comes in batches, up to 100 ms late, best prices one by one. Levels better than a stated best price are gone; at
it stands what was stated.
"""

from __future__ import annotations

from market.book.ladder import ASK, BID, NO_PRICE, best_tick, next_level, quantity_at, set_level
from market.native.kernel import inline, part
from market.native.memory import get, put
from market.wire.records import AGGRESSOR_BUY, AGGRESSOR_SELL
from sim.backtest.state import EXCHANGE_ASKS, EXCHANGE_BIDS, STATED_ASK, STATED_BID
from sim.matching.queues import rank_of


@inline
def exchange_side(row: int, side: int) -> int:
    """Address of a side of the book as the depth has it."""
    return get(row, EXCHANGE_BIDS if side == BID else EXCHANGE_ASKS)


@inline
def _stated(side: int) -> int:
    """Word of a side's stated price; its lots follow."""
    return STATED_BID if side == BID else STATED_ASK


@inline
def state_side(row: int, side: int, tick: int, lots: int) -> None:
    """A venue's own best price of a side; 0 lots: none, the depth holds."""
    put(row, _stated(side), tick if lots > 0 else NO_PRICE)
    put(row, _stated(side) + 1, lots)


@part
def shown_best(row: int, side: int) -> int:
    """Best price of a side, NO_PRICE for none."""
    stated = get(row, _stated(side))
    if stated == NO_PRICE:
        return best_tick(exchange_side(row, side))
    return stated if get(row, _stated(side) + 1) > 0 else next_level(exchange_side(row, side), stated)


@part
def shown_lots(row: int, side: int, tick: int) -> int:
    """Lots at a price."""
    stated = get(row, _stated(side))
    if stated == tick:
        return get(row, _stated(side) + 1)
    if stated != NO_PRICE and rank_of(side, tick) > rank_of(side, stated):
        return 0
    return quantity_at(exchange_side(row, side), tick)


@inline
def shown_next(row: int, side: int, tick: int) -> int:
    """The next worse price after one that is shown, NO_PRICE for none."""
    return next_level(exchange_side(row, side), tick)


@part
def show_less(row: int, side: int, tick: int, lots: int) -> None:
    """A price has that many lots left, since some were taken."""
    if get(row, _stated(side)) == tick:
        put(row, _stated(side) + 1, lots)
    set_level(exchange_side(row, side), tick, lots)


@inline
def side_taken(row: int, aggressor: int, price: int) -> int:
    """The side that a trade took from, -1 when neither the venue nor the book tells."""
    if aggressor == AGGRESSOR_BUY:
        return ASK
    if aggressor == AGGRESSOR_SELL:
        return BID
    ask, bid = shown_best(row, ASK), shown_best(row, BID)
    if ask != NO_PRICE and price >= ask:
        return ASK
    return BID if bid != NO_PRICE and price <= bid else -1
