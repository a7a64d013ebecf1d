"""Frames of one byte per cycle to beats of several bytes, and back."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.parameters import BYTE, BusWidth
from hdl.records import FrameBus


class FramePacker(wiring.Component):
    """Gathers the bytes of a frame in beats.

    Parameters
    ----------
    octets, beats: the buses on either side, one of one byte and one of a power of two.

    Members
    -------
    rx: frames. packed: the same, a beat in the cycle behind its last byte; bytes behind the last one are 0.
    """

    def __init__(self, octets: BusWidth, beats: BusWidth) -> None:
        self._bytes = beats.bus_bytes
        super().__init__({"rx": In(FrameBus(octets)), "packed": Out(FrameBus(beats))})

    def elaborate(self, platform: object) -> Module:
        """Each byte is written to its lane; a beat's first one clears the others."""
        m = Module()
        rx, packed = self.rx, self.packed
        lane, at, starts, octet = Signal(range(self._bytes)), Signal(range(self._bytes)), Signal(), Signal(BYTE)
        m.d.comb += [at.eq(Mux(rx.first, 0, lane)), starts.eq(at == 0), octet.eq(Mux(rx.count, rx.data, 0))]
        m.d.sync += packed.valid.eq(rx.valid & (rx.last | at.all()))
        with m.If(rx.valid):
            m.d.sync += [
                lane.eq(at + 1),
                packed.last.eq(rx.last),
                packed.error.eq(rx.error),
                packed.count.eq(at + rx.count),
            ]
            with m.If(starts):
                m.d.sync += [packed.first.eq(rx.first), packed.data.eq(octet)]
            for number in range(1, self._bytes):
                with m.If(at == number):
                    m.d.sync += packed.data.word_select(number, BYTE).eq(octet)
        return m


class FrameUnpacker(wiring.Component):
    """Gives the bytes of beats one by one.

    Parameters
    ----------
    octets, beats: as of ``FramePacker``.

    Members
    -------
    beats, beats_ready: frames of one byte or more. tx, tx_ready: the same in bytes; within a frame ``valid`` stays set
        if its beats are there in time: each before the last byte of the one before has passed.
    """

    def __init__(self, octets: BusWidth, beats: BusWidth) -> None:
        self._bytes = beats.bus_bytes
        members = {"beats": In(FrameBus(beats)), "beats_ready": Out(1), "tx": Out(FrameBus(octets)), "tx_ready": In(1)}
        super().__init__(members)

    def elaborate(self, platform: Any) -> Module:
        """A beat is shifted out; whether its byte is the last is in a register."""
        m = Module()
        beats, tx = self.beats, self.tx
        rest, left = Signal(self._bytes * BYTE), Signal(range(self._bytes + 1))
        ends_frame, in_error, ends_beat = Signal(), Signal(), Signal()
        m.d.comb += [
            tx.data.eq(rest[:BYTE]),
            tx.count.eq(1),
            tx.last.eq(ends_beat & ends_frame),
            tx.error.eq(ends_beat & ends_frame & in_error),
            self.beats_ready.eq(~tx.valid | (self.tx_ready & ends_beat)),
        ]
        with m.If(self.beats_ready):
            m.d.sync += [
                tx.valid.eq(beats.valid),
                tx.first.eq(beats.first),
                rest.eq(beats.data),
                left.eq(beats.count - 1),
                ends_beat.eq(beats.count == 1),
                ends_frame.eq(beats.last),
                in_error.eq(beats.error),
            ]
        with m.Elif(self.tx_ready):
            m.d.sync += [tx.first.eq(0), rest.eq(rest >> BYTE), left.eq(left - 1), ends_beat.eq(left == 1)]
        return m
