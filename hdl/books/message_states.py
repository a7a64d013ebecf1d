"""States of the book unit for the messages of a packet: docs/fastpath.md, rules 67 to 72."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any, Final

from amaranth.hdl import Array, Cat, Module, Mux, Signal

from hdl.books.doubles import DoubleConverter
from hdl.books.order_books import BookOperation
from hdl.books.parts import TOP_OF_QUOTE, Parts
from hdl.books.records import EventCounter, EventKind, OperationKind

_CHANGES: Final = (OperationKind.PUT, OperationKind.REDUCE, OperationKind.DELETE)
_DOUBLES: Final = (OperationKind.TICKER, OperationKind.DEAL)


def message_states(m: Module, parts: Parts) -> None:
    """One message: counted, and its trade, its change of an order, or the break of its book.

    In its first cycle its book is selected and it is looked at; in the second it is decided what becomes of it, and
    unless it has doubles it is out of the reader with that.
    """
    operation = parts.operation
    todo = _look(m, parts)
    with m.State("DECIDE"):
        m.d.comb += [parts.states.set_passed.eq(todo["passes"]), parts.states.new_passed.eq(parts.number)]
        with m.If(todo["clears"]):
            m.next = "CLEARED"
        with m.Elif(todo["changes"]):
            _begin_change(m, parts)
        with m.Elif(todo["trades"]):
            m.next = "TRADE"
        if parts.converter is not None:
            with m.Elif(todo["doubles"]):
                m.next = "DOUBLE"
        with m.Else():
            with m.If(operation.counts):
                _count(m, parts, applied=todo["applies"])
            m.d.comb += parts.reader.messages.ready.eq(1)
            _leave_message(m, parts)
    with m.State("CLEARED"), m.If(parts.room):
        parts.withdraw(m)
        m.d.sync += [todo[name].eq(0) for name in ("clears", "changes")]
        m.d.sync += todo["applies"].eq(1)
        m.next = "BROKEN"
    with m.State("BROKEN"), m.If(parts.room):
        m.next = "DECIDE"
    _break_states(m, parts)
    with m.State("TRADE"), m.If(parts.room):
        parts.give(m, EventKind.TRADE)
        m.d.comb += [parts.says_trade.eq(1), parts.reader.messages.ready.eq(1)]
        m.next = "APPLIED"
    with m.State("APPLIED"), m.If(parts.room):
        _count(m, parts, applied=1)
        _leave_message(m, parts)


def _look(m: Module, parts: Parts) -> dict[str, Signal]:
    """The state in which a message is looked at; gives what is to be done about it."""
    message, operation, states = parts.message, parts.operation, parts.states
    names = ("clears", "changes", "passes", "trades", "doubles", "applies")
    todo = {name: Signal(name=f"it_{name}") for name in names}
    here = Cat(message.book == book for book in range(len(states.live)))
    is_live, is_loading = (states.live & here).any(), (states.loading & here).any()
    changes = _is_one_of(operation.kind, _CHANGES)
    with m.State("MESSAGE"):
        m.d.sync += [
            parts.selected.eq(message.book),
            parts.number.eq(message.number),
            parts.ends.eq(operation.ends & ~message.counts_only),
            parts.aggressor.eq(operation.aggressor),
            todo["clears"].eq(message.known & operation.clears & is_live),
            todo["changes"].eq(message.known & changes & is_live),
            todo["passes"].eq(message.known & (operation.clears | changes) & is_loading),
            todo["trades"].eq(message.known & (operation.kind == OperationKind.TRADE)),
            todo["doubles"].eq(message.known & _is_one_of(operation.kind, _DOUBLES)),
            todo["applies"].eq(message.known & (operation.kind == OperationKind.KNOWN)),
        ]
        with m.If(parts.reader.messages.valid & parts.room):
            m.next = "DECIDE"
        with m.Elif(parts.reader.finished):
            m.next = "END"
    return todo


def _break_states(m: Module, parts: Parts) -> None:
    """A change of an order, and what follows if the book does not take it."""
    with m.State("CHANGE"):
        with m.If(parts.orders.done & parts.orders.taken):
            m.d.comb += parts.states.touch.eq(1)
            _leave_message(m, parts)
            with m.If(parts.ends & ~parts.others_due):
                _look_at_once(m, parts)
        with m.Elif(parts.orders.done):
            m.next = "BREAK"
    with m.State("BREAK"), m.If(parts.room):
        parts.withdraw(m)
        _leave_message(m, parts)


def double_states(m: Module, parts: Parts, converter: DoubleConverter) -> None:
    """Numbers in doubles, converted one after the other; then the event, which is counted with the message's last."""
    operation, row, which = parts.operation, parts.rows.row, Signal(range(len(TOP_OF_QUOTE)))
    is_ticker = operation.kind == OperationKind.TICKER
    of_ticker = (operation.order, operation.price, operation.quantity, operation.last_double)
    of_deal = (operation.price, operation.quantity)
    exponent = Mux(which[0], row.quantity_exponent, row.price_exponent)
    m.d.comb += [
        converter.bits.eq(Mux(is_ticker, Array(of_ticker)[which], Array(of_deal)[which[0]])),
        converter.decimals.eq((-exponent)[: len(converter.decimals)]),
    ]
    with m.State("DOUBLE"):
        m.d.comb += converter.start.eq(1)
        m.next = "CONVERT"
    with m.State("CONVERT"), m.If(converter.done):
        for number, name in enumerate(TOP_OF_QUOTE):
            with m.If(which == number):
                m.d.sync += parts.stated[name].eq(converter.mantissa)
        m.d.sync += which.eq(which + 1)
        m.next = "DOUBLE"
        with m.If(which == Mux(is_ticker, len(of_ticker), len(of_deal)) - 1):
            m.d.sync += which.eq(0)
            m.next = "STATE"
    with m.State("STATE"), m.If(parts.room):
        parts.give(m, Mux(is_ticker, EventKind.QUOTE, EventKind.TRADE))
        m.d.comb += parts.says_stated.eq(1)
        m.next = "STATED"
    with m.State("STATED"), m.If(parts.room):
        with m.If(operation.counts):
            _count(m, parts, applied=1)
        m.d.comb += parts.reader.messages.ready.eq(1)
        m.next = "MESSAGE"


def _is_one_of(kind: Any, kinds: Any) -> Any:
    return reduce(or_, (kind == each for each in kinds))


def _begin_change(m: Module, parts: Parts) -> None:
    operation = parts.operation
    removes = Mux(operation.kind == OperationKind.REDUCE, BookOperation.REDUCE, BookOperation.DELETE)
    parts.start(m, Mux(operation.kind == OperationKind.PUT, BookOperation.PUT, removes))
    _count(m, parts, applied=1)
    m.d.comb += parts.reader.messages.ready.eq(1)
    m.next = "CHANGE"


def _look_at_once(m: Module, parts: Parts) -> None:
    """A transaction that ends with the change of its only book: what is best is asked for in the same cycle."""
    parts.start(m, BookOperation.BEST)
    m.d.comb += [parts.states.touch.eq(0), parts.states.settle.eq(1)]
    m.next = "TOP"


def _count(m: Module, parts: Parts, applied: Any) -> None:
    parts.give(m, EventKind.COUNT)
    m.d.comb += [
        parts.event.mask[EventCounter.MESSAGES].eq(applied),
        parts.event.mask[EventCounter.SKIPPED_MESSAGES].eq(~applied),
    ]


def _leave_message(m: Module, parts: Parts) -> None:
    """Take the next message, perhaps behind a transaction."""
    m.next = "MESSAGE"
    with m.If(parts.ends):
        m.next = "TRANSACTION"
