"""States of the book unit for packets: what a packet's place says, and the events at the end of a transaction."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module, Mux

from hdl.books.order_books import BookOperation
from hdl.books.parts import Parts
from hdl.books.records import EventCounter, EventKind


def packet_states(m: Module, ports: Any, parts: Parts) -> None:
    """Around the messages: the counters of the packet itself, what a gap does to the books of its line, the end.

    Messages are looked up from the first state on. Without a packet the book that a command may be about is selected.
    """
    placed, states = ports.placed.payload, parts.states
    with m.State("NONE"), m.If(~parts.waiting):
        m.d.sync += parts.selected.eq(parts.command_book)
        with m.If(ports.placed.valid & parts.orders.ready):
            m.d.comb += parts.reader.begin.eq(1)
            m.d.sync += [
                parts.on_line.eq(states.on_line),
                parts.round.eq(Mux(placed.loses, states.on_line & (states.live | states.loading), 0)),
            ]
            m.next = "PACKET"
    with m.State("PACKET"), m.If(parts.room):
        m.d.comb += [
            parts.event.mask[EventCounter.GAPS].eq(placed.gap),
            parts.event.mask[EventCounter.HEARTBEATS].eq(placed.heartbeat),
        ]
        with m.If(placed.gap | placed.heartbeat):
            parts.give(m, EventKind.COUNT)
        m.next = "LOSE"
    with m.State("LOSE"):
        parts.next_of_round(m)
        m.next = "LOSE-BOOK"
        with m.If(parts.round == 0):
            m.next = "MESSAGE"
    with m.State("LOSE-BOOK"):
        m.next = "LOST"
        with m.If(states.is_loading):
            m.next = "PASS"
    with m.State("LOST"), m.If(parts.room):
        parts.withdraw(m)
        m.next = "LOSE"
    with m.State("PASS"):
        m.d.comb += [states.set_passed.eq(1), states.new_passed.eq(placed.number - 1)]
        m.next = "LOSE"
    with m.State("END"), m.If(parts.room):
        parts.give(m, EventKind.END)
        m.d.comb += ports.placed.ready.eq(1)
        m.next = "NONE"


def transaction_states(m: Module, parts: Parts) -> None:
    """Behind the last message of a transaction: the tops of its line's books that may have changed."""
    states, orders = parts.states, parts.orders
    with m.State("TRANSACTION"):
        _next_top(m, parts)
    with m.State("BEST"):
        parts.start(m, BookOperation.BEST)
        m.d.comb += states.settle.eq(1)
        m.next = "TOP"
    with m.State("TOP"), m.If(orders.done):
        m.next = "QUOTE"
    with m.State("QUOTE"), m.If(parts.room):
        m.d.comb += [states.tell.eq(1), parts.says_top.eq(1)]
        with m.If(states.differed):
            parts.give(m, EventKind.QUOTE)
        _next_top(m, parts)


def _next_top(m: Module, parts: Parts) -> None:
    parts.select_due(m)
    m.next = "BEST"
    with m.If(parts.due == 0):
        m.next = "MESSAGE"
