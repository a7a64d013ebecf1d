"""Books: what the packets of lines and the messages of the host do to them, and the events that follow."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from hdl.books.line_table import line_layout
from hdl.books.loading import loading_states, take_commands
from hdl.books.message_states import double_states, message_states
from hdl.books.order_books import OrderBooks
from hdl.books.packet_states import packet_states, transaction_states
from hdl.books.parts import TOP_OF_QUOTE, Parts
from hdl.books.records import LINE_NUMBER_BITS, event_layout, operation_layout, placed_layout
from hdl.decision.command_fields import command_field
from hdl.decision.shapes import assign
from hdl.parameters import CoreParameters
from hdl.records import INSTRUMENT_NUMBER_BITS, VENUE_NUMBER_BITS, ControlCommand, sizes_layout

pair_layout: Final = data.StructLayout(
    {"instrument": unsigned(INSTRUMENT_NUMBER_BITS), "venue": unsigned(VENUE_NUMBER_BITS)}
)
"""A venue's quote of an instrument."""
QUEUE_DEPTH: Final = 16
"""Events that may wait."""
_ON_THE_WAY: Final = 4
"""Events that may be put out before those that were are seen to wait, and the one that is then put out."""


class BookUnit(wiring.Component):
    """All books of a build with their orders: packets in, events out, and what the host loads in between.

    Packets are worked off as they come, ahead of the steps that they are; a step takes their events until END. No
    command is applied while a packet waits, or its events.

    Parameters
    ----------
    parameters: the build.

    Members
    -------
    placed, operations: packets at their places, and what their messages ask for.
    events: of each packet in order, ended by END.
    command: LineRow, BookRow, BookClear, BookOrder and BookReady are done here, and perhaps refused; the ranges of
        fields have been checked. The books that a Reset unloads are those of the lines that are ``forgotten``.
    forget: quotes to forget before a command is done; ready when that has been done.
    ask_line, asked, forgotten: see ``LineTable``.
    idle: no packet, event or command is under way.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "sizes": In(sizes_layout(parameters)),
                "placed": In(stream.Signature(placed_layout)),
                "operations": In(stream.Signature(operation_layout)),
                "events": Out(stream.Signature(event_layout)),
                "command": In(ControlCommand(parameters)),
                "forget": Out(stream.Signature(pair_layout)),
                "ask_line": Out(LINE_NUMBER_BITS),
                "asked": In(line_layout),
                "forgotten": In(parameters.capacity.lines),
                "idle": Out(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """One state machine for packets, one for commands: they are never both at work."""
        m = Module()
        parts = Parts(m, self._parameters, OrderBooks(self._parameters))
        self._connect(m, parts)
        events_rest = self._give_events(m, parts)
        take_commands(m, self, parts)
        with m.FSM(name="packets") as packets:
            packet_states(m, self, parts)
            message_states(m, parts)
            if parts.converter is not None:
                double_states(m, parts, parts.converter)
            transaction_states(m, parts)
        with m.FSM(name="commands"):
            loading_states(m, self, parts)
        m.d.comb += self.idle.eq(
            packets.ongoing("NONE") & ~self.placed.valid & ~parts.waiting & parts.orders.ready & events_rest
        )
        return m

    def _connect(self, m: Module, parts: Parts) -> None:
        """What does not depend on where the unit stands."""
        reader, rows, states, orders = parts.reader, parts.rows, parts.states, parts.orders
        wiring.connect(m, wiring.flipped(self.operations), reader.operations)
        line_of_row = command_field(self.command.message, "LineRow", "line")
        m.d.comb += [
            reader.packet.eq(self.placed.payload),
            *assign(rows, reader, ("find", "line", "wire")),
            *assign(reader, rows, ("busy", "found", "book")),
            states.line.eq(Mux(parts.waiting, line_of_row, self.placed.payload.line)),
            *(getattr(states.top, name).eq(getattr(orders, f"best_{name}")) for name in TOP_OF_QUOTE.values()),
            orders.sizes.eq(self.sizes),
            orders.book.eq(parts.selected),
            orders.base.eq(states.base),
            orders.tick.eq(rows.row.tick),
            *assign(orders, parts.operation, ("side", "order", "price", "quantity")),
        ]
        forgotten = Cat(self.forgotten.bit_select(line, 1) for line in states.line_of)
        m.d.sync += parts.unload.eq(forgotten)
        m.d.comb += states.unload.eq(parts.unload)

    def _give_events(self, m: Module, parts: Parts) -> Signal:
        """Events carry the exponents of the selected row. Gives whether none is there."""
        m.submodules.queue = queue = SyncFIFO(width=Value.cast(self.events.payload).shape().width, depth=QUEUE_DEPTH)
        quote, row, at_rest = parts.event.quote, parts.rows.row, Signal()
        event, put = Signal.like(parts.event), Signal()
        m.d.comb += [
            parts.event.instrument.eq(row.instrument),
            parts.event.aggressor.eq(parts.aggressor),
            quote.price_exponent.eq(row.price_exponent),
            quote.quantity_exponent.eq(row.quantity_exponent),
            quote.sequence.eq(Mux(parts.says_top | parts.says_stated, parts.number, 0)),
            queue.w_data.eq(event),
            queue.w_en.eq(put),
            Value.cast(self.events.payload).eq(queue.r_data),
            self.events.valid.eq(queue.r_rdy),
            queue.r_en.eq(self.events.ready),
            at_rest.eq(~put & ~queue.r_rdy),
        ]
        trade = {"bid_price": parts.operation.price, "bid_quantity": parts.operation.quantity}
        for mine, name in TOP_OF_QUOTE.items():
            top = Mux(parts.says_top, getattr(parts.orders, f"best_{name}"), 0)
            stated = Mux(parts.says_stated, parts.stated[mine], 0)
            m.d.comb += getattr(quote, mine).eq(top | stated | Mux(parts.says_trade, trade.get(mine, 0), 0))
        m.d.sync += [event.eq(parts.event), put.eq(parts.put), parts.room.eq(queue.level <= QUEUE_DEPTH - _ON_THE_WAY)]
        return at_rest
