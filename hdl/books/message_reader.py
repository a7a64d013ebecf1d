"""Messages of a packet one after the other, each with its number and its book, ahead of their turn."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Const, Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.books.records import (
    BOOK_NUMBER_BITS,
    ENTRY_COUNT_BITS,
    LINE_NUMBER_BITS,
    OperationKind,
    operation_layout,
    placed_layout,
)
from hdl.parameters import CoreParameters
from hdl.records import WORD_BITS
from market.fastpath.specification import Feed

_MESSAGES_OF_PACKET_BITS: Final = 8
"""A packet that is numbered itself gives its messages numbers with so many bits of their own."""
_INDEX_BITS: Final = 16

message_layout: Final = data.StructLayout(
    {
        "operation": operation_layout,
        "number": unsigned(WORD_BITS),
        "counts_only": unsigned(1),
        "known": unsigned(1),
        "book": unsigned(BOOK_NUMBER_BITS),
    }
)
"""An operation with its message's number.

``counts_only``: the message is old, or has no line: it does nothing. ``known``: it is about the book row ``book``.
"""


class MessageReader(wiring.Component):
    """Takes a packet's operations from the queue and looks up their books.

    Parameters
    ----------
    parameters: the build.

    Members
    -------
    begin: strobe: ``packet`` is read; it holds until ``finished``: all its operations have been given out and taken.
    operations: the queue.
    find, line, wire, busy, found, book: see ``BookRows``.
    messages: what was read; the next message is looked up while this one is dealt with.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        super().__init__(
            {
                "begin": In(1),
                "packet": In(placed_layout),
                "finished": Out(1),
                "operations": In(stream.Signature(operation_layout)),
                "find": Out(1),
                "line": Out(LINE_NUMBER_BITS),
                "wire": Out(WORD_BITS),
                "busy": In(1),
                "found": In(1),
                "book": In(range(parameters.capacity.books)),
                "messages": Out(stream.Signature(message_layout)),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        left, index = Signal(ENTRY_COUNT_BITS), Signal(_INDEX_BITS)
        first = Signal(WORD_BITS)
        operation, message = self.operations.payload, self.messages.payload
        looked_up, counts_only = Signal(), Signal()
        by_packets = self.packet.feed == Feed.DERIBIT_LEGACY
        shifted = Cat(Const(0, _MESSAGES_OF_PACKET_BITS), self.packet.number)
        m.d.comb += [
            self.line.eq(self.packet.line),
            self.wire.eq(operation.wire),
            counts_only.eq(~self.packet.has_line | (index < self.packet.old)),
            self.finished.eq((left == 0) & ~self.messages.valid),
        ]
        with m.If(self.messages.ready):
            m.d.sync += self.messages.valid.eq(0)
        with m.FSM(name="reading"):
            with m.State("NEXT"), m.If((left != 0) & self.operations.valid):
                m.d.comb += self.find.eq(~counts_only & (operation.kind != OperationKind.SKIP))
                m.d.sync += looked_up.eq(self.find)
                m.next = "GIVE"
            with m.State("GIVE"), m.If(~self.messages.valid & ~self.busy):
                m.d.comb += self.operations.ready.eq(1)
                m.d.sync += [
                    self.messages.valid.eq(1),
                    message.operation.eq(operation),
                    message.number.eq(first + index),
                    message.counts_only.eq(counts_only),
                    message.known.eq(looked_up & self.found),
                    message.book.eq(self.book),
                    left.eq(left - 1),
                    index.eq(index + operation.counts),
                ]
                m.next = "NEXT"
        with m.If(self.begin):
            m.d.sync += [
                left.eq(self.packet.entries),
                index.eq(0),
                first.eq(Mux(by_packets, shifted, self.packet.number)),
            ]
        return m
