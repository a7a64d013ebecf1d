"""Deribit's legacy multicast: tops of books and trades in doubles (docs/fastpath.md, rules 57 to 68)."""

from __future__ import annotations

from typing import Final

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.books.records import OperationKind, operation_layout, packet_layout
from hdl.feeds.deribit_sections import PACKET_HEADER, SCHEMA, DeribitSections, Section
from hdl.parameters import BYTE, CoreParameters
from hdl.records import LENGTH_BITS, WORD_BITS, PayloadBus
from hdl.sbe.packet import is_below
from market.fastpath.specification import Side
from market.wire.sbe import offset_of

FEED_CYCLES: Final = 16
"""Cycles from a packet's first byte until the feed of its channel is known for certain."""
_NUMBER_BITS: Final = 4 * BYTE
_BEST: Final = offset_of(SCHEMA, "Ticker", "bestBidPrice")
_DOUBLES: Final = ("order", "price", "quantity", "last_double")
"""Fields of an operation, in the order in which a ticker has its doubles: bid, its amount, ask, its amount."""
_DOUBLE_BYTES: Final = WORD_BITS // BYTE
_DIRECTION: Final = offset_of(SCHEMA, "Trades", "direction", "trades")
_DEAL: Final = offset_of(SCHEMA, "Trades", "price", "trades")
_DEAL_END: Final = _DEAL + 3 * _DOUBLE_BYTES
"""Price and amount of a trade, and a number behind them, so that they come to lie in ``price`` and ``quantity``."""


class DeribitDecoder(wiring.Component):
    """Messages of Deribit's legacy multicast as operations, on the bus of one byte only.

    A ticker is one operation. Each trade is one that does not count as a message, with another one behind the last that
    does. All other messages ask for nothing.

    Members
    -------
    payload, length: the packet; ``length`` stable from its first beat to its last, and until the next one's.
    header: strobe, ``FEED_CYCLES`` after the packet's first byte; later if there were pauses in its header.
    pending: level, from the cycle after the header's last byte to ``header``.
    packet: what the header says; right from ``header`` to the next payload's first beat.
    put, operation: strobe and operation, at most one cycle after the message's last byte.
    bad_header: level: shorter than a header.
    bad_messages: level, right from two cycles after the last beat to the next payload's first: not as rule 66 says.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        super().__init__(
            {
                "payload": In(PayloadBus(parameters)),
                "length": In(LENGTH_BITS),
                "header": Out(1),
                "pending": Out(1),
                "packet": Out(packet_layout),
                "put": Out(1),
                "operation": Out(operation_layout),
                "bad_header": Out(1),
                "bad_messages": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """The bus has a register before anything is decided; doubles pass through one shift register."""
        m = Module()
        m.submodules.sections = sections = DeribitSections()
        for name in ("valid", "first", "last", "data"):
            m.d.sync += getattr(sections, name).eq(getattr(self.payload, name))
        announced = self._head(m, sections)
        self._operate(m, sections)
        m.d.comb += [
            self.bad_header.eq(is_below(self.length, PACKET_HEADER)),
            self.bad_messages.eq(~sections.whole | (announced + PACKET_HEADER != self.length)),
        ]
        return m

    def _head(self, m: Module, sections: DeribitSections) -> Value:
        """The packet header, and when to tell of it; gives the length that it announces."""
        head = Signal(PACKET_HEADER * BYTE)
        waited = Signal(range(FEED_CYCLES + 1))
        in_header = sections.valid & (sections.section == Section.PACKET)
        with m.If(in_header):
            m.d.sync += head.eq(Cat(head[BYTE:], sections.data))
        with m.If(in_header & (sections.at == PACKET_HEADER - 1)):
            m.d.sync += [self.pending.eq(1), waited.eq(PACKET_HEADER + 1)]
        with m.Elif(self.pending):
            m.d.sync += [waited.eq(waited + 1), self.pending.eq(~self.header)]
        announced, channel, number = head[: 2 * BYTE], head[2 * BYTE : 4 * BYTE], head[-_NUMBER_BITS:]
        m.d.comb += [
            self.header.eq(self.pending & (waited == FEED_CYCLES)),
            self.packet.number.eq(number),
            self.packet.wire_channel.eq(channel),
        ]
        return announced

    def _operate(self, m: Module, sections: DeribitSections) -> None:
        operation = self.operation
        doubles, wire = Signal(len(_DOUBLES) * WORD_BITS), Signal(_NUMBER_BITS)
        deal, aggressor = Signal(), Signal(Side)
        in_block = sections.valid & (sections.section == Section.BLOCK)
        in_entry = sections.valid & (sections.section == Section.ENTRY)
        best = (sections.at >= _BEST) & (sections.at < _BEST + len(_DOUBLES) * _DOUBLE_BYTES)
        dealt = (sections.at >= _DEAL) & (sections.at < _DEAL_END)
        with m.If((in_block & best) | (in_entry & dealt)):
            m.d.sync += doubles.eq(Cat(doubles[BYTE:], sections.data))
        with m.If(in_block & (sections.at < _NUMBER_BITS // BYTE)):
            m.d.sync += wire.eq(Cat(wire[BYTE:], sections.data))
        with m.If(in_entry & (sections.at == _DIRECTION)):
            m.d.sync += aggressor.eq(Side.NONE)
            with m.If(sections.data == 0):
                m.d.sync += aggressor.eq(Side.BUY)
            with m.Elif(sections.data == 1):
                m.d.sync += aggressor.eq(Side.SELL)
        m.d.sync += deal.eq(in_entry & sections.is_trades & (sections.at == _DEAL_END - 1))
        m.d.comb += [
            Cat(Value.cast(operation[name]) for name in _DOUBLES).eq(doubles),
            operation.wire.eq(wire),
            operation.aggressor.eq(aggressor),
            operation.counts.eq(~deal),
            self.put.eq(deal | sections.message),
        ]
        with m.If(deal):
            m.d.comb += operation.kind.eq(OperationKind.DEAL)
        with m.Elif(sections.is_ticker):
            m.d.comb += operation.kind.eq(OperationKind.TICKER)
        with m.Elif(sections.is_trades):
            m.d.comb += operation.kind.eq(OperationKind.KNOWN)
