"""Takes one control message in: its words as registers, and once more as a memory."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hdl.control.program import WORD_BYTES, WORD_INDEX_BITS
from hdl.octet_stream import octet_stream
from hdl.parameters import BYTE
from hdl.records import WORD_BITS
from market.errors import Fatal

MESSAGE_LENGTH_BITS: Final = 20
"""A group of our schema has at most 65,535 entries of 8 bytes; messages that are longer still count as 2^20 - 2 or
2^20 - 1 bytes."""


class MessageBuffer(wiring.Component):
    """One message of any length; bytes beyond the buffer are counted and not kept.

    Parameters
    ----------
    words: 8-byte words that are kept; elaboration raises ``Fatal`` for more than a word index can name.

    Members
    -------
    octets: the bytes; not ready from the last byte of a message until ``release``.
    begin: strobe: a message's first byte is taken.
    full: a message is in. complete: the same two cycles later; then ``length`` is its length in bytes, and ``words``
        are its words: bytes behind the message's end are of no meaning.
    read_index, read_word: a word, read in the same cycle.
    release: strobe, only given while ``complete``: take the next message.
    """

    def __init__(self, words: int) -> None:
        self._count = words
        super().__init__(
            {
                "octets": In(octet_stream()),
                "begin": Out(1),
                "full": Out(1),
                "complete": Out(1),
                "length": Out(MESSAGE_LENGTH_BITS),
                "words": Out(WORD_BITS).array(words),
                "read_index": In(WORD_INDEX_BITS),
                "read_word": Out(WORD_BITS),
                "release": In(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """Bytes are gathered into a word, which is written with its last byte or the message's."""
        if self._count > 1 << WORD_INDEX_BITS:
            raise Fatal(f"control messages of {self._count} words; expected at most {1 << WORD_INDEX_BITS}")
        m = Module()
        m.submodules.store = store = memory.Memory(shape=WORD_BITS, depth=self._count, init=[])
        write, read = store.write_port(), store.read_port(domain="comb")
        octet = self.octets.payload
        gathered = Signal(WORD_BITS - BYTE)
        taken, filled, word = Signal(), Signal(), Signal(WORD_BITS)
        inside, longest = Signal(init=1), Signal()
        full = self.full
        putting, put_word, put_at = Signal(), Signal(WORD_BITS), Signal(WORD_INDEX_BITS)
        told = Signal()
        lane, index = Signal(range(WORD_BYTES)), Signal(WORD_INDEX_BITS)
        octets = [Mux(lane == at, octet.data, gathered.word_select(at, BYTE)) for at in range(WORD_BYTES - 1)]
        m.d.comb += [
            self.octets.ready.eq(~full),
            taken.eq(self.octets.valid & ~full),
            self.begin.eq(taken & inside & (index == 0) & (lane == 0)),
            word.eq(Cat(*octets, octet.data)),
            filled.eq(taken & inside & (octet.last | (lane == WORD_BYTES - 1))),
            write.addr.eq(put_at),
            write.data.eq(put_word),
            write.en.eq(putting),
            read.addr.eq(self.read_index),
            self.read_word.eq(read.data),
        ]
        # a cycle late, and so within one of the largest number
        m.d.sync += longest.eq(self.length[1:].all())
        with m.If(taken):
            m.d.sync += [gathered.eq(word), full.eq(octet.last), lane.eq(lane + 1)]
            with m.If(~longest):
                m.d.sync += self.length.eq(self.length + 1)
        with m.If(filled):
            m.d.sync += [index.eq(index + 1), inside.eq(index != self._count - 1), put_word.eq(word), put_at.eq(index)]
        m.d.sync += [putting.eq(filled), told.eq(full), self.complete.eq(told)]
        with m.If(putting), m.Switch(put_at):
            for at in range(self._count):
                with m.Case(at):
                    m.d.sync += self.words[at].eq(put_word)
        with m.If(self.release):
            m.d.sync += [
                full.eq(0),
                told.eq(0),
                self.complete.eq(0),
                self.length.eq(0),
                lane.eq(0),
                index.eq(0),
                inside.eq(1),
            ]
        return m
