"""States of the book unit for the messages of a packet: docs/fastpath.md, rules 69 to 72."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any, Final

from amaranth.hdl import Array, Module, Mux, Signal

from hdl.books.doubles import DoubleConverter
from hdl.books.order_books import BookOperation
from hdl.books.parts import TOP_OF_QUOTE, Parts
from hdl.books.records import EventCounter, EventKind, OperationKind

_CHANGES: Final = (OperationKind.PUT, OperationKind.REDUCE, OperationKind.DELETE)


def message_states(m: Module, parts: Parts) -> None:
    """One message: counted, and its trade, its change of an order, or the break of its book."""
    message, states = parts.message, parts.states
    with m.State("MESSAGE"):
        parts.select(m, message.book)
        with m.If(parts.reader.messages.valid):
            _begin_message(m, parts)
        with m.Elif(parts.reader.finished):
            m.next = "END"
    with m.State("CHANGE"):
        parts.select(m, message.book)
        parts.clear_quote(m)
        with m.If(parts.orders.done):
            m.next = "BREAK"
            with m.If(parts.orders.taken):
                m.d.comb += states.touch.eq(1)
                _leave_message(m, parts)
                _look_at_once(m, parts)
    with m.State("BREAK"):
        parts.select(m, message.book)
        room = parts.give(m, EventKind.WITHDRAW)
        with m.If(room):
            m.d.comb += states.unload.eq(states.here)
            _leave_message(m, parts)
    with m.State("CLEARED"):
        parts.select(m, message.book)
        room = parts.give(m, EventKind.WITHDRAW)
        with m.If(room):
            m.d.comb += states.unload.eq(states.here)
            m.d.sync += parts.broke.eq(1)
            m.next = "MESSAGE"
    with m.State("TRADE"):
        parts.select(m, message.book)
        room = parts.give(m, EventKind.TRADE)
        with m.If(room):
            m.next = "APPLIED"
    with m.State("APPLIED"):
        _count_and_leave(m, parts, applied=1)


def double_states(m: Module, parts: Parts, converter: DoubleConverter) -> None:
    """Numbers in doubles, converted one after the other; then the event, which is counted with the message's last."""
    message, operation = parts.message, parts.operation
    row, which = parts.rows.row, Signal(range(len(TOP_OF_QUOTE)))
    is_ticker = operation.kind == OperationKind.TICKER
    of_ticker = (operation.order, operation.price, operation.quantity, operation.last_double)
    of_deal = (operation.price, operation.quantity)
    exponent = Mux(which[0], row.quantity_exponent, row.price_exponent)
    m.d.comb += [
        converter.bits.eq(Mux(is_ticker, Array(of_ticker)[which], Array(of_deal)[which[0]])),
        converter.decimals.eq((-exponent)[: len(converter.decimals)]),
    ]
    with m.State("DOUBLE"):
        parts.select(m, message.book)
        m.d.comb += converter.start.eq(1)
        m.d.sync += parts.quote["sequence"].eq(message.number)
        m.next = "CONVERT"
    with m.State("CONVERT"), m.If(converter.done):
        for number, name in enumerate(TOP_OF_QUOTE):
            with m.If(which == number):
                m.d.sync += parts.quote[name].eq(converter.mantissa)
        m.d.sync += which.eq(which + 1)
        m.next = "DOUBLE"
        with m.If(which == Mux(is_ticker, len(of_ticker), len(of_deal)) - 1):
            m.d.sync += which.eq(0)
            m.next = "STATE"
    with m.State("STATE"):
        parts.select(m, message.book)
        room = parts.give(m, Mux(is_ticker, EventKind.QUOTE, EventKind.TRADE))
        with m.If(room):
            m.next = "APPLIED"


def _look_at_once(m: Module, parts: Parts) -> None:
    """A transaction that ends with the change of its only book: what is best is asked for in the same cycle."""
    others_due = parts.due & ~parts.states.here
    with m.If(parts.operation.ends & parts.orders.ready & (others_due == 0)):
        parts.start(m, BookOperation.BEST)
        m.d.comb += [parts.states.touch.eq(0), parts.states.settle.eq(1)]
        m.d.sync += parts.each.eq(parts.message.book)
        m.next = "TOP"


def _begin_message(m: Module, parts: Parts) -> None:
    """What a message is about to do."""
    message, operation, states = parts.message, parts.operation, parts.states
    changes = reduce(or_, (operation.kind == kind for kind in _CHANGES))
    with m.If(message.known & operation.clears & states.is_live):
        parts.clear_quote(m)
        m.next = "CLEARED"
    with m.Elif(message.known & changes & states.is_live), m.If(parts.room):
        _begin_change(m, parts)
    with m.Elif(message.known & (operation.kind == OperationKind.TRADE)):
        _pass(m, parts, operation.clears)
        parts.clear_quote(m)
        m.d.sync += [
            parts.quote["bid_price"].eq(operation.price),
            parts.quote["bid_quantity"].eq(operation.quantity),
        ]
        m.next = "TRADE"
    if parts.converter is not None:
        with m.Elif(message.known & _in_doubles(operation)):
            m.next = "DOUBLE"
    with m.Else():
        _pass(m, parts, message.known & (operation.clears | changes))
        _count_and_leave(m, parts, applied=parts.broke | (message.known & (operation.kind == OperationKind.KNOWN)))


def _in_doubles(operation: Any) -> Any:
    return (operation.kind == OperationKind.TICKER) | (operation.kind == OperationKind.DEAL)


def _begin_change(m: Module, parts: Parts) -> None:
    operation = parts.operation
    kind = Mux(
        operation.kind == OperationKind.PUT,
        BookOperation.PUT,
        Mux(operation.kind == OperationKind.REDUCE, BookOperation.REDUCE, BookOperation.DELETE),
    )
    parts.start(m, kind)
    with m.If(parts.orders.ready):
        parts.give(m, EventKind.COUNT)
        m.d.comb += parts.event.mask[EventCounter.MESSAGES].eq(1)
        m.next = "CHANGE"


def _pass(m: Module, parts: Parts, concerns: Any) -> None:
    """A loading book notes the number of a message that it did not take."""
    states = parts.states
    m.d.comb += [states.set_passed.eq(concerns & states.is_loading), states.new_passed.eq(parts.message.number)]


def _count_and_leave(m: Module, parts: Parts, applied: Any) -> None:
    counts = parts.operation.counts
    m.d.comb += [
        parts.event.mask[EventCounter.MESSAGES].eq(applied),
        parts.event.mask[EventCounter.SKIPPED_MESSAGES].eq(~applied),
    ]
    with m.If(counts):
        parts.give(m, EventKind.COUNT)
    with m.If(parts.room | ~counts):
        _leave_message(m, parts)


def _leave_message(m: Module, parts: Parts) -> None:
    """Take the next message, perhaps behind a transaction."""
    m.d.comb += parts.reader.messages.ready.eq(1)
    m.d.sync += [parts.broke.eq(0), parts.number.eq(parts.message.number)]
    m.next = "MESSAGE"
    with m.If(parts.operation.ends & ~parts.message.counts_only):
        m.next = "TRANSACTION"
