"""Packets of numbered messages to operations, whatever their feed."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.books.records import ENTRY_COUNT_BITS, operation_layout, packet_layout
from hdl.feeds.deribit_legacy import DeribitDecoder
from hdl.feeds.deribit_sections import PACKET_HEADER
from hdl.feeds.operation_queue import OperationQueue
from hdl.feeds.order_decoder import PACKET_HEADER as ORDER_PACKET_HEADER
from hdl.feeds.order_decoder import OrderDecoder
from hdl.parameters import CoreParameters
from hdl.records import FEED_BITS, LENGTH_BITS, PayloadBus
from hdl.sbe.packet import is_any_of
from market.fastpath.specification import Feed

_Reader = tuple[tuple[Feed, ...], OrderDecoder | DeribitDecoder, int]
"""Feeds, their decoder, and the bytes of a packet without messages."""


class OrderPackets(wiring.Component):
    """The packets of the feeds whose packets are numbered, and what ``market.fastpath.feeds`` says of them.

    Members
    -------
    payload, length: the packet; ``length`` stable from its first beat to its last, and until the next one's.
    feed: of its channel row, right from 16 cycles (on the bus of eight bytes: from the third beat) after its first beat
        on. If it changes between ``header`` and ``accept``, the packet is ``bad_messages``.
    accept, discard: strobes, one per frame in order, at the soonest two cycles after the last beat, not while
        ``pending``, and before the first message of the next packet is complete: its operations count, or not.
    header: strobe: ``packet`` is right, from here to the next frame's first beat.
    pending: level, from the header's last byte on: ``header`` is still to come, though the packet may be over.
    bad_header: level: too short for a header, or a number that none has (BAD_MESSAGE before anything else).
    bad_messages: level: BAD_MESSAGE, after DUPLICATE.
    heartbeat: level: there are no messages.
    entries: level: operations of the packet that ``accept`` would let count.
    operations: of accepted packets, in order.
    overrun: stays set once an operation was lost, as ``TrialQueue`` says it.

    Latency: one cycle from the header's last byte to ``header``, or 16 cycles from the first byte for DERIBIT_LEGACY.
    Levels are right from two cycles after the last beat, and when ``pending`` is over, to the cycle after the next
    datagram's first beat.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "payload": In(PayloadBus(parameters)),
                "length": In(LENGTH_BITS),
                "feed": In(FEED_BITS),
                "accept": In(1),
                "discard": In(1),
                "header": Out(1),
                "pending": Out(1),
                "packet": Out(packet_layout),
                "bad_header": Out(1),
                "bad_messages": Out(1),
                "heartbeat": Out(1),
                "entries": Out(ENTRY_COUNT_BITS),
                "operations": Out(stream.Signature(operation_layout)),
                "overrun": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """What is decoded goes into the queue, and stays if the packet is of the feed that it was decoded as."""
        m = Module()
        if not self._parameters.packet_feeds:
            m.d.comb += self.bad_header.eq(1)
            return m
        m.submodules.queue = queue = OperationQueue()
        decoded_as, as_decoded, wrong = Signal.like(self.feed), Signal(), Signal()
        with m.If(self.header):
            m.d.sync += decoded_as.eq(self.feed)
        decoders = self._decoders(m)
        self._choose(m, queue, decoders)
        with m.Switch(self.feed):
            for feeds, decoder, shortest in decoders:
                with m.Case(*feeds):
                    m.d.comb += [
                        self.header.eq(decoder.header),
                        self.bad_header.eq(decoder.bad_header),
                        wrong.eq(decoder.bad_messages),
                        self.heartbeat.eq(self.length == shortest),
                        queue.put.eq(decoder.put),
                        as_decoded.eq(decoded_as == self.feed),
                    ]
            with m.Default():
                m.d.comb += self.bad_header.eq(1)
        m.d.comb += [
            self.bad_messages.eq(wrong | ~as_decoded),
            self.entries.eq(Mux(as_decoded, queue.count, 0)),
            self.overrun.eq(queue.overrun),
            queue.begin.eq(self.payload.valid & self.payload.first),
            queue.accept.eq(self.accept & as_decoded),
            queue.discard.eq(self.discard | (self.accept & ~as_decoded)),
        ]
        wiring.connect(m, wiring.flipped(self.operations), queue.kept)
        return m

    def _choose(self, m: Module, queue: OperationQueue, decoders: Sequence[_Reader]) -> None:
        """Numbers of the feed's own decoder, or of any where they do not matter: that takes nothing to choose from."""
        for feeds, decoder, _ in decoders:
            with m.If(1 if decoder is decoders[0][1] else is_any_of(self.feed, feeds)):
                m.d.comb += [self.packet.eq(decoder.packet), queue.entry.eq(decoder.operation)]
        m.d.comb += queue.entry.last_double.eq(decoders[-1][1].operation.last_double)

    def _decoders(self, m: Module) -> list[_Reader]:
        """The decoders of the build, that of doubles last."""
        built: list[_Reader] = []
        feeds = tuple(feed for feed in self._parameters.packet_feeds if feed is not Feed.DERIBIT_LEGACY)
        if feeds:
            m.submodules.orders = orders = OrderDecoder(self._parameters, feeds)
            m.d.comb += orders.form.eq(self.feed == feeds[-1] if len(feeds) > 1 else 0)
            built.append((feeds, orders, ORDER_PACKET_HEADER))
        if Feed.DERIBIT_LEGACY in self._parameters.packet_feeds:
            m.submodules.stated = stated = DeribitDecoder(self._parameters)
            m.d.comb += self.pending.eq(stated.pending)
            built.append(((Feed.DERIBIT_LEGACY,), stated, PACKET_HEADER))
        for _, decoder, _ in built:
            m.d.comb += decoder.length.eq(self.length)
            for name in ("valid", "first", "last", "data", "count"):
                m.d.comb += getattr(decoder.payload, name).eq(getattr(self.payload, name))
        return built
