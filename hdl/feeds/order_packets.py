"""Packets of numbered messages to operations, whatever their feed."""

from __future__ import annotations

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.books.records import ENTRY_COUNT_BITS, operation_layout, packet_layout
from hdl.feeds.operation_queue import OperationQueue
from hdl.parameters import CoreParameters
from hdl.records import FEED_BITS, LENGTH_BITS, PayloadBus


class OrderPackets(wiring.Component):
    """The packets of STARBASE and COINBASE_DERIVATIVES, and what ``market.fastpath.feeds`` says of them.

    Members
    -------
    payload, length: the packet; ``length`` stable from its first beat to its last, and until the next one's.
    feed: of its channel row, right from the 17th byte (on the bus of eight bytes: from the third beat) on.
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
        """What is decoded goes into the queue."""
        m = Module()
        m.submodules.queue = queue = OperationQueue()
        m.d.comb += self.bad_header.eq(1)
        wiring.connect(m, wiring.flipped(self.operations), queue.kept)
        return m
