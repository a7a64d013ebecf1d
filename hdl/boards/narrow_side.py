"""The least that must be at the line's own clock, for a device that is nearly full: frames in and out, in words."""

from __future__ import annotations

from typing import Final

from amaranth.hdl import Cat, Module, Value, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.boards.frame_gears import FramePacker, FrameUnpacker
from hdl.boards.line_words import OCTETS, WORDS
from hdl.boards.rgmii import RgmiiReceiver, RgmiiTransmitter, edges_layout
from hdl.records import FrameBus
from hdl.stream_stage import StreamStage

NARROW_COUNT_BITS: Final = 4
"""Of the counter of errors: what it grew by is added up at the core's clock, whose cycle has at most two errors."""


class NarrowSide(wiring.Component):
    """Receiver and transmitter in the domain ``sync``, with registers towards pads and queues, which may be far away.

    Members
    -------
    received, sent: one cycle of the lines.
    rx: what came, in words, each of them once.
    tx, tx_ready: frames to send, in words, one in two cycles at most; while a frame is sent its words have to be there.
    errors: of the line, modulo 16.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "received": In(edges_layout),
                "sent": Out(edges_layout),
                "rx": Out(FrameBus(WORDS)),
                "tx": In(FrameBus(WORDS)),
                "tx_ready": Out(1),
                "errors": Out(NARROW_COUNT_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Bytes to words, and words to bytes."""
        m = Module()
        m.submodules.receiver = receiver = RgmiiReceiver(OCTETS, NARROW_COUNT_BITS)
        m.submodules.transmitter = transmitter = RgmiiTransmitter(OCTETS)
        m.submodules.packer = packer = FramePacker(OCTETS, WORDS)
        m.submodules.unpacker = unpacker = FrameUnpacker(OCTETS, WORDS)
        wiring.connect(m, receiver.rx, packer.rx)
        wiring.connect(m, packer.packed, wiring.flipped(self.rx))
        wiring.connect(m, unpacker.tx, transmitter.tx)
        names = [name for name in self.tx.signature.members if name != "valid"]
        offered, shown = (Cat(getattr(bus, name) for name in names) for bus in (self.tx, unpacker.beats))
        m.submodules.stage = stage = StreamStage(unsigned(len(offered)))
        m.d.comb += [
            stage.before.payload.eq(offered),
            stage.before.valid.eq(self.tx.valid),
            self.tx_ready.eq(stage.before.ready),
            shown.eq(stage.after.payload),
            unpacker.beats.valid.eq(stage.after.valid),
            stage.after.ready.eq(unpacker.beats_ready),
            unpacker.tx_ready.eq(transmitter.ready),
            self.errors.eq(receiver.errors),
        ]
        m.d.sync += [
            Value.cast(receiver.line).eq(Value.cast(self.received)),
            Value.cast(self.sent).eq(Value.cast(transmitter.line)),
        ]
        return m
