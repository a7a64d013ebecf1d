"""Requests that arrive at the exchange: orders that take or come to rest, cancellations.

A taker trades with what the book displays, best price first. With own impact, what it took is gone from the exchange's
book until the recording states the level again.
"""

from __future__ import annotations

from typing import Final

from market.book.ladder import ASK, BID, NO_PRICE
from market.native.kernel import inline, part
from market.native.memory import get
from sim.backtest.costs import slippage_ticks, slipped
from sim.backtest.exchange import OPPOSITE
from sim.backtest.layout import Request
from sim.backtest.order_flow import join_recorded, take_recorded
from sim.backtest.queue_models import join_queue
from sim.backtest.reporting import TAKER, report_order, trade
from sim.backtest.shown import show_less, shown_best, shown_lots, shown_next
from sim.backtest.state import EXCHANGE_KNOWN, IMPACT, RECORDED, STORE, place_of
from sim.matching.layout import LARGEST_LOTS, LARGEST_PRICE, CommandKind, EventKind, Prevention, Reason, Term
from sim.matching.queues import (
    CAPACITY,
    FIRST,
    ID,
    LEVEL,
    LOTS,
    NONE,
    ORDERS,
    OWNER,
    RANK,
    SIDE,
    add_order,
    find_order,
    level_at,
    level_by_place,
    order_at,
    rank_of,
    remove_order,
)
from sim.matching.taking import ANY_PRICE, meets, price_of, stop_rank

_KIND: Final = int(Request.KIND)
_ID: Final = int(Request.ID)
_OWNER: Final = int(Request.OWNER)
_SIDE: Final = int(Request.SIDE)
_PRICE: Final = int(Request.PRICE)
_LOTS: Final = int(Request.LOTS)
_TERM: Final = int(Request.TERM)
_PREVENTION: Final = int(Request.PREVENTION)
_ARRIVAL_NS: Final = int(Request.ARRIVAL_NS)

_LIMIT: Final = int(CommandKind.LIMIT)
_MARKET: Final = int(CommandKind.MARKET)
_CANCEL: Final = int(CommandKind.CANCEL)
_GTC: Final = int(Term.GTC)
_IOC: Final = int(Term.IOC)
_FOK: Final = int(Term.FOK)
_POST_ONLY: Final = int(Term.POST_ONLY)
_PREVENT_NOTHING: Final = int(Prevention.NONE)
_EXPIRE_TAKER: Final = int(Prevention.EXPIRE_TAKER)
_EXPIRE_MAKER: Final = int(Prevention.EXPIRE_MAKER)
_EXPIRE_BOTH: Final = int(Prevention.EXPIRE_BOTH)

_ACCEPTED: Final = int(EventKind.ACCEPTED)
_RESTED: Final = int(EventKind.RESTED)
_CANCELLED: Final = int(EventKind.CANCELLED)
_EXPIRED: Final = int(EventKind.EXPIRED)
_REJECTED: Final = int(EventKind.REJECTED)

_NO_REASON: Final = int(Reason.NONE)
_DUPLICATE: Final = int(Reason.DUPLICATE)
_UNKNOWN: Final = int(Reason.UNKNOWN)
_WRONG: Final = int(Reason.WRONG)
_FULL: Final = int(Reason.FULL)
_WOULD_TRADE: Final = int(Reason.WOULD_TRADE)
_UNFILLED: Final = int(Reason.UNFILLED)
_NOT_WHOLE: Final = int(Reason.NOT_WHOLE)
_SELF_TRADE: Final = int(Reason.SELF_TRADE)
_MOST_MONEY: Final = 1 << 60
_MOST_LEVELS: Final = 4_000
REPORTS_PER_REQUEST: Final = _MOST_LEVELS + 8
"""Room for the reports of one request, besides those of own resting orders."""


@part
def _crosses(row: int, side: int, least: int) -> bool:
    """Whether the best price opposite to an order is one that it takes."""
    other = OPPOSITE - side
    best = shown_best(row, other)
    return best != NO_PRICE and rank_of(other, best) >= least


@part
def _reachable(row: int, side: int, least: int, lots: int) -> int:
    """Lots that the book displays down to a rank opposite to an order, at most so many."""
    other = OPPOSITE - side
    tick, found = shown_best(row, other), 0
    while found < lots and tick != NO_PRICE and rank_of(other, tick) >= least:
        found += shown_lots(row, other, tick)
        tick = shown_next(row, other, tick)
    return min(found, lots)


@part
def _objection(row: int, kind: int, identifier: int, side: int, price: int, lots: int, term: int, prev: int) -> int:
    """Why a new order is refused, ``Reason.NONE`` if it is not."""
    if not 0 < lots <= LARGEST_LOTS or (side != BID and side != ASK) or prev < 0 or prev > _EXPIRE_BOTH:
        return _WRONG
    if kind == _MARKET:
        if price != 0 or (term != _IOC and term != _FOK):
            return _WRONG
    elif not 0 < price <= LARGEST_PRICE or price > _MOST_MONEY // lots or term < _GTC or term > _POST_ONLY:
        return _WRONG
    store = get(row, STORE)
    if find_order(store, identifier) != NONE:
        return _DUPLICATE
    if kind == _LIMIT and (term == _GTC or term == _POST_ONLY):
        if get(store, ORDERS) == get(store, CAPACITY):
            return _FULL
        if term == _POST_ONLY and _crosses(row, side, stop_rank(side, price)):
            return _WOULD_TRADE
    return _NO_REASON


@part
def _prevent(state: int, row: int, side: int, least: int, prevention: int, time_ns: int) -> bool:
    """End own resting orders that a new one would meet, as asked; whether it must end itself."""
    store, other = get(row, STORE), OPPOSITE - side
    if prevention == _PREVENT_NOTHING or not meets(store, side, least):
        return False
    while prevention != _EXPIRE_TAKER and meets(store, side, least):
        level = level_by_place(store, other, 0)
        order, price = get(level, FIRST), price_of(other, get(level, RANK))
        node = order_at(store, order)
        identifier, owner, lots = get(node, ID), get(node, OWNER), get(node, LOTS)
        remove_order(store, order)
        report_order(state, row, _EXPIRED, identifier, owner, other, price, lots, _SELF_TRADE, time_ns, 0)
    return prevention != _EXPIRE_MAKER


@part
def _take(
    state: int, row: int, identifier: int, owner: int, side: int, limit: int, lots: int, time_ns: int
) -> int:  # fmt: skip
    """Trade with the displayed book down to a limit, 0: at any price; returns the lots that are left."""
    other = OPPOSITE - side
    least = ANY_PRICE if limit == 0 else stop_rank(side, limit)
    slips = slippage_ticks(row, side, lots)
    tick, levels = shown_best(row, other), 0
    while lots > 0 and tick != NO_PRICE and rank_of(other, tick) >= least and levels < _MOST_LEVELS:
        levels += 1
        displayed = shown_lots(row, other, tick)
        traded = min(lots, displayed)
        following = shown_next(row, other, tick)
        lots -= traded
        price = slipped(side, tick, slips, limit)
        trade(state, row, identifier, owner, side, price, traded, lots, TAKER, time_ns)
        if get(row, IMPACT) != 0 and get(row, RECORDED) != 0:
            take_recorded(row, other, tick, traded)
        elif get(row, IMPACT) != 0:
            show_less(row, other, tick, displayed - traded)
        tick = following
    return lots


@part
def _rest(state: int, row: int, identifier: int, owner: int, side: int, price: int, lots: int, time_ns: int) -> None:
    """Let an order stand behind what its price displays."""
    store = get(row, STORE)
    ahead = shown_lots(row, side, price)
    add_order(store, identifier, owner, side, price, lots)
    place = place_of(row, find_order(store, identifier))
    if get(row, RECORDED) != 0:
        join_recorded(row, place, ahead)
    else:
        join_queue(place, ahead)
    report_order(state, row, _RESTED, identifier, owner, side, price, lots, _NO_REASON, time_ns, ahead)


@part
def _place(state: int, row: int, request: int, time_ns: int) -> None:
    """A new order."""
    kind, identifier, owner = get(request, _KIND), get(request, _ID), get(request, _OWNER)
    side, price, lots = get(request, _SIDE), get(request, _PRICE), get(request, _LOTS)
    term, prevention = get(request, _TERM), get(request, _PREVENTION)
    reason = _objection(row, kind, identifier, side, price, lots, term, prevention)
    if get(row, EXCHANGE_KNOWN) == 0 and reason == _NO_REASON:
        reason = _UNFILLED
    if reason != _NO_REASON:
        report_order(state, row, _REJECTED, identifier, owner, side, price, lots, reason, time_ns, 0)
        return
    report_order(state, row, _ACCEPTED, identifier, owner, side, price, lots, _NO_REASON, time_ns, 0)
    least = ANY_PRICE if kind == _MARKET else stop_rank(side, price)
    reason, left = _UNFILLED, lots
    if _prevent(state, row, side, least, prevention, time_ns):
        reason = _SELF_TRADE
    elif term == _FOK and _reachable(row, side, least, lots) < lots:
        reason = _NOT_WHOLE
    else:
        left = _take(state, row, identifier, owner, side, 0 if kind == _MARKET else price, lots, time_ns)
        if left > 0 and (term == _GTC or term == _POST_ONLY):
            _rest(state, row, identifier, owner, side, price, left, time_ns)
            return
    if left > 0:
        report_order(state, row, _EXPIRED, identifier, owner, side, price, left, reason, time_ns, 0)


@part
def _cancel(state: int, row: int, request: int, time_ns: int) -> None:
    store, identifier, owner = get(row, STORE), get(request, _ID), get(request, _OWNER)
    order = find_order(store, identifier)
    if order == NONE or get(order_at(store, order), OWNER) != owner:
        report_order(state, row, _REJECTED, identifier, owner, 0, 0, 0, _UNKNOWN, time_ns, 1)
        return
    node = order_at(store, order)
    level, lots = level_at(store, get(node, LEVEL)), get(node, LOTS)
    side = get(level, SIDE)
    price = price_of(side, get(level, RANK))
    remove_order(store, order)
    report_order(state, row, _CANCELLED, identifier, owner, side, price, lots, _NO_REASON, time_ns, 0)


@inline
def arrive(state: int, row: int, request: int) -> None:
    """Carry out a request at its time of arrival; one that is lost never gets here."""
    time_ns = get(request, _ARRIVAL_NS)
    if get(request, _KIND) == _CANCEL:
        _cancel(state, row, request, time_ns)
    else:
        _place(state, row, request, time_ns)
