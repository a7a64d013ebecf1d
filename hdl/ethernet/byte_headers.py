"""Reads the headers of a frame, one byte per cycle."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring

from hdl.ethernet.check_sequence import GOOD_REMAINDER, INITIAL_REMAINDER, next_remainder
from hdl.ethernet.headers import (
    ETHERTYPE_IPV4,
    ETHERTYPE_TAG,
    FIRST_BYTE,
    HEADER_BYTES,
    PACKET_AT,
    PAYLOAD_AT,
    PROTOCOL_UDP,
    UDP_HEADER_BYTES,
    reader_members,
)
from hdl.ethernet.running_sum import RunningSum
from hdl.parameters import CoreParameters
from hdl.records import LENGTH_BITS

_POSITION_BITS: Final = 11
_TYPE_END: Final = PACKET_AT - 1
_TAG_BYTES: Final = 4
_ADDRESSES_AT: Final = 12
_CHECKSUM_AT: Final = HEADER_BYTES + 6


class ByteHeaders(wiring.Component):
    """Reader of headers for the 8-bit bus; ``report.ended`` is in the cycle after the beat of ``last``.

    Every frame must have its ``last``: the beat behind it is taken for the next one's first.

    A tag is read as if the four bytes before its ethertype had come twice: ``position`` goes back by four.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        super().__init__(reader_members(parameters))

    def elaborate(self, platform: object) -> Module:
        """Each field has its strobe, a comparison of the position."""
        m = Module()
        rx, report = self.rx, self.report
        position, taken, tagged, self._fresh = Signal(_POSITION_BITS), Signal(), Signal(), Signal(init=1)
        before = Signal(24)
        m.d.comb += taken.eq(rx.valid & (rx.count != 0))
        is_tag = Cat(rx.data, before[:8]) == ETHERTYPE_TAG
        m.d.sync += report.ended.eq(rx.valid & rx.last)
        with m.If(taken):
            m.d.sync += [
                before.eq(Cat(rx.data, before)),
                position.eq(Mux(position.all(), position, position + 1)),
            ]
            with m.If((position == _TYPE_END) & is_tag & ~tagged):
                m.d.sync += [position.eq(_TYPE_END + 1 - _TAG_BYTES), tagged.eq(1)]
        with m.If(rx.valid):
            m.d.sync += [self._fresh.eq(rx.last), report.size.eq(position + taken)]
            with m.If(position.all()):
                m.d.sync += report.size.eq(position)
            with m.If(rx.last):
                m.d.sync += [position.eq(0), tagged.eq(0)]
        self._check_sequence(m, taken)
        self._fields(m, position, taken, before)
        self._payload(m, position, taken)
        self._sums(m, position, taken)
        return m

    def _check_sequence(self, m: Module, taken: Signal) -> None:
        remainder, in_error = Signal(32), Signal()
        with m.If(self.rx.valid & self._fresh):
            m.d.sync += remainder.eq(INITIAL_REMAINDER)
        with m.If(taken):
            known = Mux(self._fresh, INITIAL_REMAINDER, remainder)
            m.d.sync += remainder.eq(next_remainder(known, self.rx.data))
        with m.If(self.rx.valid):
            m.d.sync += in_error.eq(self.rx.error)
        m.d.comb += self.report.check_sequence_good.eq((remainder == GOOD_REMAINDER) & ~in_error)

    def _fields(self, m: Module, at: Signal, taken: Signal, before: Signal) -> None:
        data, report = self.rx.data, self.report
        pair = Cat(data, before[:8])
        fields: dict[int, list[Any]] = {
            -1: [report.is_ipv4.eq(pair == ETHERTYPE_IPV4)],
            0: [report.plain_header.eq(data == FIRST_BYTE)],
            3: [report.total_length.eq(pair)],
            7: [report.whole.eq(pair[:14] == 0)],
            9: [report.is_udp.eq(data == PROTOCOL_UDP)],
            19: [self.address.eq(Cat(data, before))],
            25: [report.udp_length.eq(pair), self.length.eq((pair - UDP_HEADER_BYTES)[:LENGTH_BITS])],
        }
        m.d.sync += self.header.eq(0)
        with m.If(taken), m.Switch(at):
            for packet_byte, assignments in fields.items():
                with m.Case(PACKET_AT + packet_byte):
                    m.d.sync += assignments
        with m.If(taken & (at == PACKET_AT + 25)):
            m.d.sync += self.header.eq(1)
        m.d.comb += [self.port.eq(pair), self.lookup.eq(taken & (at == PACKET_AT + 23))]

    def _payload(self, m: Module, at: Signal, taken: Signal) -> None:
        payload, remaining, inside, begun = self.payload, Signal(LENGTH_BITS), Signal(), Signal()
        # what a beat needs to know of the position is worked out behind the one before it
        some_left, one_left, ends = Signal(), Signal(), Signal()
        m.d.comb += [
            ends.eq(self.rx.valid & self.rx.last),
            payload.valid.eq(taken & inside & some_left),
            payload.first.eq(~begun),
            payload.last.eq(one_left),
            payload.data.eq(self.rx.data),
            payload.count.eq(1),
        ]
        with m.If(taken):
            m.d.sync += inside.eq(at >= PACKET_AT + PAYLOAD_AT - 1)
        with m.If(self.header):
            m.d.sync += [remaining.eq(self.length), some_left.eq(self.length != 0), one_left.eq(self.length == 1)]
        with m.Elif(payload.valid):
            m.d.sync += [remaining.eq(remaining - 1), some_left.eq(~one_left), one_left.eq(remaining == 2), begun.eq(1)]
        with m.If(ends):
            m.d.sync += [inside.eq(0), some_left.eq(0), begun.eq(0)]

    def _sums(self, m: Module, at: Signal, taken: Signal) -> None:
        """Header and UDP sums; bytes behind what they cover count as 0 and finish the last carry.

        In the pseudo header the total length stands for the UDP length: where they do not fit, the frame is bad
        whatever its sum is.
        """
        m.submodules.header_sum = header_sum = RunningSum()
        m.submodules.payload_sum = payload_sum = RunningSum()
        octet, report = self.rx.data, self.report
        starts_header, starts_payload = Signal(), Signal()
        in_header, in_udp_header, summing = Signal(), Signal(), Signal()
        upper_absent, absent = Signal(), Signal()
        more = taken & ~self._fresh
        m.d.comb += [
            starts_header.eq(more & (at == PACKET_AT - 1)),
            starts_payload.eq(more & (at == PACKET_AT + _ADDRESSES_AT - 1)),
        ]
        with m.If(self.rx.valid & self._fresh):
            m.d.sync += [in_header.eq(0), in_udp_header.eq(0), summing.eq(0)]
        with m.If(starts_header):
            m.d.sync += in_header.eq(1)
        with m.Elif(more & (at == PACKET_AT + HEADER_BYTES - 1)):
            m.d.sync += in_header.eq(0)
        with m.If(starts_payload):
            m.d.sync += [in_udp_header.eq(1), summing.eq(1)]
        with m.Elif(more & (at == PACKET_AT + PAYLOAD_AT - 1)):
            m.d.sync += in_udp_header.eq(0)
        with m.If(more & (at == PACKET_AT + _CHECKSUM_AT)):
            m.d.sync += upper_absent.eq(octet == 0)
        with m.If(more & (at == PACKET_AT + _CHECKSUM_AT + 1)):
            m.d.sync += absent.eq(upper_absent & (octet == 0))
        # a cycle late: at least the check sequence comes behind all that is added
        m.d.sync += [
            header_sum.start.eq(starts_header),
            header_sum.add.eq(more & (in_header | summing)),
            header_sum.octet.eq(Mux(in_header, octet, 0)),
            payload_sum.start.eq(starts_payload),
            payload_sum.initial.eq(report.total_length),
            payload_sum.add.eq(more & summing),
            payload_sum.octet.eq(Mux(in_udp_header | self.payload.valid, octet, 0)),
        ]
        m.d.comb += [
            report.header_sum_good.eq(header_sum.total.all()),
            report.payload_sum_good.eq(absent | (payload_sum.total == HEADER_BYTES - PROTOCOL_UDP)),
        ]
