"""The backtest's entries: send a request, and let time pass until something is due for the strategy.

What happens at one time happens in this order: the recorded flow at the exchange, requests that arrive there, reports
that arrive at the strategy, records that it receives. Markets in the order of their numbers.
"""

from __future__ import annotations

from typing import Final

from market.book.ladder import NO_PRICE
from market.native.kernel import entry, inline, part
from market.native.memory import address_of, get, put
from market.pipeline.wake_conditions import WAKE_WIDTH, Wake
from market.wire.records import Rows, Words
from sim.backtest.arrivals import arrive
from sim.backtest.exchange import clear_ladders, play
from sim.backtest.latency import arrival_ns
from sim.backtest.layout import (
    ASKS,
    BIDS,
    EXCHANGE_NS,
    FOREVER,
    RECEIVE_NS,
    REPORT_WIDTH,
    REQUEST_WIDTH,
    TAPE_FUNDING,
    TAPE_KIND,
    TAPE_MARKET,
    TAPE_ORDERS,
    TAPE_QUOTE,
    TAPE_TRADE,
    TAPE_WIDTH,
    Outcome,
    Report,
    Request,
)
from sim.backtest.layout import ORDERS as ROW_ORDERS
from sim.backtest.received import receive
from sim.backtest.reporting import report
from sim.backtest.state import (
    EXCHANGE_ASKS,
    EXCHANGE_BIDS,
    FAULT,
    KEEPS_RECEIVED,
    LAST_RESPONSE_NS,
    LEVELS_PLAYED,
    LEVELS_RECEIVED,
    MARKETS,
    NEXT_REPORT_NS,
    NEXT_REQUEST_NS,
    NOW,
    PLAYED,
    RECEIVED,
    RECEIVED_ASKS,
    RECEIVED_BIDS,
    REPORT_HEAD,
    REPORT_ROOM,
    REPORT_SPARE,
    REPORT_TAIL,
    REPORTS,
    REQUEST_HEAD,
    REQUEST_ROOM,
    REQUEST_TAIL,
    REQUESTS,
    SCRATCH,
    STATED_ASK,
    STATED_BID,
    STORE,
    TAPE,
    TAPE_ASKS,
    TAPE_BIDS,
    TAPE_RECEIVED,
    TAPE_ROWS,
    TOP_ASK,
    TOP_BID,
    WAKE_ROWS,
    WAKES,
    market_at,
)
from sim.matching.layout import CommandKind, EventKind, Reason
from sim.matching.queues import ORDERS

_TIME: Final = int(Outcome.TIME)
_REPORT: Final = int(Outcome.REPORT)
_WAKE: Final = int(Outcome.WAKE)
_END: Final = int(Outcome.END)
_ROOM: Final = int(Outcome.ROOM)
_OVERFLOW: Final = int(Outcome.OVERFLOW)
_ARRIVAL_NS: Final = int(Request.ARRIVAL_NS)
_REPORT_RECEIVE_NS: Final = int(Report.RECEIVE_NS)
_FIRED: Final = int(Wake.FIRED)
_REJECTED: Final = int(EventKind.REJECTED)
_CANCEL: Final = int(CommandKind.CANCEL)
_BUSY: Final = int(Reason.UNFILLED)


@inline
def _request_at(row: int, number: int) -> int:
    return get(row, REQUESTS) + 8 * REQUEST_WIDTH * (number % get(row, REQUEST_ROOM))


@part
def _find_next_request(state: int) -> None:
    """Time of the first request on its way."""
    soonest = FOREVER
    for market in range(get(state, MARKETS)):
        row = market_at(state, market)
        if get(row, REQUEST_HEAD) != get(row, REQUEST_TAIL):
            soonest = min(soonest, get(_request_at(row, get(row, REQUEST_HEAD)), _ARRIVAL_NS))
    put(state, NEXT_REQUEST_NS, soonest)


@part
def _find_next_report(state: int) -> None:
    """Time of the first report on its way."""
    soonest = FOREVER
    for market in range(get(state, MARKETS)):
        row = market_at(state, market)
        head = get(row, REPORT_HEAD)
        if head != get(row, REPORT_TAIL):
            place = get(row, REPORTS) + 8 * REPORT_WIDTH * (head % get(row, REPORT_ROOM))
            soonest = min(soonest, get(place, _REPORT_RECEIVE_NS))
    put(state, NEXT_REPORT_NS, soonest)


@part
def _take_request(state: int) -> None:
    """Carry out the first request on its way."""
    due = get(state, NEXT_REQUEST_NS)
    for market in range(get(state, MARKETS)):
        row = market_at(state, market)
        head = get(row, REQUEST_HEAD)
        if head != get(row, REQUEST_TAIL) and get(_request_at(row, head), _ARRIVAL_NS) == due:
            put(row, REQUEST_HEAD, head + 1)
            arrive(state, row, _request_at(row, head))
            break
    _find_next_request(state)


@inline
def _has_room(row: int) -> bool:
    """Whether all reports of one row of the tape or one request would find room."""
    used = get(row, REPORT_TAIL) - get(row, REPORT_HEAD)
    return used + get(get(row, STORE), ORDERS) + get(row, REPORT_SPARE) <= get(row, REPORT_ROOM)


@part
def _all_have_room(state: int) -> bool:
    full = 0
    for market in range(get(state, MARKETS)):
        full += 0 if _has_room(market_at(state, market)) else 1
    return full == 0


@inline
def _size(event: int) -> int:
    if get(event, TAPE_KIND) == TAPE_QUOTE or get(event, TAPE_KIND) == TAPE_FUNDING:
        return 0
    if get(event, TAPE_KIND) == TAPE_ORDERS:
        return get(event, ROW_ORDERS)
    return 1 if get(event, TAPE_KIND) == TAPE_TRADE else get(event, BIDS) + get(event, ASKS)


@entry("int64(int64[::1], int64, int64)")
def advance(words: Words, until_ns: int, wakes_on_report: int) -> int:
    """Let time pass until ``until_ns``, all of that time included, or until the strategy is woken; an ``Outcome``.

    ``words[NOW]`` is the time then. Reports that arrive by then are ready to be read, also those of the time itself.

    Parameters
    ----------
    wakes_on_report: whether a report that arrives ends the call; 0 or 1.
    """
    state = address_of(words)
    rows, order, bids, asks = get(state, TAPE), get(state, TAPE_RECEIVED), get(state, TAPE_BIDS), get(state, TAPE_ASKS)
    wakes, shown = get(state, WAKE_ROWS), get(state, SCRATCH)
    count = get(state, TAPE_ROWS)
    keeps = get(state, KEEPS_RECEIVED) != 0
    for index in range(get(state, WAKES)):
        put(wakes + 8 * WAKE_WIDTH * index, _FIRED, 0)
    while True:
        played, received = get(state, PLAYED), get(state, RECEIVED)
        event = rows + 8 * TAPE_WIDTH * played
        play_ns = get(event, EXCHANGE_NS) if played < count else FOREVER
        request_ns, report_ns = get(state, NEXT_REQUEST_NS), FOREVER
        if wakes_on_report != 0:
            report_ns = get(state, NEXT_REPORT_NS)
        receive_ns, seen = FOREVER, 0
        if keeps and received < count:
            seen = rows + 8 * TAPE_WIDTH * get(order, received)
            receive_ns = get(seen, RECEIVE_NS)
        soonest = min(min(play_ns, request_ns), min(report_ns, receive_ns))
        if soonest > until_ns or soonest == FOREVER:
            put(state, NOW, max(get(state, NOW), min(until_ns, FOREVER - 1)) if until_ns < FOREVER else get(state, NOW))
            return _END if soonest == FOREVER and until_ns >= FOREVER else _TIME
        put(state, NOW, max(get(state, NOW), soonest))
        if play_ns == soonest:
            row = market_at(state, get(event, TAPE_MARKET))
            if not _has_room(row):
                return _ROOM
            put(state, LEVELS_PLAYED, get(state, LEVELS_PLAYED) + play(state, row, event, bids, asks, shown))
            put(state, PLAYED, played + 1)
        elif request_ns == soonest:
            if not _all_have_room(state):
                return _ROOM
            _take_request(state)
        elif report_ns == soonest:
            return _REPORT
        else:
            market = get(seen, TAPE_MARKET)
            put(state, RECEIVED, received + 1)
            put(state, LEVELS_RECEIVED, get(state, LEVELS_RECEIVED) + _size(seen))
            if receive(state, market_at(state, market), market, seen, bids, asks, wakes):
                return _WAKE
        if get(state, FAULT) != 0:
            return _OVERFLOW


@entry("int64(int64[::1], int64, int64, int64, int64, int64, int64, int64, int64, int64, int64)")
def send(
    words: Words,
    sent_ns: int,
    market: int,
    kind: int,
    identifier: int,
    owner: int,
    side: int,
    price: int,
    lots: int,
    term: int,
    prevention: int,
) -> int:
    """Send a request, words as of ``sim.matching.layout.Command``; 0 when there is no room for it, else 1.

    ``sent_ns`` is at most so long ago that the request arrives now or later.
    """
    state = address_of(words)
    row, now = market_at(state, market), sent_ns
    tail = get(row, REQUEST_TAIL)
    if tail - get(row, REQUEST_HEAD) >= get(row, REQUEST_ROOM) or not _has_room(row):
        return 0
    due, lost = arrival_ns(row, now)
    if lost != 0:
        told = max(due, get(row, LAST_RESPONSE_NS))
        put(row, LAST_RESPONSE_NS, told)
        of_cancel = 1 if kind == _CANCEL else 0
        report(
            state, row, _REJECTED, identifier, owner, side, price, lots, lots, 0, 0, _BUSY, now, told, of_cancel
        )  # fmt: skip
        return 1
    request = _request_at(row, tail)
    for word, value in enumerate((kind, identifier, owner, side, price, lots, term, prevention, now, due)):
        put(request, word, value)
    put(row, REQUEST_TAIL, tail + 1)
    put(state, NEXT_REQUEST_NS, min(get(state, NEXT_REQUEST_NS), due))
    return 1


@entry("int64(int64[::1], int64, int64, int64[:, ::1])")
def take_reports(words: Words, market: int, until_ns: int, reports: Rows) -> int:
    """Move a market's reports that arrive by a time, in order, as far as there is room; gives how many."""
    state = address_of(words)
    row, out, count = market_at(state, market), address_of(reports), 0
    head = get(row, REPORT_HEAD)
    while count < reports.shape[0] and head != get(row, REPORT_TAIL):
        place = get(row, REPORTS) + 8 * REPORT_WIDTH * (head % get(row, REPORT_ROOM))
        if get(place, _REPORT_RECEIVE_NS) > until_ns:
            break
        for word in range(REPORT_WIDTH):
            put(out, REPORT_WIDTH * count + word, get(place, word))
        count += 1
        head += 1
    put(row, REPORT_HEAD, head)
    _find_next_report(state)
    return count


@entry("int64(int64[::1])")
def next_at_exchange(words: Words) -> int:
    """When the next row of the tape or request changes something at an exchange, FOREVER when nothing will."""
    state = address_of(words)
    played = get(state, PLAYED)
    request_ns = get(state, NEXT_REQUEST_NS)
    if played == get(state, TAPE_ROWS):
        return request_ns
    return min(get(get(state, TAPE) + 8 * TAPE_WIDTH * played, EXCHANGE_NS), request_ns)


@entry("void(int64[::1])")
def empty_books(words: Words) -> None:
    """Empty the books of all markets, those of the exchange and those received."""
    state = address_of(words)
    for market in range(get(state, MARKETS)):
        row = market_at(state, market)
        clear_ladders(get(row, EXCHANGE_BIDS), get(row, EXCHANGE_ASKS), 1 << 20)
        clear_ladders(get(row, RECEIVED_BIDS), get(row, RECEIVED_ASKS), 1 << 20)
        for word in (TOP_BID, TOP_ASK, STATED_BID, STATED_ASK):
            put(row, word, NO_PRICE)
