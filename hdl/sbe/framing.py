"""Where packet header and messages begin and end, in packets whose messages count their own length in words."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.records import LENGTH_BITS, WORD_BITS
from hdl.sbe.places import Place
from hdl.sbe.words import WORD_BYTES, WordBus

WORD_SHIFT: Final = WORD_BYTES.bit_length() - 1


class PacketFraming(wiring.Component):
    """Counts the words of a packet.

    Parameters
    ----------
    packet_words: of the packet header, two at least.
    message_words: words of a message to be told of, two at least.
    length: place of a message's length, in its first word.

    Members
    -------
    words: the packet.
    packet_word, message_word: strobes: this word of the packet header, or of a message, is on the bus.
    header: strobe, one cycle after the last word of the packet header.
    judge: strobe, one cycle after the first word of a message; ``first_word`` is that word, to the cycle after the
        message's last one.
    ends: strobe: the word on the bus is the last of a message. Messages have two words at least.
    closed: level, from the cycle after the last word to the cycle after the next packet's first: the packet ended
        with a message or with its header.

    Whether a length is one that a message can have is not looked at.
    """

    def __init__(self, *, packet_words: int, message_words: int, length: Place) -> None:
        self._length = length
        super().__init__(
            {
                "words": In(WordBus()),
                "packet_word": Out(packet_words),
                "message_word": Out(message_words),
                "header": Out(1),
                "judge": Out(1),
                "first_word": Out(WORD_BITS),
                "ends": Out(1),
                "closed": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """One bit per word says which it is; a number says when the message ends."""
        m = Module()
        words = self.words
        header_ends, begins = Signal(), Signal()
        self._place_words(m, header_ends, begins)
        self._count_words(m, begins)
        m.d.sync += [self.header.eq(header_ends), self.judge.eq(words.valid & begins & ~words.first)]
        with m.If(words.valid & begins):
            m.d.sync += self.first_word.eq(words.data)
        with m.If(words.valid):
            m.d.sync += [
                begins.eq(header_ends | self.ends),
                self.closed.eq(words.last & words.whole & (header_ends | self.ends)),
            ]
        return m

    def _place_words(self, m: Module, header_ends: Signal, begins: Signal) -> None:
        words = self.words
        in_packet, in_message = Signal.like(self.packet_word), Signal.like(self.message_word)
        m.d.comb += header_ends.eq(words.valid & in_packet[-1] & ~words.first)
        for now, strobes, is_first in (
            (in_packet, self.packet_word, words.first),
            (in_message, self.message_word, begins),
        ):
            with m.If(words.valid):
                m.d.comb += strobes.eq(Mux(is_first, 1, now))
        with m.If(words.valid & words.first):
            m.d.sync += [in_packet.eq(2), in_message.eq(0)]
        with m.Elif(words.valid):
            m.d.sync += [in_packet.eq(in_packet << 1), in_message.eq(Mux(begins, 2, in_message << 1))]

    def _count_words(self, m: Module, begins: Signal) -> None:
        words = self.words
        inside, remaining = Signal(), Signal(LENGTH_BITS - WORD_SHIFT)
        m.d.comb += self.ends.eq(words.valid & inside & ~words.first & (remaining == 2))
        with m.If(words.valid):
            m.d.sync += remaining.eq(remaining - 1)
            with m.If(begins):
                m.d.sync += remaining.eq(number_in(words.data, self._length)[WORD_SHIFT:])
            m.d.sync += inside.eq(~words.first & (begins | (inside & ~self.ends)))


def number_in(word: Any, place: Place) -> Any:
    """A field of a word, its place counted from the word's first byte or from one that lies whole words before it."""
    at = place.offset % WORD_BYTES * 8
    number = word[at : at + place.size * 8]
    return number.as_signed() if place.is_signed else number
