"""Loading books: rows, clear, orders, ready, and all that is refused."""

from __future__ import annotations

from collections.abc import Iterator

from market.fastpath.conformance.case import Case
from market.fastpath.conformance.directed.numbered_feeds import (
    BASE,
    FIRST,
    INSTRUMENT,
    ORDERS,
    TICK,
    book_row,
    clear,
    heartbeat,
    line_row,
    live,
    load,
    load_order,
    ready,
    send,
    start,
)
from market.fastpath.conformance.packet_builder import (
    starbase_delete,
    starbase_packet,
    starbase_put,
    starbase_reduce,
    starbase_trade,
)
from market.fastpath.conformance.rules import Rule
from market.fastpath.specification import Feed, Side

TOP = (1 << 48) - 1


def cases() -> Iterator[Case]:
    yield _loading()
    yield _orders()
    yield _ready()
    yield _ready_of_a_new_line()
    yield _clear_of_a_live_book()
    yield _rows_of_live_books()
    yield _refused_rows()
    yield _refused_states()
    yield _refused_values()
    yield _refused_orders()
    yield _bad_messages()
    yield _hello()


def bid(order: int, price: int, quantity: int = 10) -> bytes:
    """BidPut of book 0 that ends its transaction."""
    return starbase_put(order, INSTRUMENT, False, price, quantity)


def _loading() -> Case:
    scenario = start(
        "book-loading",
        "unloaded, loading, live: messages are skipped until then, trades are not; the first event waits for an end",
        Rule.BOOK_LOADING,
        Rule.STARBASE_TRADE,
        Rule.TRANSACTION_END,
    )
    send(scenario, starbase_packet(FIRST, [bid(9, 1_010), starbase_trade(INSTRUMENT, False, 990, 3)]))
    clear(scenario)
    for order in (*ORDERS, (9, Side.BUY, 1_010, 10)):
        load_order(scenario, order)
    send(scenario, starbase_packet(FIRST + 2, [bid(10, 1_020), starbase_trade(INSTRUMENT, True, 1_020, 4)]))
    load_order(scenario, (10, Side.BUY, 1_020, 10))
    ready(scenario, FIRST + 3)
    send(scenario, heartbeat(Feed.STARBASE, FIRST + 4))
    scenario.flat(1)
    # nothing of the book changes, but a transaction ends
    send(scenario, starbase_packet(FIRST + 4, [starbase_delete(77, 12345, True)]))
    send(scenario, starbase_packet(FIRST + 5, [starbase_delete(77, 12345, True)]))
    return scenario.case()


def _orders() -> Case:
    scenario = start(
        "book-loading-orders",
        "a host that catches up: orders stated anew, moved, deleted, put away from the window",
        Rule.BOOK_LOADING,
        Rule.BOOK_WINDOW,
    )
    send(scenario, heartbeat(Feed.STARBASE, FIRST))
    clear(scenario)
    for order in (
        *ORDERS,
        (3, Side.BUY, 1_050, 5),
        (3, Side.BUY, 1_040, 6),
        (4, Side.BUY, 1_060, 7),
        (4, Side.BUY, 0, 0),
        (5, Side.BUY, 1_070, 7),
        (5, Side.BUY, BASE - TICK, 7),
        (6, Side.SELL, 1_090, 0),
        (7, Side.BUY, 1_040, 3),
    ):
        load_order(scenario, order)
    ready(scenario, FIRST - 1)
    send(scenario, starbase_packet(FIRST, [bid(8, 980)]))
    send(scenario, starbase_packet(FIRST + 1, [starbase_delete(3, INSTRUMENT, False), bid(7, 990, 1)]))
    send(scenario, starbase_packet(FIRST + 3, [bid(7, 1_010, 1)]))
    return scenario.case()


def _ready() -> Case:
    scenario = start(
        "book-ready",
        "puts, reductions and deletes of the book move the least number; trades and other instruments do not",
        Rule.BOOK_READY,
        Rule.REFUSE_WRONG_NUMBER,
    )
    send(scenario, heartbeat(Feed.STARBASE, FIRST))
    clear(scenario)
    for number, message in enumerate(
        (
            bid(9, 1_010),
            starbase_trade(INSTRUMENT, False, 990, 3),
            starbase_reduce(9, INSTRUMENT, False, 5),
            starbase_put(9, INSTRUMENT + 1, False, 1_010, 5),
            starbase_delete(9, INSTRUMENT, False),
            starbase_put(9, INSTRUMENT + 1, False, 1_020, 5),
        ),
        start=FIRST,
    ):
        send(scenario, starbase_packet(number, [message]))
        ready(scenario, number - 2)
        ready(scenario, number + 1)
        if number == FIRST + 5:
            ready(scenario, -1)
            ready(scenario, FIRST + 4)
    return scenario.case()


def _ready_of_a_new_line() -> Case:
    scenario = start(
        "book-ready-new-line",
        "loading before the first packet: no number will do; then one from before it on",
        Rule.BOOK_READY,
        Rule.REFUSE_WRONG_NUMBER,
        Rule.LINE_FIRST,
    )
    clear(scenario)
    for number in (-1, 0, FIRST):
        ready(scenario, number)
    send(scenario, heartbeat(Feed.STARBASE, FIRST))
    for number in (FIRST - 2, FIRST, FIRST - 1):
        ready(scenario, number)
    return scenario.case()


def _clear_of_a_live_book() -> Case:
    scenario = live(
        "book-clear-live",
        "a live book is cleared: its quote is withdrawn without an event; another base; messages before do not count",
        Rule.BOOK_UNLOADED,
        Rule.BOOK_LOADING,
        Rule.BOOK_WINDOW,
    )
    send(scenario, starbase_packet(FIRST, [bid(9, 1_010)]))
    clear(scenario, base=1_000)
    scenario.flat(1)
    load_order(scenario, (9, Side.BUY, 1_010, 10))
    load_order(scenario, (2, Side.SELL, 1_630, 10))
    ready(scenario, FIRST - 1)
    ready(scenario, FIRST)
    # the orders that were there are not any more, and 990 is away
    send(scenario, starbase_packet(FIRST + 1, [starbase_delete(1, INSTRUMENT, False), bid(3, 990)]))
    send(scenario, starbase_packet(FIRST + 3, [starbase_delete(9, INSTRUMENT, False)]))
    return scenario.case()


def _rows_of_live_books() -> Case:
    scenario = live(
        "book-rows-unload",
        "book row, line row and the row of another line: a live quote goes with the first two, without an event",
        Rule.BOOK_UNLOADED,
        Rule.EDGE_TABLES,
    )
    number = FIRST
    for write in (book_row, lambda s: line_row(s, Feed.STARBASE), lambda s: line_row(s, Feed.STARBASE, line=1)):
        send(scenario, starbase_packet(number, [bid(9, 1_010)]))
        write(scenario)
        scenario.flat(1)
        send(scenario, starbase_packet(number + 1, [bid(9, 980)]))
        scenario.flat(1)
        number += 2
        load(scenario, number - 1)
    send(scenario, starbase_packet(number, [bid(9, 1_010)]))
    return scenario.case()


def _refused_rows() -> Case:
    scenario = live(
        "refuse-lines",
        "rows outside the build and values outside their ranges leave line and book as they are",
        Rule.REFUSE_LINES,
        Rule.REFUSE_UNKNOWN_ROW,
        Rule.REFUSE_BAD_VALUE,
        Rule.REFUSE_ORDER,
    )
    for changes in ({"line": 16}, {"line": 65_535}, {"venue": 2}, {"enabled": 2}, {"line": 16, "enabled": 2}):
        line_row(scenario, Feed.STARBASE, **changes)
    for feed in (0, 1, 5, 255):
        line_row(scenario, feed)
    for changes in (
        {"book": 16},
        {"line": 16},
        {"instrument": 2},
        {"instrument": 65_535},
        {"tick": 0},
        {"tick": -1},
        {"tick": TOP + 1},
        {"priceExponent": 1},
        {"priceExponent": -10},
        {"quantityExponent": 1},
        {"quantityExponent": -10},
        {"enabled": 2},
        {"enabled": 2, "book": 16},
    ):
        book_row(scenario, **changes)
    book_row(scenario, book=15, line=15, instrument=1, tick=TOP, priceExponent=0, quantityExponent=-9)
    send(scenario, starbase_packet(FIRST, [bid(9, 1_010)]))
    return scenario.case()


def _refused_states() -> Case:
    scenario = start(
        "refuse-book-state",
        "no row; a row on no line; a disabled row or line; a line of tickers; orders and ready before clear",
        Rule.REFUSE_BOOK_STATE,
    )
    order = ORDERS[0]
    load_order(scenario, order)
    ready(scenario, 0)
    clear(scenario, 1)
    book_row(scenario, book=1, line=1)
    clear(scenario, 1)
    line_row(scenario, Feed.STARBASE, line=1, enabled=0)
    clear(scenario, 1)
    line_row(scenario, Feed.DERIBIT_LEGACY, line=1)
    clear(scenario, 1)
    line_row(scenario, Feed.COINBASE_DERIVATIVES, line=1)
    clear(scenario, 1)
    load_order(scenario, order, 1)
    line_row(scenario, Feed.COINBASE_DERIVATIVES, line=1)
    load_order(scenario, order, 1)
    book_row(scenario, book=1, line=1, enabled=0)
    clear(scenario, 1)
    send(scenario, heartbeat(Feed.STARBASE, FIRST))
    load(scenario, FIRST - 1)
    load_order(scenario, order)
    ready(scenario, FIRST - 1)
    return scenario.case()


def _refused_values() -> Case:
    scenario = start(
        "refuse-book-values",
        "books without memory for orders; base, quantity and side outside their ranges",
        Rule.REFUSE_UNKNOWN_ROW,
        Rule.REFUSE_BAD_VALUE,
        Rule.REFUSE_ORDER,
    )
    book_row(scenario, book=2, wireInstrument=502)
    for book in (2, 65_535):
        clear(scenario, book)
        load_order(scenario, ORDERS[0], book)
        ready(scenario, 0, book)
    for base in (-1, TOP + 1, -(1 << 63)):
        clear(scenario, base=base)
    # a bad value comes before the state
    load_order(scenario, (1, Side.BUY, 990, -1))
    clear(scenario, base=TOP)
    clear(scenario, base=0)
    for quantity in (-1, TOP + 1, -(1 << 63)):
        load_order(scenario, (1, Side.BUY, 100, quantity))
    for side in (0, 3, 255):
        scenario.control("BookOrder", book=0, order=1, side=side, price=100, quantity=1)
    load_order(scenario, (1, Side.BUY, 100, TOP))
    return scenario.case()


def _refused_orders() -> Case:
    scenario = start(
        "refuse-book-order",
        "through the window, between ticks, a total above P bits, the other side, no room: refused, nothing changed",
        Rule.REFUSE_BOOK_ORDER,
        Rule.BOOK_CANNOT_TAKE,
        Rule.BOOK_ROOM,
    )
    send(scenario, heartbeat(Feed.STARBASE, FIRST))
    clear(scenario)
    for order in (
        *ORDERS,
        (1, Side.BUY, 1_140, 10),
        (1, Side.SELL, 490, 10),
        (1, Side.BUY, 995, 10),
        (1, Side.SELL, 1_000, 10),
        (1, Side.SELL, 1_000, 0),
        (3, Side.BUY, 990, TOP),
        (1, Side.BUY, 990, TOP),
        (1, Side.BUY, 990, 10),
    ):
        load_order(scenario, order)
    for number in range(100, 140):
        load_order(scenario, (number, Side.BUY, 980, 1))
    ready(scenario, FIRST - 1)
    send(scenario, starbase_packet(FIRST, [bid(1, 1_010, 9)]))
    return scenario.case()


def _bad_messages() -> Case:
    scenario = start(
        "refuse-book-messages",
        "messages of lines and books that are a byte short or long, or have another block length",
        Rule.REFUSE_BAD_MESSAGE,
    )
    messages = {
        "LineRow": {"line": 0, "venue": 0, "wireChannel": 7, "feed": 2, "enabled": 1},
        "BookClear": {"book": 0, "base": 500},
        "BookOrder": {"book": 0, "order": 1, "side": 1, "price": 990, "quantity": 1},
        "BookReady": {"book": 0, "number": 1},
    }
    for name, fields in messages.items():
        for change in (-1, 1):
            message = scenario.encoded(name, **fields)
            scenario.raw(bytes(message[:-1] if change < 0 else message + b"\0"))
            message = scenario.encoded(name, **fields)
            message[0] += change
            scenario.raw(bytes(message))
    return scenario.case()


def _hello() -> Case:
    scenario = live(
        "book-hello",
        "hello, kill and rearm leave a live book as it is",
        Rule.HELLO,
        Rule.KILL,
        Rule.BOOK_LOADING,
    )
    scenario.control("Hello", sequence=1_000, epoch=2)
    send(scenario, starbase_packet(FIRST, [bid(9, 1_010)]))
    scenario.control("StatusRequest")
    scenario.rearm()
    send(scenario, starbase_packet(FIRST + 1, [starbase_delete(9, INSTRUMENT, False)]))
    send(scenario, starbase_packet(FIRST + 2, [bid(9, 1_010)]))
    return scenario.case()
