"""Binance spot stream messages (SBE), one per datagram: quotes as they pass, trades when their datagram counts.

The rules are those of ``market.fastpath.feeds.binance`` (docs/fastpath.md, rule 47).
"""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.feeds.trade_queue import TRADE_COUNT_BITS, TradeQueue
from hdl.parameters import CoreParameters
from hdl.records import (
    LENGTH_BITS,
    MANTISSAS,
    PayloadBus,
    ahead_members,
    channel_layout,
    narrowed,
    quote_layout,
    trade_layout,
)
from hdl.sbe.extractor import MessageExtractor, header_pattern
from hdl.sbe.groups import GroupExtractor
from hdl.sbe.match import PatternMatch
from hdl.sbe.tail import TailCheck
from market.fastpath.feeds.verdict import BAD, GOOD, SKIPPED
from market.fastpath.specification import Side
from market.wire.sbe import load_schema
from market.wire.schemas import BINANCE_STREAM

_SCHEMA: Final = load_schema(BINANCE_STREAM)
_QUOTE: Final = "BestBidAskStreamEvent"
_TRADES: Final = "TradesStreamEvent"
_QUOTE_FIELDS: Final = {
    "priceExponent": "price_exponent",
    "qtyExponent": "quantity_exponent",
    "bookUpdateId": "sequence",
    "bidPrice": "bid_price",
    "bidQty": "bid_quantity",
    "askPrice": "ask_price",
    "askQty": "ask_quantity",
}


class BinanceDecoder(wiring.Component):
    """Events of a datagram, and what ``market.fastpath.feeds.verdict`` says of it.

    Members
    -------
    payload, length: the datagram; ``length`` stable from its first beat to its last, and until the next one's.
    ahead: of a paced core, as ``FrameReceiver`` has it.
    row: what the channel table says of it, right from the 57th byte on at the latest.
    is_quote: level: the header is that of a BestBidAsk; from the cycle after its last byte to the cycle after the
        next datagram's first beat.
    quote: registers, right from ``loaded`` to the next datagram's fields; mantissas are ``narrowed`` in a compact core.
    loaded: strobe: the ask quantity is in the registers, one cycle after its last byte was seen, ``ahead`` or not. The
        verdict is not yet known.
    verdict: level, right from the cycle after the last beat to the cycle after the next datagram's first beat; both one
        cycle later on the 8-bit bus.
    trade_count: level: trades of a datagram of Trades, 0 for others; right from three cycles after the last beat on.
    accept, discard: strobes, one per frame in order, at the soonest three cycles after the last beat, and before the
        first trade of the next datagram is complete (57 bytes): its trades count, or not.
    trades: the trades of accepted datagrams.
    overrun: stays set once a trade was lost, as ``TrialQueue`` says it.

    Latency: one cycle to ``is_quote`` and ``loaded``. Between the last beat of a datagram and the first
    of the next there must be two cycles without a beat: the headers of the next are much longer.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._bus_bytes, self._takes_trades = parameters.bus_bytes, parameters.trades
        self._mantissa_bits = parameters.price_bits if parameters.compact else None
        self._ahead_bytes = parameters.ahead_bytes
        super().__init__(
            {
                "payload": In(PayloadBus(parameters)),
                **ahead_members(In, parameters.ahead_bytes),
                "length": In(LENGTH_BITS),
                "row": In(channel_layout),
                "is_quote": Out(1),
                "quote": Out(quote_layout),
                "loaded": Out(1),
                "verdict": Out(2),
                "trade_count": Out(TRADE_COUNT_BITS),
                "accept": In(1),
                "discard": In(1),
                "trades": Out(stream.Signature(trade_layout)),
                "overrun": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """One extractor per message, side by side; the check of the symbol is shared. Without trades theirs is BAD."""
        m = Module()
        width = self._bus_bytes
        bits = self._mantissa_bits
        narrow = None if bits is None else {field: bits for field, name in _QUOTE_FIELDS.items() if name in MANTISSAS}
        m.submodules.quotes = quotes = MessageExtractor(
            *(_SCHEMA, _QUOTE, tuple(_QUOTE_FIELDS)),
            bus_bytes=width,
            narrow=narrow,
            ahead_bytes=self._ahead_bytes,
        )
        if self._ahead_bytes:
            m.d.comb += quotes.ahead.eq(self.ahead)
        # nothing waits for trades and the check of the whole: on the narrow bus they see each byte a cycle later
        payload = self.payload
        self._beat = {"valid": payload.valid, "start": payload.first, "data": payload.data}
        self._late = {name: self._delayed(m, value, name) for name, value in self._beat.items()}
        self._feed(m, quotes, self._beat)
        m.d.comb += [self.is_quote.eq(quotes.matched), self.loaded.eq(quotes.loaded)]
        m.d.comb += [
            self.quote[name].eq(self._kept(name, quotes.fields[field])) for field, name in _QUOTE_FIELDS.items()
        ]
        deals = None
        if self._takes_trades:
            m.submodules.deals = deals = GroupExtractor(
                _SCHEMA,
                _TRADES,
                ("priceExponent", "qtyExponent"),
                {"trades": ("price", "qty", "isBuyerMaker")},
                bus_bytes=width,
            )
            self._feed(m, deals, self._late)
            self._queue(m, deals)
        self._judge(m, quotes, deals)
        return m

    def _kept(self, name: str, field: Value) -> Value:
        if self._mantissa_bits is None or name not in MANTISSAS:
            return field
        # eight bytes per cycle have made it narrow on the way
        return field[: self._mantissa_bits + 2] if self._bus_bytes > 1 else narrowed(field, self._mantissa_bits)

    def _delayed(self, m: Module, value: Any, name: str) -> Any:
        if self._bus_bytes != 1:
            return value
        later = Signal(len(value), name=f"{name}_late")
        m.d.sync += later.eq(value)
        return later

    def _feed(self, m: Module, part: Any, beat: dict[str, Any]) -> None:
        m.d.comb += [getattr(part, name).eq(value) for name, value in beat.items()]

    def _judge(self, m: Module, quotes: MessageExtractor, deals: GroupExtractor | None) -> None:
        m.submodules.symbol = symbol = TailCheck(bus_bytes=self._bus_bytes)
        tail, byte, lane = (
            self._delayed(m, value, name)
            for name, value in (("tail", quotes.tail), ("tail_byte", quotes.tail_byte), ("tail_lane", quotes.tail_lane))
        )
        m.d.comb += [
            symbol.valid.eq(self._late["valid"]),
            symbol.start.eq(self._late["start"]),
            symbol.length.eq(self.length),
            symbol.take.eq(tail if deals is None else tail | deals.tail),
            symbol.byte.eq(byte if deals is None else Mux(tail, byte, deals.tail_byte)),
            symbol.lane.eq(lane if deals is None else Mux(tail, lane, deals.tail_lane)),
        ]
        patterns = {
            "schema": header_pattern(_SCHEMA, _QUOTE, ("schemaId", "version")),
            "quote": header_pattern(_SCHEMA, _QUOTE, ("templateId",)),
            "trades": header_pattern(_SCHEMA, _TRADES, ("templateId",)),
        }
        m.submodules.header = header = PatternMatch(patterns, bus_bytes=self._bus_bytes)
        self._feed(m, header, self._late)
        unread = header.matched.trades if deals is None else 0
        with m.If((self.length < _SCHEMA.header.size) | ~header.matched.schema | unread):
            m.d.comb += self.verdict.eq(BAD)
        with m.Elif(header.matched.quote | header.matched.trades):
            m.d.comb += self.verdict.eq(Mux(symbol.ends, GOOD, BAD))
        with m.Else():
            m.d.comb += self.verdict.eq(SKIPPED)

    def _queue(self, m: Module, deals: GroupExtractor) -> None:
        m.submodules.queue = queue = TradeQueue()
        entry, trade = deals.entries.trades, queue.entry
        m.d.comb += [
            queue.begin.eq(self._late["valid"] & self._late["start"]),
            queue.put.eq(entry.valid),
            trade.instrument.eq(self.row.instrument),
            trade.venue.eq(self.row.venue),
            trade.price_exponent.eq(deals.fields.priceExponent),
            trade.quantity_exponent.eq(deals.fields.qtyExponent),
            trade.price.eq(entry.fields.price),
            trade.quantity.eq(entry.fields.qty),
            self.trade_count.eq(queue.count),
            queue.accept.eq(self.accept),
            queue.discard.eq(self.discard),
            self.overrun.eq(queue.overrun),
        ]
        with m.Switch(entry.fields.isBuyerMaker):
            with m.Case(0):
                m.d.comb += trade.aggressor.eq(Side.BUY)
            with m.Case(1):
                m.d.comb += trade.aggressor.eq(Side.SELL)
            with m.Default():
                m.d.comb += trade.aggressor.eq(Side.NONE)
        wiring.connect(m, wiring.flipped(self.trades), queue.kept)
