"""The matching engine's kernels: commands in, events out.

A price better than the limit of an incoming order trades at the resting order's price; at one price the order that has
rested longest trades first. State, commands and events are flat arrays (``layout``); the same commands give the same
events.
"""

from __future__ import annotations

from typing import Final

from market.native.kernel import entry, inline, part
from market.native.memory import address_of, get, put
from market.wire.records import Rows, Words
from sim.matching.layout import (
    ASK,
    BID,
    COMMAND_WIDTH,
    EVENTS_PER_COMMAND,
    EVENTS_PER_ORDER,
    EVENTS_PER_PART,
    LARGEST_LOTS,
    LARGEST_PRICE,
    Command,
    CommandKind,
    EventKind,
    Prevention,
    Reason,
    Term,
)
from sim.matching.queues import (
    CAPACITY,
    CONSUMED,
    EVENTS,
    LEVEL,
    LOTS,
    NONE,
    ORDERS,
    OWNER,
    RANK,
    SIDE,
    SUM,
    add_order,
    find_order,
    level_at,
    order_at,
    reduce_order,
    remove_order,
)
from sim.matching.taking import (
    ANY_PRICE,
    emit,
    emit_level,
    emit_order,
    meets,
    price_of,
    stop_rank,
    take,
    takes_whole,
    top_of,
)

_LIMIT: Final = int(CommandKind.LIMIT)
_MARKET: Final = int(CommandKind.MARKET)
_CANCEL: Final = int(CommandKind.CANCEL)
_AMEND: Final = int(CommandKind.AMEND)
_GTC: Final = int(Term.GTC)
_IOC: Final = int(Term.IOC)
_FOK: Final = int(Term.FOK)
_POST_ONLY: Final = int(Term.POST_ONLY)
_EXPIRE_BOTH: Final = int(Prevention.EXPIRE_BOTH)

_ACCEPTED: Final = int(EventKind.ACCEPTED)
_RESTED: Final = int(EventKind.RESTED)
_CANCELLED: Final = int(EventKind.CANCELLED)
_EXPIRED: Final = int(EventKind.EXPIRED)
_REJECTED: Final = int(EventKind.REJECTED)
_AMENDED: Final = int(EventKind.AMENDED)
_TOP: Final = int(EventKind.TOP)

_NO_REASON: Final = int(Reason.NONE)
_DUPLICATE: Final = int(Reason.DUPLICATE)
_UNKNOWN: Final = int(Reason.UNKNOWN)
_WRONG: Final = int(Reason.WRONG)
_FULL: Final = int(Reason.FULL)
_WOULD_TRADE: Final = int(Reason.WOULD_TRADE)
_UNCHANGED: Final = int(Reason.UNCHANGED)
_UNFILLED: Final = int(Reason.UNFILLED)
_NOT_WHOLE: Final = int(Reason.NOT_WHOLE)
_SELF_TRADE: Final = int(Reason.SELF_TRADE)

_KIND: Final = int(Command.KIND)
_ID: Final = int(Command.ID)
_COMMAND_OWNER: Final = int(Command.OWNER)
_COMMAND_SIDE: Final = int(Command.SIDE)
_PRICE: Final = int(Command.PRICE)
_COMMAND_LOTS: Final = int(Command.LOTS)
_TERM: Final = int(Command.TERM)
_PREVENTION: Final = int(Command.PREVENTION)


@inline
def _is_quantity(lots: int) -> bool:
    return 0 < lots <= LARGEST_LOTS


@inline
def _is_price(price: int) -> bool:
    return 0 < price <= LARGEST_PRICE


@part
def _objection(state: int, kind: int, identifier: int, side: int, price: int, lots: int, term: int, prev: int) -> int:
    """Why a new order is refused, ``Reason.NONE`` if it is not."""
    if not _is_quantity(lots) or (side != BID and side != ASK) or prev < 0 or prev > _EXPIRE_BOTH:
        return _WRONG
    if kind == _MARKET:
        if price != 0 or (term != _IOC and term != _FOK):
            return _WRONG
    elif not _is_price(price) or term < _GTC or term > _POST_ONLY:
        return _WRONG
    if find_order(state, identifier) != NONE:
        return _DUPLICATE
    if kind == _LIMIT:
        if (term == _GTC or term == _POST_ONLY) and get(state, ORDERS) == get(state, CAPACITY):
            return _FULL
        if term == _POST_ONLY and meets(state, side, stop_rank(side, price)):
            return _WOULD_TRADE
    return _NO_REASON


@part
def _rest(state: int, events: int, identifier: int, owner: int, side: int, price: int, lots: int) -> None:
    """Put what is left of an order into the book."""
    ahead = add_order(state, identifier, owner, side, price, lots)
    emit(state, events, _RESTED, identifier, owner, side, price, lots, lots, 0, 0, ahead, _NO_REASON)
    emit_level(state, events, side, price, ahead + lots)


@part
def _enter(
    state: int, events: int, identifier: int, owner: int, side: int, price: int, lots: int, term: int, prevention: int
) -> None:
    """Match an order that was taken in, then let the rest stand or expire; price 0 is any price."""
    least = ANY_PRICE if price == 0 else stop_rank(side, price)
    if term == _FOK and not takes_whole(state, side, least, lots, owner, prevention):
        emit_order(state, events, _EXPIRED, identifier, owner, side, price, lots, _NOT_WHOLE)
        return
    left, ended = take(state, events, identifier, owner, side, least, lots, prevention)
    if left == 0:
        return
    if ended:
        emit_order(state, events, _EXPIRED, identifier, owner, side, price, left, _SELF_TRADE)
    elif term == _GTC or term == _POST_ONLY:
        _rest(state, events, identifier, owner, side, price, left)
    else:
        emit_order(state, events, _EXPIRED, identifier, owner, side, price, left, _UNFILLED)


@part
def _place(
    state: int,
    events: int,
    kind: int,
    identifier: int,
    owner: int,
    side: int,
    price: int,
    lots: int,
    term: int,
    prevention: int,
) -> None:
    """A new order."""
    reason = _objection(state, kind, identifier, side, price, lots, term, prevention)
    if reason != _NO_REASON:
        emit_order(state, events, _REJECTED, identifier, owner, side, price, lots, reason)
        return
    emit_order(state, events, _ACCEPTED, identifier, owner, side, price, lots, _NO_REASON)
    _enter(state, events, identifier, owner, side, price, lots, term, prevention)


@inline
def _owned(state: int, identifier: int, owner: int) -> int:
    """An owner's resting order, NONE if there is none."""
    order = find_order(state, identifier)
    if order != NONE and get(order_at(state, order), OWNER) != owner:
        return NONE
    return order


@part
def _cancel(state: int, events: int, identifier: int, owner: int) -> None:
    order = _owned(state, identifier, owner)
    if order == NONE:
        emit_order(state, events, _REJECTED, identifier, owner, 0, 0, 0, _UNKNOWN)
        return
    node = order_at(state, order)
    level = level_at(state, get(node, LEVEL))
    side, lots = get(level, SIDE), get(node, LOTS)
    price, held = price_of(side, get(level, RANK)), get(level, SUM) - lots
    remove_order(state, order)
    emit_order(state, events, _CANCELLED, identifier, owner, side, price, lots, _NO_REASON)
    emit_level(state, events, side, price, held)


@part
def _amend(state: int, events: int, identifier: int, owner: int, price: int, lots: int, term: int, prev: int) -> None:
    """Change a resting order's price or remaining quantity."""
    order = _owned(state, identifier, owner)
    reason = _UNKNOWN if order == NONE else _NO_REASON
    if not _is_quantity(lots) or price < 0 or price > LARGEST_PRICE or prev < 0 or prev > _EXPIRE_BOTH:
        reason = _WRONG
    if term != _GTC and term != _POST_ONLY:
        reason = _WRONG
    if reason != _NO_REASON:
        emit_order(state, events, _REJECTED, identifier, owner, 0, price, lots, reason)
        return
    node = order_at(state, order)
    level = level_at(state, get(node, LEVEL))
    side, stood = get(level, SIDE), get(node, LOTS)
    old_price = price_of(side, get(level, RANK))
    new_price = old_price if price == 0 else price
    if new_price == old_price and lots == stood:
        reason = _UNCHANGED
    elif new_price != old_price and term == _POST_ONLY and meets(state, side, stop_rank(side, new_price)):
        reason = _WOULD_TRADE
    if reason != _NO_REASON:
        emit_order(state, events, _REJECTED, identifier, owner, side, price, lots, reason)
        return
    keeps = new_price == old_price and lots < stood
    held = get(level, SUM) - stood
    if keeps:
        reduce_order(state, order, lots)
    else:
        remove_order(state, order)
    emit(state, events, _AMENDED, identifier, owner, side, new_price, lots, lots, 0, 0, 1 if keeps else 0, _NO_REASON)
    emit_level(state, events, side, old_price, held + lots if keeps else held)
    if not keeps:
        _enter(state, events, identifier, owner, side, new_price, lots, term, prev)


@part
def _do(
    state: int,
    events: int,
    kind: int,
    identifier: int,
    owner: int,
    side: int,
    price: int,
    lots: int,
    term: int,
    prevention: int,
) -> None:
    """One command, with the event of the best prices that it changed."""
    bid, bid_lots = top_of(state, BID)
    ask, ask_lots = top_of(state, ASK)
    if kind == _LIMIT or kind == _MARKET:
        _place(state, events, kind, identifier, owner, side, price, lots, term, prevention)
    elif kind == _CANCEL:
        _cancel(state, events, identifier, owner)
    elif kind == _AMEND:
        _amend(state, events, identifier, owner, price, lots, term, prevention)
    else:
        emit_order(state, events, _REJECTED, identifier, owner, side, price, lots, _WRONG)
    new_bid, new_bid_lots = top_of(state, BID)
    new_ask, new_ask_lots = top_of(state, ASK)
    if new_bid != bid or new_bid_lots != bid_lots or new_ask != ask or new_ask_lots != ask_lots:
        emit(state, events, _TOP, 0, 0, 0, new_bid, new_bid_lots, 0, new_ask, 0, new_ask_lots, _NO_REASON)


@inline
def _has_room(state: int, room: int) -> bool:
    """Whether the events of any command would find room."""
    return get(state, EVENTS) + EVENTS_PER_COMMAND + EVENTS_PER_ORDER * get(state, ORDERS) <= room


@entry("int64(int64[::1], int64[:, ::1], int64[:, ::1])")
def process(state: Words, commands: Rows, events: Rows) -> int:
    """Do commands until all are done, a part is full, or the next's events might not find room; gives how many events.

    ``state[CONSUMED]`` says how many commands were done.
    """
    book, first, out = address_of(state), address_of(commands), address_of(events)
    put(book, EVENTS, 0)
    for index in range(commands.shape[0]):
        put(book, CONSUMED, index)
        if get(book, EVENTS) >= EVENTS_PER_PART or not _has_room(book, events.shape[0]):
            return get(book, EVENTS)
        row = first + 8 * COMMAND_WIDTH * index
        _do(
            book,
            out,
            get(row, _KIND),
            get(row, _ID),
            get(row, _COMMAND_OWNER),
            get(row, _COMMAND_SIDE),
            get(row, _PRICE),
            get(row, _COMMAND_LOTS),
            get(row, _TERM),
            get(row, _PREVENTION),
        )
    put(book, CONSUMED, commands.shape[0])
    return get(book, EVENTS)


@entry("int64(int64[::1], int64[:, ::1], int64, int64, int64, int64, int64, int64, int64, int64)")
def process_one(
    state: Words,
    events: Rows,
    kind: int,
    identifier: int,
    owner: int,
    side: int,
    price: int,
    lots: int,
    term: int,
    prevention: int,
) -> int:
    """Do one command, given as numbers; the number of its events, -1 if they might not find room."""
    book, out = address_of(state), address_of(events)
    put(book, EVENTS, 0)
    put(book, CONSUMED, 0)
    if not _has_room(book, events.shape[0]):
        return -1
    _do(book, out, kind, identifier, owner, side, price, lots, term, prevention)
    return get(book, EVENTS)
