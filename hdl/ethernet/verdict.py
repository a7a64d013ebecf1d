"""Why a frame is dropped: the checks of a frame, taken in their order at its end."""

from __future__ import annotations

from typing import Final

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.ethernet.headers import HEADER_BYTES, PACKET_AT, PAYLOAD_AT, HeaderReport
from hdl.records import DROP_BITS, Drop

LONGEST_PACKET: Final = 1_500
_AROUND_PACKET: Final = PACKET_AT + 4
"""Bytes of a frame that are not of its packet: before it, and the check sequence."""


class FrameVerdict(wiring.Component):
    """The verdict over a frame, in the cycle after its report.

    Members
    -------
    report: the frame at its end.
    found: whether its destination is ours, in the cycle of ``end``.
    end: strobe, in the cycle after ``report.ended``.
    drop: with ``end``: the first check that failed, a ``Drop``.
    drop_when_found, drop_when_unknown: with ``end``, ``drop`` as it would be with ``found`` set and cleared.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "report": In(HeaderReport()),
                "found": In(1),
                "end": Out(1),
                "drop": Out(DROP_BITS),
                "drop_when_found": Out(DROP_BITS),
                "drop_when_unknown": Out(DROP_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Comparisons in the cycle of the report, their order in the next."""
        m = Module()
        report, total = self.report, self.report.total_length
        bad_sequence, not_ours, no_header = Signal(), Signal(), Signal()
        not_udp, no_port, bad_header, bad_udp = Signal(), Signal(), Signal(), Signal()
        m.d.sync += self.end.eq(report.ended)
        with m.If(report.ended):
            m.d.sync += [
                bad_sequence.eq(~report.check_sequence_good),
                not_ours.eq((report.size < _AROUND_PACKET) | ~report.is_ipv4),
                no_header.eq(report.size < _AROUND_PACKET + HEADER_BYTES),
                not_udp.eq(~report.is_udp),
                no_port.eq(report.size < _AROUND_PACKET + PAYLOAD_AT),
                bad_header.eq(
                    ~(report.plain_header & report.whole)
                    | (total < HEADER_BYTES)
                    | (total > LONGEST_PACKET)
                    | (total + _AROUND_PACKET > report.size)
                ),
                bad_udp.eq((total < PAYLOAD_AT) | (report.udp_length + HEADER_BYTES != total)),
            ]
        found, unknown = self.drop_when_found, self.drop_when_unknown
        behind_port = Signal(DROP_BITS)
        with m.If(bad_header | ~report.header_sum_good):
            m.d.comb += behind_port.eq(Drop.BAD_IP)
        with m.Elif(no_port | bad_udp | ~report.payload_sum_good):
            m.d.comb += behind_port.eq(Drop.BAD_UDP)
        with m.If(bad_sequence):
            m.d.comb += [found.eq(Drop.BAD_FCS), unknown.eq(Drop.BAD_FCS)]
        with m.Elif(~not_ours & no_header):
            m.d.comb += [found.eq(Drop.BAD_IP), unknown.eq(Drop.BAD_IP)]
        with m.Elif(not_ours | not_udp):
            m.d.comb += [found.eq(Drop.NOT_OURS), unknown.eq(Drop.NOT_OURS)]
        with m.Else():
            m.d.comb += [found.eq(behind_port), unknown.eq(Mux(no_port, behind_port, Drop.NOT_OURS))]
        m.d.comb += self.drop.eq(Mux(self.found, found, unknown))
        return m
