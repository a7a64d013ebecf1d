"""Packets of numbered messages to operations, whatever their feed."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.books.records import ENTRY_COUNT_BITS, operation_layout, packet_layout
from hdl.feeds.operation_queue import OperationQueue
from hdl.feeds.order_decoder import ORDER_FEEDS, PACKET_HEADER, OrderDecoder
from hdl.parameters import CoreParameters
from hdl.records import FEED_BITS, LENGTH_BITS, PayloadBus
from hdl.sbe.packet import is_any_of


class OrderPackets(wiring.Component):
    """The packets of STARBASE and COINBASE_DERIVATIVES, and what ``market.fastpath.feeds`` says of them.

    Members
    -------
    payload, length: the packet; ``length`` stable from its first beat to its last, and until the next one's.
    feed: of its channel row, right from the 17th byte (on the bus of eight bytes: from the third beat) on. If it
        changes between the packet header and ``accept``, the packet is ``bad_messages``.
    accept, discard: strobes, one per frame in order, at the soonest two cycles after the last beat, and before the
        first message of the next packet is complete (40 bytes): its operations count, or not.
    header: strobe: ``packet`` is right, from here to the next frame's first beat.
    bad_header: level: too short for a header, or a number that none has (BAD_MESSAGE before anything else).
    bad_messages: level: BAD_MESSAGE, after DUPLICATE.
    heartbeat: level: there are no messages.
    entries: level: operations of the packet that ``accept`` would let count.
    operations: of accepted packets, in order.
    overrun: stays set once an operation was lost, as ``TrialQueue`` says it.

    Latency: one cycle from the header's last byte to ``header``; levels are right from two cycles after the last beat
    to the cycle after the next datagram's first.
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
        feeds = tuple(feed for feed in self._parameters.packet_feeds if feed in {one.feed for one in ORDER_FEEDS})
        if not feeds:
            m.d.comb += self.bad_header.eq(1)
            return m
        m.submodules.decoder = decoder = OrderDecoder(self._parameters, feeds)
        m.submodules.queue = queue = OperationQueue()
        decoded_as, as_decoded = Signal.like(self.feed), Signal()
        is_ours = is_any_of(self.feed, feeds)
        with m.If(self.header):
            m.d.sync += decoded_as.eq(self.feed)
        m.d.comb += [
            decoder.length.eq(self.length),
            decoder.form.eq(self.feed == feeds[-1] if len(feeds) > 1 else 0),
            self.header.eq(decoder.header & is_ours),
            self.packet.eq(decoder.packet),
            self.bad_header.eq(decoder.bad_header | ~is_ours),
            self.bad_messages.eq(decoder.bad_messages | ~as_decoded),
            self.heartbeat.eq(self.length == PACKET_HEADER),
            self.entries.eq(Mux(as_decoded, queue.count, 0)),
            self.overrun.eq(queue.overrun),
            as_decoded.eq(is_ours & (decoded_as == self.feed)),
            queue.begin.eq(self.payload.valid & self.payload.first),
            queue.put.eq(decoder.put & is_ours),
            queue.entry.eq(decoder.operation),
            queue.accept.eq(self.accept & as_decoded),
            queue.discard.eq(self.discard | (self.accept & ~as_decoded)),
        ]
        wiring.connect(m, wiring.flipped(self.payload), decoder.payload)
        wiring.connect(m, wiring.flipped(self.operations), queue.kept)
        return m
