"""What is at the line's own clock, a byte per cycle, when the core is not: frames in and out, control messages, ARP."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.boards.frame_gears import FramePacker, FrameUnpacker
from hdl.boards.network import BoardNetwork
from hdl.boards.rgmii import ERROR_COUNT_BITS, RgmiiReceiver, RgmiiTransmitter, edges_layout
from hdl.egress.latency import COUNT_BITS
from hdl.ethernet.arp import ArpResponder
from hdl.ethernet.frame_merger import FrameMerger
from hdl.ethernet.inbox import Inbox
from hdl.octet_stream import octet_stream
from hdl.parameters import CoreParameters
from hdl.records import FrameBus


class LineSide(wiring.Component):
    """Receiver, transmitter, inbox of control messages and ARP, all in the domain ``sync``.

    Parameters
    ----------
    network: addresses. beats: the build of the core on the other side.

    Members
    -------
    received, sent: one cycle of the lines.
    rx: what came, in beats of the core, each of them once.
    tx, tx_ready: frames to send, in beats; while a frame is sent its beats have to be there.
    octets: sealed control messages. control_lost: how many found no room. errors: of the line.
    """

    def __init__(self, network: BoardNetwork, beats: CoreParameters) -> None:
        self._network, self._beats = network, beats
        self._octets = CoreParameters(beats.capacity, bus_bytes=1, feeds=beats.feeds)
        super().__init__(
            {
                "received": In(edges_layout),
                "sent": Out(edges_layout),
                "rx": Out(FrameBus(beats)),
                "tx": In(FrameBus(beats)),
                "tx_ready": Out(1),
                "octets": Out(octet_stream()),
                "control_lost": Out(COUNT_BITS),
                "errors": Out(ERROR_COUNT_BITS),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """Frames that come go three ways; those of the core leave before answers to ARP."""
        m = Module()
        octets, network = self._octets, self._network
        m.submodules.receiver = receiver = RgmiiReceiver(octets)
        m.submodules.transmitter = transmitter = RgmiiTransmitter(octets)
        m.submodules.packer = packer = FramePacker(octets, self._beats)
        m.submodules.unpacker = unpacker = FrameUnpacker(octets, self._beats)
        m.submodules.inbox = inbox = Inbox(octets)
        for name in receiver.rx.signature.members:
            m.d.comb += [getattr(taker.rx, name).eq(getattr(receiver.rx, name)) for taker in (packer, inbox)]
        wiring.connect(m, packer.packed, wiring.flipped(self.rx))
        wiring.connect(m, wiring.flipped(self.tx), unpacker.beats)
        m.d.comb += self.tx_ready.eq(unpacker.beats_ready)
        self._answer_arp(m, receiver, unpacker, transmitter)
        wiring.connect(m, inbox.octets, wiring.flipped(self.octets))
        m.d.comb += [
            receiver.line.eq(self.received),
            self.sent.eq(transmitter.line),
            inbox.address.eq(int(network.address)),
            inbox.port.eq(network.control_port),
            self.errors.eq(receiver.errors),
        ]
        # the counter is wide and may be far from the verdict that it counts
        lost = Signal()
        m.d.sync += [lost.eq(inbox.lost), self.control_lost.eq(self.control_lost + lost)]
        return m

    def _answer_arp(self, m: Module, receiver: Any, unpacker: Any, transmitter: Any) -> None:
        """Answers between the frames of the core."""
        m.submodules.arp = arp = ArpResponder(self._octets)
        m.submodules.frames = frames = FrameMerger(self._octets)
        for name in receiver.rx.signature.members:
            m.d.comb += getattr(arp.rx, name).eq(getattr(receiver.rx, name))
        wiring.connect(m, unpacker.tx, frames.first)
        wiring.connect(m, arp.tx, frames.other)
        wiring.connect(m, frames.merged, transmitter.tx)
        m.d.comb += [
            frames.ready.eq(transmitter.ready),
            unpacker.tx_ready.eq(frames.first_ready),
            arp.tx_ready.eq(frames.other_ready),
            arp.address.eq(int(self._network.address)),
            arp.link.eq(self._network.link),
        ]
