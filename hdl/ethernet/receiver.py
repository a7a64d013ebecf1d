"""The way in: from a frame to its UDP payload and the verdict over it, for both widths of bus."""

from __future__ import annotations

from typing import Final

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.ethernet.byte_headers import ByteHeaders
from hdl.ethernet.verdict import FrameVerdict
from hdl.ethernet.word_headers import WordHeaders
from hdl.parameters import CoreParameters
from hdl.records import DROP_BITS, LENGTH_BITS, FrameBus, PayloadBus, ahead_members

VERDICT_CYCLES: Final = {1: 2, 8: 3}
"""Cycles from the beat of ``last`` to ``end``, by the bytes of the bus."""


class FrameReceiver(wiring.Component):
    """Reads Ethernet frames with at most one 802.1Q tag, IPv4 without options, UDP; rules 40 to 44 of the fast loop.

    Parameters
    ----------
    parameters: the build; its bus width chooses the reading of the headers.

    Members
    -------
    rx: frames; they may follow each other without an idle cycle.
    begin: strobe in the cycle of a frame's first beat.
    payload: UDP payload, in the cycle of the beat that completes it, or one later for a rest after the last beat.
    ahead: of a paced core, with a full beat of ``payload``: the ``AHEAD_BYTES`` behind it, of the payload or not.
    lookup: strobe: ``address`` and ``port`` are the destination, in this cycle only. Comes in the cycle of the
        port's last byte, for frames that are dropped later, too.
    found: whether that destination is ours; looked at with ``end``.
    header: strobe: ``length``, the payload's bytes, is there, and stays until the next frame's ``header``. In the
        cycle after the UDP length's (8 bytes: after the UDP header's) beat.
    end: strobe, ``VERDICT_CYCLES`` after the beat of ``last``, for every frame in order.
    drop: with ``end``: a ``Drop``, 0 for a good frame.
    drop_when_found, drop_when_unknown: with ``end``, ``drop`` as it would be with ``found`` set and cleared.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "rx": In(FrameBus(parameters)),
                "begin": Out(1),
                "payload": Out(PayloadBus(parameters)),
                **ahead_members(Out, parameters.ahead_bytes),
                "lookup": Out(1),
                "address": Out(32),
                "port": Out(16),
                "found": In(1),
                "header": Out(1),
                "length": Out(LENGTH_BITS),
                "end": Out(1),
                "drop": Out(DROP_BITS),
                "drop_when_found": Out(DROP_BITS),
                "drop_when_unknown": Out(DROP_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Headers of one width or the other, one verdict."""
        m = Module()
        m.submodules.headers = headers = (
            ByteHeaders(self._parameters) if self._parameters.bus_bytes == 1 else WordHeaders(self._parameters)
        )
        m.submodules.verdict = verdict = FrameVerdict()
        wiring.connect(m, wiring.flipped(self.rx), headers.rx)
        wiring.connect(m, headers.payload, wiring.flipped(self.payload))
        wiring.connect(m, headers.report, verdict.report)
        if self._parameters.ahead_bytes:
            m.d.comb += self.ahead.eq(headers.ahead)
        m.d.comb += [
            self.begin.eq(self.rx.valid & self.rx.first),
            self.lookup.eq(headers.lookup),
            self.address.eq(headers.address),
            self.port.eq(headers.port),
            self.header.eq(headers.header),
            self.length.eq(headers.length),
            verdict.found.eq(self.found),
            self.end.eq(verdict.end),
            self.drop.eq(verdict.drop),
            self.drop_when_found.eq(verdict.drop_when_found),
            self.drop_when_unknown.eq(verdict.drop_when_unknown),
        ]
        return m
