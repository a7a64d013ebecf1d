"""The tables of lines and books as one component, and what its tests hand to it."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.books.book_unit import BookUnit, pair_layout
from hdl.books.line_table import LineTable
from hdl.books.records import (
    ENTRY_COUNT_BITS,
    BookSide,
    OperationKind,
    event_layout,
    operation_layout,
    packet_layout,
)
from hdl.parameters import CoreParameters
from hdl.records import FEED_BITS, VENUE_NUMBER_BITS, ControlCommand, sizes_layout
from market.fastpath.reference.feed_messages import Change, ChangeKind, Message
from market.fastpath.reference.order_book import BookSide as Side

_SIDES = {Side.BID: BookSide.BID, Side.ASK: BookSide.ASK, None: BookSide.NONE}
_KINDS = {
    ChangeKind.PUT: OperationKind.PUT,
    ChangeKind.REDUCE: OperationKind.REDUCE,
    ChangeKind.DELETE: OperationKind.DELETE,
}
_OF_LINES = ("venue", "feed", "header", "packet", "is_packet", "accept", "heartbeat", "entries")


class BookTop(wiring.Component):
    """Lines and books: packets as their headers and operations, events, and commands."""

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "sizes": In(sizes_layout(parameters)),
                "command": In(ControlCommand(parameters)),
                "venue": In(VENUE_NUMBER_BITS),
                "feed": In(FEED_BITS),
                "header": In(1),
                "packet": In(packet_layout),
                "is_packet": In(1),
                "accept": In(1),
                "heartbeat": In(1),
                "entries": In(ENTRY_COUNT_BITS),
                "searching": Out(1),
                "old": Out(1),
                "overrun": Out(1),
                "operations": In(stream.Signature(operation_layout)),
                "events": Out(stream.Signature(event_layout)),
                "forget": Out(stream.Signature(pair_layout)),
                "idle": Out(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.lines = lines = LineTable(self._parameters)
        m.submodules.books = books = BookUnit(self._parameters)
        wiring.connect(m, wiring.flipped(self.command), books.command)
        wiring.connect(m, wiring.flipped(self.operations), books.operations)
        wiring.connect(m, lines.placed, books.placed)
        wiring.connect(m, books.events, wiring.flipped(self.events))
        wiring.connect(m, books.forget, wiring.flipped(self.forget))
        m.d.comb += [getattr(lines, name).eq(getattr(self, name)) for name in _OF_LINES]
        m.d.comb += [
            getattr(lines.command, name).eq(getattr(self.command, name)) for name in ("apply", "template", "message")
        ]
        m.d.comb += [
            books.sizes.eq(self.sizes),
            lines.ask_line.eq(books.ask_line),
            books.asked.eq(lines.asked),
            books.forgotten.eq(lines.forgotten),
            self.searching.eq(lines.searching),
            self.old.eq(lines.old),
            self.overrun.eq(lines.overrun),
            self.idle.eq(books.idle),
        ]
        return m


def operations_of(message: Message) -> list[dict[str, int]]:
    """What a decoder makes of a message."""
    flags = {"clears": int(message.clears), "ends": int(message.ends)}
    if message.wire_instrument is None:
        return [_operation(OperationKind.SKIP, 0, **flags)]
    wire = message.wire_instrument
    if message.change is not None:
        return [_operation(_KINDS[message.change.kind], wire, **_change_fields(message.change), **flags)]
    if message.quoted is not None:
        names = ("order", "price", "quantity", "last_double")
        return [_operation(OperationKind.TICKER, wire, **dict(zip(names, message.quoted.doubles, strict=True)))]
    if message.deals is None:
        return [_operation(OperationKind.TOUCH, wire, **flags)]
    deals = [{"price": d.price, "quantity": d.quantity, "aggressor": int(d.aggressor)} for d in message.deals]
    return [_operation(OperationKind.TRADE, wire, **deal, **flags) for deal in deals]


def deals_of(message: Message) -> list[dict[str, int]]:
    """The trades of a message that states them in doubles, and its end."""
    wire, deals = message.wire_instrument or 0, message.deals or ()
    fields = [{"price": d.price, "quantity": d.quantity, "aggressor": int(d.aggressor)} for d in deals]
    parts = [_operation(OperationKind.DEAL, wire, counts=0, **deal) for deal in fields]
    return [*parts, _operation(OperationKind.KNOWN, wire)]


def _change_fields(change: Change) -> dict[str, int]:
    side = int(_SIDES[change.side])
    return {"order": change.order, "side": side, "price": change.price, "quantity": change.quantity}


def _operation(kind: OperationKind, wire: int, **fields: int) -> dict[str, int]:
    values = dict.fromkeys(operation_layout.members, 0) | {"kind": int(kind), "wire": wire, "counts": 1}
    return values | fields
