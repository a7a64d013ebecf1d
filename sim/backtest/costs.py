"""What trading costs beside fees: slippage of orders that take, and funding of what is held, both rounded against us.

The square root of the order's size is what most studies of impact find, e.g. Almgren, Thum, Hauptmann and Li, "Direct
estimation of equity market impact" (2005), and Toth et al., "Anomalous price impact" (2011): volatility of a day times
the root of the share of a day's volume, times a number near 1.
"""

from __future__ import annotations

import math
from typing import Final

from market.book.ladder import ASK, BID, NO_PRICE, best_tick
from market.native.kernel import inline, part
from market.native.memory import get, put
from sim.backtest.latency import response_ns
from sim.backtest.layout import EXCHANGE_NS, FUNDED, FUNDING_MARK_DOUBLED, FUNDING_PPB, Slippage
from sim.backtest.reporting import MOST_MONEY, fee_of, report
from sim.backtest.shown import exchange_side, shown_best
from sim.backtest.state import FAULT, FUNDING, POSITION, SLIPPAGE, SLIPPAGE_PPB, SLIPPAGE_ROOT

_FIXED: Final = int(Slippage.FIXED)
_SPREAD: Final = int(Slippage.SPREAD)
_SQUARE_ROOT: Final = int(Slippage.SQUARE_ROOT)
_PPB: Final = 1_000_000_000
_NOTHING: Final = 1e-9
"""Of a tick: what float64 makes of a whole number of ticks is one."""


@part
def slippage_ticks(row: int, side: int, lots: int) -> int:
    """Ticks by which all fills of an order that takes now are worse; 0 without a book to take from."""
    model, ppb = get(row, SLIPPAGE), get(row, SLIPPAGE_PPB)
    bid, ask = shown_best(row, BID), shown_best(row, ASK)
    best = ask if side == BID else bid
    if model == 0 or best == NO_PRICE:
        return 0
    if model == _FIXED:
        return fee_of(best, ppb)
    if model == _SPREAD:
        return fee_of(max(ask - bid, 0), ppb) if bid != NO_PRICE and ask != NO_PRICE else 0
    root = math.sqrt(float(best) * float(lots)) / float(get(row, SLIPPAGE_ROOT))
    return math.ceil(float(best) * (float(ppb) / _PPB) * root - _NOTHING)


@inline
def slipped(side: int, price: int, ticks: int, limit: int) -> int:
    """A price worse by so many ticks, at least 1 and not beyond a limit; a limit of 0: none."""
    if side == BID:
        return price + ticks if limit == 0 else min(price + ticks, limit)
    return max(price - ticks, max(limit, 1))


@inline
def funding_of(lots: int, mark_doubled: int, ppb: int) -> int:
    """What a position pays at a rate, rounded up; below 0 it receives."""
    signed = ppb if lots >= 0 else -ppb
    worth, unit = abs(lots) * mark_doubled, 2 * _PPB
    return worth // unit * signed + -(-(worth % unit * signed) // unit)


@part
def fund(state: int, row: int, event: int) -> None:
    """Pay funding on what is held; nothing while nobody knows a price."""
    lots, doubled = get(row, POSITION), get(event, FUNDING_MARK_DOUBLED)
    if doubled == 0:
        bid, ask = best_tick(exchange_side(row, BID)), best_tick(exchange_side(row, ASK))
        doubled = bid + ask if bid != NO_PRICE and ask != NO_PRICE else 0
    if lots == 0 or doubled == 0:
        return
    time_ns = get(event, EXCHANGE_NS)
    paid = funding_of(lots, doubled, get(event, FUNDING_PPB))
    put(row, FUNDING, get(row, FUNDING) + paid)
    if abs(get(row, FUNDING)) > MOST_MONEY:
        put(state, FAULT, 1)
    arrival = response_ns(row, time_ns)
    report(state, row, FUNDED, -1, 0, 0, doubled, lots, 0, 0, paid, 0, time_ns, arrival, 0)
