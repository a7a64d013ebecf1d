"""Packets of order-by-order feeds to operations, as they pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from amaranth.hdl import Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.books.records import NUMBER_BITS, OperationKind, operation_layout, packet_layout
from hdl.feeds.coinbase_derivatives import COINBASE_DERIVATIVES_FEED
from hdl.feeds.order_feed import Meaning, Reading
from hdl.feeds.starbase import STARBASE
from hdl.parameters import CoreParameters
from hdl.records import LENGTH_BITS, PayloadBus
from hdl.sbe.framing import number_in
from hdl.sbe.packet import PacketDispatcher, is_below
from hdl.sbe.slots import form_shape
from hdl.sbe.words import WORD_BYTES
from market.fastpath.specification import Feed

ORDER_FEEDS: Final = (STARBASE, COINBASE_DERIVATIVES_FEED)
PACKET_HEADER: Final = 24
"""Bytes of the packet header of all of them."""
_SNAPSHOT: Final = 1
_KINDS: Final = {
    Meaning.PUT: OperationKind.PUT,
    Meaning.REDUCE: OperationKind.REDUCE,
    Meaning.DELETE: OperationKind.DELETE,
    Meaning.TRADE: OperationKind.TRADE,
}


class OrderDecoder(wiring.Component):
    """Messages of Starbase, of Coinbase Derivatives, or of both by turns, on the same registers.

    Parameters
    ----------
    parameters: the build.
    feeds: those to read, STARBASE or COINBASE_DERIVATIVES.

    Members
    -------
    payload, length: the packet; ``length`` stable from its first beat to its last, and until the next one's.
    form: which of the feeds, by its place in ``feeds``; right from the beat of the packet header's last byte on.
    header: strobe, one cycle after the packet header's last byte.
    packet: what the header says; right from ``header`` to the cycle after the next payload's first beat.
    put, operation: strobe and operation of a message, one cycle after its last byte.
    bad_header: level, right from one cycle after the last beat on: shorter than a header, or a number that none has.
    bad_messages: level, right from two cycles after the last beat on: the messages are not as their schema says.
    """

    def __init__(self, parameters: CoreParameters, feeds: Sequence[Feed]) -> None:
        self._parameters = parameters
        self._feeds = tuple(one for feed in feeds for one in ORDER_FEEDS if one.feed is feed)
        super().__init__(
            {
                "payload": In(PayloadBus(parameters)),
                "length": In(LENGTH_BITS),
                "form": In(form_shape([one.form for one in self._feeds])),
                "header": Out(1),
                "packet": Out(packet_layout),
                "put": Out(1),
                "operation": Out(operation_layout),
                "bad_header": Out(1),
                "bad_messages": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """The dispatcher's registers under the names that books know."""
        m = Module()
        m.submodules.messages = messages = PacketDispatcher(self._parameters, [one.form for one in self._feeds])
        wiring.connect(m, wiring.flipped(self.payload), messages.payload)
        m.d.comb += [
            messages.form.eq(self.form),
            self.header.eq(messages.header),
            self.put.eq(messages.message),
            self.bad_messages.eq(~messages.whole),
        ]
        self._head(m, messages)
        self._operate(m, messages)
        return m

    def _head(self, m: Module, messages: PacketDispatcher) -> None:
        def field(name: str) -> Any:
            places = [one.form.packet[name] for one in self._feeds]
            return messages.of_form([number_in(messages.packet[at.offset // WORD_BYTES], at) for at in places])

        counts = [one.form.count for one in self._feeds]
        number = field("number")
        m.d.comb += [
            self.packet.number.eq(number),
            self.packet.wire_channel.eq(field("channel")),
            self.packet.snapshot.eq(field("flags")[_SNAPSHOT]),
            self.packet.count.eq(
                messages.of_form([number_in(messages.packet[at.offset // WORD_BYTES], at) for at in counts])
            ),
            self.bad_header.eq(is_below(self.length, PACKET_HEADER) | number[NUMBER_BITS:].any()),
        ]

    def _operate(self, m: Module, messages: PacketDispatcher) -> None:
        operation, fields = self.operation, messages.fields
        reading = self._reading(messages)
        for name in ("wire", "order", "price", "quantity"):
            m.d.comb += operation[name].eq(fields[name])
        m.d.comb += [
            operation.side.eq(reading.side),
            operation.aggressor.eq(reading.aggressor),
            operation.clears.eq(reading.clears),
            operation.ends.eq(reading.ends),
            operation.counts.eq(1),
        ]
        with m.If(~Value.cast(messages.meaning).any() & reading.touches):
            m.d.comb += operation.kind.eq(OperationKind.TOUCH)
        for meaning, kind in _KINDS.items():
            if meaning in messages.meaning.shape().members:
                with m.If(messages.meaning[meaning]):
                    m.d.comb += operation.kind.eq(kind)

    def _reading(self, messages: PacketDispatcher) -> Reading:
        """What the packet's own feed reads."""
        readings = [one.read(messages) for one in self._feeds]

        def chosen(name: str) -> Any:
            return messages.of_form([getattr(reading, name) for reading in readings])

        return Reading(
            touches=chosen("touches"),
            side=chosen("side"),
            aggressor=chosen("aggressor"),
            clears=chosen("clears"),
            ends=chosen("ends"),
        )
