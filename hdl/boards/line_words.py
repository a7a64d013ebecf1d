"""Words of four bytes between a narrow line's side and a core with a bus of eight, and what joins and parts them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.parameters import BYTE
from hdl.records import FrameBus

WORD_BYTES: Final = 4
"""Half a beat of the core."""
_WORD_BITS: Final = WORD_BYTES * BYTE
_BEAT_BYTES: Final = 2 * WORD_BYTES


@dataclass(frozen=True, slots=True)
class _Bus:
    """The width of a frame bus."""

    bus_bytes: int

    @property
    def bus_bits(self) -> int:
        return self.bus_bytes * BYTE


WORDS: Final = _Bus(WORD_BYTES)
BEATS: Final = _Bus(_BEAT_BYTES)
OCTETS: Final = _Bus(1)


class WordJoiner(wiring.Component):
    """Gathers the words of a frame in beats of two.

    Members
    -------
    words: frames; bytes behind the last one are 0. beats: the same, a beat in the cycle behind its last word.
    """

    def __init__(self) -> None:
        super().__init__({"words": In(FrameBus(WORDS)), "beats": Out(FrameBus(BEATS))})

    def elaborate(self, platform: object) -> Module:
        """A beat's first word clears the other half."""
        m = Module()
        words, beats = self.words, self.beats
        half_done, is_upper = Signal(), Signal()
        m.d.comb += is_upper.eq(half_done & ~words.first)
        m.d.sync += beats.valid.eq(words.valid & (is_upper | words.last))
        with m.If(words.valid):
            m.d.sync += [
                half_done.eq(~is_upper & ~words.last),
                beats.last.eq(words.last),
                beats.error.eq(words.error),
                beats.count.eq(Mux(is_upper, WORD_BYTES, 0) + words.count),
            ]
            with m.If(is_upper):
                m.d.sync += beats.data[_WORD_BITS:].eq(words.data)
            with m.Else():
                m.d.sync += [beats.data.eq(words.data), beats.first.eq(words.first)]
        return m


class WordSplitter(wiring.Component):
    """Gives the words of beats one by one.

    Members
    -------
    beats, beats_ready: frames of one byte or more; a beat stays until it is taken.
    words, words_ready: the same in words, in the same cycle; within a frame ``valid`` stays set if that of beats does.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "beats": In(FrameBus(BEATS)),
                "beats_ready": Out(1),
                "words": Out(FrameBus(WORDS)),
                "words_ready": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Only which half it is has a register."""
        m = Module()
        beats, words = self.beats, self.words
        is_upper, ends, has_upper = Signal(), Signal(), Signal()
        m.d.comb += [
            has_upper.eq(beats.count > WORD_BYTES),
            ends.eq(is_upper | ~has_upper),
            words.valid.eq(beats.valid),
            words.first.eq(beats.first & ~is_upper),
            words.last.eq(beats.last & ends),
            words.error.eq(beats.error & ends),
            words.data.eq(Mux(is_upper, beats.data[_WORD_BITS:], beats.data[:_WORD_BITS])),
            words.count.eq(Mux(ends, _rest(beats.count), WORD_BYTES)),
            self.beats_ready.eq(self.words_ready & ends),
        ]
        with m.If(beats.valid & self.words_ready):
            m.d.sync += is_upper.eq(~ends)
        return m


def _rest(count: Any) -> Any:
    """Bytes of a beat's last word, 1 to 4, of those of the beat, 1 to 8."""
    return Cat(count[:2], count[:2] == 0)
