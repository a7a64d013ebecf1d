"""States of the book unit for the messages of the host: docs/fastpath.md, rules 54, 55, 71 and 76 to 79."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any, Final

from amaranth.hdl import Cat, Const, Module, Mux, Signal

from hdl.books.order_books import BookOperation
from hdl.books.parts import Parts
from hdl.books.records import BookSide
from hdl.decision.command_fields import command_field
from hdl.decision.compare import above, at_most
from market.fastpath import layout
from market.fastpath.specification import Feed, Refusal, Side

COMMANDS: Final = {
    layout.TEMPLATE_LINE_ROW: "LineRow",
    layout.TEMPLATE_BOOK_ROW: "BookRow",
    layout.TEMPLATE_BOOK_CLEAR: "BookClear",
    layout.TEMPLATE_BOOK_ORDER: "BookOrder",
    layout.TEMPLATE_BOOK_READY: "BookReady",
}
"""What is done here."""


def take_commands(m: Module, ports: Any, parts: Parts) -> None:
    """A command that is applied waits for orders that are ready; the line that it is about is asked for all the time.

    Until then nothing but a packet's arrival may change the line, and that does not happen before the next cycle.
    """
    command = ports.command
    numbers = {name: command_field(command.message, name, "book") for name in COMMANDS.values() if name != "LineRow"}
    with m.Switch(command.template):
        for template, name in COMMANDS.items():
            if name != "LineRow":
                with m.Case(template):
                    m.d.comb += parts.command_book.eq(numbers[name])
    is_line_row = command.template == layout.TEMPLATE_LINE_ROW
    m.d.sync += ports.ask_line.eq(
        Mux(is_line_row, command_field(command.message, "LineRow", "line"), parts.rows.row.line)
    )
    with m.If(command.apply & reduce(or_, (command.template == template for template in COMMANDS))):
        m.d.sync += [parts.waiting.eq(1), parts.refusal.eq(Refusal.NONE), parts.its_line.eq(ports.asked)]
    m.d.comb += command.refusal.eq(parts.refusal)


def loading_states(m: Module, ports: Any, parts: Parts) -> None:
    """From the first look at a command to its end; no packet is there then, and none is begun."""
    with m.State("NONE"), m.If(parts.waiting & parts.orders.ready):
        m.next = "COMMAND"
    with m.State("COMMAND"):
        _begin_command(m, ports, parts)
    _unload_states(m, ports, parts)
    _clear_states(m, ports, parts)
    _order_states(m, ports, parts)
    _ready_states(m, ports, parts)
    with m.State("DONE"):
        m.d.comb += ports.command.done.eq(1)
        m.d.sync += parts.waiting.eq(0)
        m.next = "NONE"


def _begin_command(m: Module, ports: Any, parts: Parts) -> None:
    """Which books it unloads; or whether the book is in the state for it."""
    command, states = ports.command, parts.states
    line = parts.its_line
    can_load = parts.rows.row.enabled & line.enabled & (line.feed != Feed.DERIBIT_LEGACY)
    m.d.sync += parts.round.eq(states.live & states.here)
    with m.Switch(command.template):
        with m.Case(layout.TEMPLATE_LINE_ROW):
            m.d.sync += parts.unload.eq(states.on_line & ~states.live)
            m.d.sync += parts.round.eq(states.live & states.on_line)
            m.next = "UNLOAD"
        with m.Case(layout.TEMPLATE_BOOK_ROW):
            m.d.sync += parts.unload.eq(states.here & ~states.live)
            m.next = "UNLOAD"
        with m.Case(layout.TEMPLATE_BOOK_CLEAR):
            m.next = "UNLOAD"
            with m.If(~can_load):
                _refuse(m, parts, Refusal.BOOK_STATE)
        with m.Default():
            m.next = "ORDER"
            with m.If(command.template == layout.TEMPLATE_BOOK_READY):
                m.next = "COMPARE"
            with m.If(~states.is_loading):
                _refuse(m, parts, Refusal.BOOK_STATE)


def _refuse(m: Module, parts: Parts, refusal: Refusal) -> None:
    m.d.sync += parts.refusal.eq(refusal)
    m.next = "DONE"


def _unload_states(m: Module, ports: Any, parts: Parts) -> None:
    """Live books are unloaded one after the other, when their quotes have been forgotten; then a row is written."""
    command, rows, states = ports.command, parts.rows, parts.states

    def field(name: str) -> Any:
        return command_field(command.message, "BookRow", name)

    names = ("enabled", "line", "instrument", "price_exponent", "quantity_exponent", "tick")
    wire_names = ("enabled", "line", "instrument", "priceExponent", "quantityExponent", "tick")
    m.d.comb += [
        rows.write_book.eq(parts.command_book),
        rows.write_wire.eq(field("wireInstrument")),
        *(getattr(rows.write_row, name).eq(field(wire)) for name, wire in zip(names, wire_names, strict=True)),
        states.new_line.eq(field("line")),
    ]
    with m.State("UNLOAD"):
        parts.next_of_round(m)
        m.next = "FORGET"
        with m.If(parts.round == 0):
            m.d.sync += parts.selected.eq(parts.command_book)
            m.next = "UNLOADED"
    with m.State("FORGET"):
        m.d.comb += [
            ports.forget.valid.eq(1),
            ports.forget.payload.instrument.eq(rows.row.instrument),
            ports.forget.payload.venue.eq(parts.its_line.venue),
        ]
        with m.If(ports.forget.ready):
            m.d.comb += states.set_unloaded.eq(1)
            m.next = "UNLOAD"
    with m.State("UNLOADED"):
        m.next = "DONE"
        with m.If(command.template == layout.TEMPLATE_BOOK_ROW):
            m.d.comb += [rows.write.eq(1), states.set_line.eq(1)]
        with m.If(command.template == layout.TEMPLATE_BOOK_CLEAR):
            m.next = "CLEAR"


def _clear_states(m: Module, ports: Any, parts: Parts) -> None:
    states, orders = parts.states, parts.orders
    m.d.comb += states.new_base.eq(command_field(ports.command.message, "BookClear", "base"))
    with m.State("CLEAR"):
        parts.start(m, BookOperation.CLEAR)
        m.d.comb += [states.set_loading.eq(1), states.set_passed.eq(1)]
        m.d.comb += states.new_passed.eq(Cat(parts.its_line.expected, Const(0, 1)).as_signed() - 1)
        m.next = "FINISH"
    with m.State("FINISH"), m.If(orders.done):
        m.next = "DONE"


def _order_states(m: Module, ports: Any, parts: Parts) -> None:
    """One order; a quantity of 0 deletes it."""

    def field(name: str) -> Any:
        return command_field(ports.command.message, "BookOrder", name)

    deletes = Signal()
    m.d.sync += deletes.eq(field("quantity") == 0)
    with m.State("ORDER"):
        parts.start(m, Mux(deletes, BookOperation.DELETE, BookOperation.PUT))
        m.d.comb += [parts.orders.side.eq(Mux(field("side") == Side.BUY, BookSide.BID, BookSide.ASK))]
        m.d.comb += [getattr(parts.orders, name).eq(field(name)) for name in ("order", "price", "quantity")]
        m.next = "ORDERED"
    with m.State("ORDERED"), m.If(parts.orders.done):
        m.next = "DONE"
        with m.If(~parts.orders.taken):
            _refuse(m, parts, Refusal.BOOK_ORDER)


def _ready_states(m: Module, ports: Any, parts: Parts) -> None:
    """The number that the book holds everything up to is compared in a cycle of its own."""
    states, line = parts.states, parts.its_line
    number = command_field(ports.command.message, "BookReady", "number")
    at_last, passed_over = Signal(), Signal()
    m.d.sync += [
        at_last.eq(above(Cat(line.expected, Const(0, 1)).as_signed(), number)),
        passed_over.eq(at_most(states.passed, number)),
    ]
    with m.State("COMPARE"):
        m.next = "READY"
    with m.State("READY"):
        m.next = "DONE"
        with m.If(line.known & at_last & passed_over):
            m.d.comb += states.set_live.eq(1)
        with m.Else():
            _refuse(m, parts, Refusal.WRONG_NUMBER)
