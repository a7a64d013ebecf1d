"""Reads the headers of a frame, eight bytes per cycle."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring

from hdl.ethernet.check_sequence import INITIAL_REMAINDER, REMAINDER_BITS, good_remainder, next_remainder
from hdl.ethernet.headers import (
    ETHERTYPE_IPV4,
    ETHERTYPE_TAG,
    FIRST_BYTE,
    HEADER_BYTES,
    PROTOCOL_UDP,
    SIZE_BITS,
    UDP_HEADER_BYTES,
    reader_members,
)
from hdl.parameters import BYTE, CoreParameters
from hdl.records import LENGTH_BITS

_BEAT_BYTES: Final = 8
_LAST_BEAT: Final = 255
"""Beats are counted up to here."""
_TAG_BEAT: Final = 1
_HEADER_BEATS: Final = 4
"""Aligned words before the payload; the first is complete with beat 2."""
_SWAPPED_PSEUDO_REST: Final = (PROTOCOL_UDP - HEADER_BYTES) * 256 % 65_535
"""What the pseudo header holds beside addresses and length, with the total length for the UDP length; bytes swapped."""


def _big_endian(octets: Any) -> Any:
    return Cat(*(octets[at : at + 8] for at in reversed(range(0, len(octets), 8))))


def _is_multiple_of_65535(folded: Any) -> Any:
    """Whether a sum, folded once and not 0, is one; three words of 16 bits at most were added."""
    return (folded == 65_535) | (folded == 2 * 65_535)


class WordHeaders(wiring.Component):
    """Reader of headers for the 64-bit bus; ``report.ended`` comes two cycles after the beat of ``last``.

    A frame is read as words of eight bytes that are aligned to its payload. Word 0 is complete with beat 2: bytes
    2 to 3 are the ethertype, with or without a tag, and 4 to 7 begin the packet. Word 1 has packet bytes 4 to 11,
    word 2 bytes 12 to 19, word 3 bytes 20 to 27, and the payload begins with word 4. Sums are made of words as they
    lie in memory, the bytes of each pair swapped; that makes no difference to whether they are complete.

    The beat that completes a word has two bytes more, behind a tag's four, or six.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._ahead_bits = BYTE * parameters.ahead_bytes
        super().__init__(reader_members(parameters))

    def elaborate(self, platform: object) -> Module:
        """Aligns, then reads each field from its place."""
        m = Module()
        rx = self.rx
        beat, at, tagged = Signal(range(_LAST_BEAT + 1)), Signal(range(_LAST_BEAT + 1)), Signal()
        before, word = Signal(64), Signal(64)
        m.d.comb += [
            at.eq(Mux(rx.first, 0, beat)),
            word.eq(Mux(tagged, Cat(before[48:], rx.data[:48]), Cat(before[16:], rx.data[:16]))),
        ]
        with m.If(rx.valid):
            m.d.sync += [beat.eq(Mux(at == _LAST_BEAT, at, at + 1)), before.eq(rx.data)]
            with m.If(at == _TAG_BEAT):
                m.d.sync += tagged.eq(_big_endian(rx.data[32:48]) == ETHERTYPE_TAG)
        word_strobes = [Signal(name=f"word_{number}") for number in range(_HEADER_BEATS)]
        m.d.comb += [strobe.eq(rx.valid & (at == number + 2)) for number, strobe in enumerate(word_strobes)]

        if self._ahead_bits:
            m.d.comb += self.ahead.eq(Mux(tagged, rx.data[48:], rx.data[16 : 16 + self._ahead_bits]))
        self._fields(m, word_strobes, word)
        self._payload(m, word_strobes[-1], word, tagged)
        self._sums(m, word_strobes, word)
        self._end(m, at, tagged)
        self._check_sequence(m)
        return m

    def _fields(self, m: Module, word_strobes: list[Signal], word: Signal) -> None:
        report = self.report
        octets = [word[8 * at : 8 * at + 8] for at in range(_BEAT_BYTES)]
        udp_length = _big_endian(word[32:48])
        fields: list[list[Any]] = [
            [
                report.is_ipv4.eq(_big_endian(word[16:32]) == ETHERTYPE_IPV4),
                report.plain_header.eq(octets[4] == FIRST_BYTE),
                report.total_length.eq(_big_endian(word[48:])),
            ],
            [
                report.whole.eq((octets[2][:6] == 0) & (octets[3] == 0)),
                report.is_udp.eq(octets[5] == PROTOCOL_UDP),
            ],
            [self.address.eq(_big_endian(word[32:]))],
            [report.udp_length.eq(udp_length), self.length.eq((udp_length - UDP_HEADER_BYTES)[:LENGTH_BITS])],
        ]
        for strobe, assignments in zip(word_strobes, fields, strict=True):
            with m.If(strobe):
                m.d.sync += assignments
        m.d.sync += self.header.eq(word_strobes[-1])
        m.d.comb += [self.lookup.eq(word_strobes[-1]), self.port.eq(_big_endian(word[16:32]))]

    def _payload(self, m: Module, udp_header: Signal, word: Signal, tagged: Signal) -> None:
        """Payload words; a rest that the last beat completes before the word is full comes in the cycle after."""
        rx, payload = self.rx, self.payload
        remaining, inside, begun, ended = Signal(LENGTH_BITS), Signal(), Signal(), Signal()
        rest, full = Signal(), Signal()
        m.d.sync += ended.eq(rx.valid & rx.last)
        m.d.comb += [
            rest.eq(ended & ~tagged & (remaining[2:] == 0)),
            full.eq(remaining[3:] != 0),
            payload.valid.eq(inside & (remaining != 0) & (rest | (rx.valid & ~rx.first))),
            payload.first.eq(~begun),
            payload.last.eq(~full | (remaining == _BEAT_BYTES)),
            payload.data.eq(word),
            payload.count.eq(Mux(full, _BEAT_BYTES, remaining[:3])),
        ]
        with m.If(payload.valid):
            m.d.sync += [remaining.eq(Mux(full, remaining - _BEAT_BYTES, 0)), begun.eq(1)]
        with m.If(rx.valid & rx.first):
            m.d.sync += inside.eq(0)
        with m.Elif(udp_header):
            m.d.sync += [
                remaining.eq((_big_endian(word[32:48]) - UDP_HEADER_BYTES)[:LENGTH_BITS]),
                inside.eq(1),
                begun.eq(0),
            ]

    def _sums(self, m: Module, word_strobes: list[Signal], word: Signal) -> None:
        """Header and UDP sums in two stages: pairs of 16-bit words, then the sums of all."""
        report, payload = self.report, self.payload
        masked = Signal(64)
        low, high = Signal(17), Signal(17)
        stage = [Signal(name=f"summed_{number}") for number in range(_HEADER_BEATS)]
        payload_stage = Signal()
        kept = [~payload.valid | (payload.count > at) for at in range(_BEAT_BYTES)]
        m.d.comb += masked.eq(Cat(*(word[8 * at : 8 * at + 8] & kept[at].replicate(8) for at in range(_BEAT_BYTES))))
        first, second, third, fourth = (masked[at : at + 16] for at in range(0, 64, 16))
        m.d.sync += [summed.eq(strobe) for summed, strobe in zip(stage, word_strobes, strict=True)]
        m.d.sync += payload_stage.eq(payload.valid)
        with m.If(payload.valid | Cat(*word_strobes).any()):
            m.d.sync += [low.eq(first + second), high.eq(third + fourth)]

        header_sum, header_folded = Signal(20), Signal(17)
        udp_sum, udp_folded = Signal(26), Signal(18)
        pair = Signal(18)
        m.d.comb += pair.eq(low + high)
        with m.If(stage[0]):
            m.d.sync += header_sum.eq(high)
        with m.Elif(stage[1] | stage[2]):
            m.d.sync += header_sum.eq(header_sum + pair)
        with m.If(stage[1]):
            m.d.sync += udp_sum.eq(_big_endian(report.total_length) + Const(_SWAPPED_PSEUDO_REST, 16))
        with m.Elif(stage[2] | stage[3] | payload_stage):
            m.d.sync += udp_sum.eq(udp_sum + pair)
        absent = Signal()
        with m.If(word_strobes[-1]):
            m.d.sync += absent.eq(word[48:] == 0)
        with m.If(report.ended):
            m.d.sync += [
                header_folded.eq(header_sum[:16] + header_sum[16:]),
                # a rest of the payload is still in the first stage
                udp_folded.eq(udp_sum[:16] + udp_sum[16:] + Mux(payload_stage, low, 0)),
            ]
        m.d.comb += [
            report.header_sum_good.eq(_is_multiple_of_65535(header_folded)),
            report.payload_sum_good.eq(absent | _is_multiple_of_65535(udp_folded)),
        ]

    def _end(self, m: Module, at: Signal, tagged: Signal) -> None:
        """The size, and then the size without a tag."""
        rx, report = self.rx, self.report
        ended, size = Signal(), Signal(SIZE_BITS)
        has_tag = Signal()
        m.d.comb += has_tag.eq(tagged & (size > (_TAG_BEAT + 1) * _BEAT_BYTES))
        m.d.sync += [
            ended.eq(rx.valid & rx.last),
            report.ended.eq(ended),
            report.size.eq(size - Cat(Const(0, 2), has_tag)),
        ]
        with m.If(rx.valid & rx.last):
            m.d.sync += size.eq(at * _BEAT_BYTES + rx.count)

    def _check_sequence(self, m: Module) -> None:
        """Bytes behind the last one count as 0, and the remainder that a good frame ends in is that of so many."""
        rx = self.rx
        octets, remainder, expected = Signal(64), Signal(REMAINDER_BITS), Signal(REMAINDER_BITS)
        valid, first, missing, in_error = Signal(), Signal(), Signal(range(_BEAT_BYTES + 1)), Signal()
        m.d.sync += valid.eq(rx.valid)
        with m.If(rx.valid):
            kept = [(rx.count > at).replicate(8) for at in range(_BEAT_BYTES)]
            m.d.sync += [
                octets.eq(Cat(*(rx.data[8 * at : 8 * at + 8] & kept[at] for at in range(_BEAT_BYTES)))),
                first.eq(rx.first),
                missing.eq(_BEAT_BYTES - rx.count),
                in_error.eq(rx.error),
            ]
        with m.If(valid):
            m.d.sync += [
                remainder.eq(next_remainder(Mux(first, INITIAL_REMAINDER, remainder), octets)),
                expected.eq(Array([Const(good_remainder(n), 32) for n in range(_BEAT_BYTES + 1)])[missing]),
            ]
        failed = Signal()
        m.d.sync += failed.eq(in_error)
        m.d.comb += self.report.check_sequence_good.eq((remainder == expected) & ~failed)
