"""Reports of the exchange, and the account that its fills change."""

from __future__ import annotations

from typing import Final

from market.native.kernel import inline, part
from market.native.memory import get, put
from market.orders.kinds import Liquidity
from sim.backtest.latency import response_ns
from sim.backtest.layout import REPORT_WIDTH, Report
from sim.backtest.state import (
    CASH,
    FAULT,
    FEES,
    FILLS,
    MAKER_PPB,
    NEXT_REPORT_NS,
    POSITION,
    REPORT_HEAD,
    REPORT_ROOM,
    REPORT_TAIL,
    REPORTS,
    TAKER_PPB,
    TRADED_LOTS,
)
from sim.matching.layout import BID, EventKind, Reason

_KIND: Final = int(Report.KIND)
_ID: Final = int(Report.ID)
_OWNER: Final = int(Report.OWNER)
_SIDE: Final = int(Report.SIDE)
_PRICE: Final = int(Report.PRICE)
_LOTS: Final = int(Report.LOTS)
_LEFT: Final = int(Report.LEFT)
_LIQUIDITY: Final = int(Report.LIQUIDITY)
_FEE: Final = int(Report.FEE)
_REASON: Final = int(Report.REASON)
_EXCHANGE_NS: Final = int(Report.EXCHANGE_NS)
_RECEIVE_NS: Final = int(Report.RECEIVE_NS)
_POSITION: Final = int(Report.POSITION)
_CASH: Final = int(Report.CASH)
_FEES: Final = int(Report.FEES)
_AHEAD: Final = int(Report.AHEAD)
_TRADED: Final = int(EventKind.TRADED)
_NO_REASON: Final = int(Reason.NONE)
MAKER: Final = int(Liquidity.MAKER)
TAKER: Final = int(Liquidity.TAKER)
_PPB: Final = 1_000_000_000
MOST_MONEY: Final = 1 << 61
"""That an account may hold; a run that leaves it ends."""


@inline
def fee_of(worth: int, ppb: int) -> int:
    """Fee of an amount of at least 0 at parts per billion, rounded up; the product may be beyond 64 bits."""
    return worth // _PPB * ppb + -(-(worth % _PPB * ppb) // _PPB)


@part
def report(
    state: int,
    row: int,
    kind: int,
    identifier: int,
    owner: int,
    side: int,
    price: int,
    lots: int,
    left: int,
    liquidity: int,
    fee: int,
    reason: int,
    time_ns: int,
    receive_ns: int,
    ahead: int,
) -> None:
    """Send a report; the caller made sure that there is room."""
    tail = get(row, REPORT_TAIL)
    entry = get(row, REPORTS) + 8 * REPORT_WIDTH * (tail % get(row, REPORT_ROOM))
    put(entry, _KIND, kind)
    put(entry, _ID, identifier)
    put(entry, _OWNER, owner)
    put(entry, _SIDE, side)
    put(entry, _PRICE, price)
    put(entry, _LOTS, lots)
    put(entry, _LEFT, left)
    put(entry, _LIQUIDITY, liquidity)
    put(entry, _FEE, fee)
    put(entry, _REASON, reason)
    put(entry, _EXCHANGE_NS, time_ns)
    put(entry, _RECEIVE_NS, receive_ns)
    put(entry, _POSITION, get(row, POSITION))
    put(entry, _CASH, get(row, CASH))
    put(entry, _FEES, get(row, FEES))
    put(entry, _AHEAD, ahead)
    put(row, REPORT_TAIL, tail + 1)
    if get(row, REPORT_HEAD) == tail:
        put(state, NEXT_REPORT_NS, min(get(state, NEXT_REPORT_NS), receive_ns))


@inline
def report_order(
    state: int,
    row: int,
    kind: int,
    identifier: int,
    owner: int,
    side: int,
    price: int,
    lots: int,
    reason: int,
    time_ns: int,
    ahead: int,
) -> None:
    """Report something other than a trade, now."""
    arrival = response_ns(row, time_ns)
    report(
        state, row, kind, identifier, owner, side, price, lots, lots, 0, 0, reason, time_ns, arrival, ahead
    )  # fmt: skip


@part
def trade(
    state: int,
    row: int,
    identifier: int,
    owner: int,
    side: int,
    price: int,
    lots: int,
    left: int,
    liquidity: int,
    time_ns: int,
) -> None:
    """Book a fill and report it."""
    worth = price * lots
    fee = fee_of(worth, get(row, MAKER_PPB) if liquidity == MAKER else get(row, TAKER_PPB))
    sign = 1 if side == BID else -1
    put(row, POSITION, get(row, POSITION) + sign * lots)
    put(row, CASH, get(row, CASH) - sign * worth)
    put(row, FEES, get(row, FEES) + fee)
    put(row, FILLS, get(row, FILLS) + 1)
    put(row, TRADED_LOTS, get(row, TRADED_LOTS) + lots)
    if abs(get(row, CASH)) > MOST_MONEY or abs(get(row, FEES)) > MOST_MONEY:
        put(state, FAULT, 1)
    arrival = response_ns(row, time_ns)
    report(
        state,
        row,
        _TRADED,
        identifier,
        owner,
        side,
        price,
        lots,
        left,
        liquidity,
        fee,
        _NO_REASON,
        time_ns,
        arrival,
        0,
    )
