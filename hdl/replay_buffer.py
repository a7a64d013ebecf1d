"""Words that can be read again until they are released."""

from __future__ import annotations

from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out


class ReplayBuffer(wiring.Component):
    """A queue of words in block RAM whose reader may go back to the last word that it has not released.

    Parameters
    ----------
    depth: words, a power of two.
    bits: width of a word.

    Members
    -------
    words: what comes in; not ready while ``depth`` words are held, and sometimes with one less.
    word: the next word, in a register, while ``there``: from the third cycle after it came in on.
    take: strobe: on to the next word.
    rewind: strobe: back to the oldest word held.
    release: strobe: the words taken so far are given up; those after are the oldest now. Not with ``take``.
    empty: no word is held; known one cycle after ``release``.
    """

    def __init__(self, depth: int, bits: int) -> None:
        if depth & (depth - 1):
            raise ValueError(f"{depth} words; expected a power of two")
        self._depth, self._bits = depth, bits
        super().__init__(
            {
                "words": In(stream.Signature(unsigned(bits))),
                "word": Out(bits),
                "there": Out(1),
                "take": In(1),
                "rewind": In(1),
                "release": In(1),
                "empty": Out(1, init=1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Words go through the memory's output and a register behind it; going back empties both."""
        m = Module()
        m.submodules.store = store = memory.Memory(shape=unsigned(self._bits), depth=self._depth, init=[])
        write, read = store.write_port(), store.read_port()
        counter = range(2 * self._depth)
        written, fetched, taken, released = Signal(counter), Signal(counter), Signal(counter), Signal(counter)
        is_read, moves, fetches = Signal(), Signal(), Signal()
        m.d.comb += [
            write.addr.eq(written[:-1]),
            write.data.eq(self.words.payload),
            write.en.eq(self.words.valid & self.words.ready),
            moves.eq(~self.there | self.take),
            fetches.eq(~is_read | moves),
            read.addr.eq(fetched[:-1]),
            read.en.eq(fetches),
        ]
        # one word may come while this is found out
        has_room = Signal(init=1)
        m.d.comb += self.words.ready.eq(has_room)
        m.d.sync += [
            self.empty.eq((written == released) & ~write.en),
            has_room.eq((written - released)[: len(written)] < self._depth - 1),
            written.eq(written + write.en),
            taken.eq(taken + self.take),
        ]
        with m.If(fetches):
            m.d.sync += is_read.eq(fetched != written)
            with m.If(fetched != written):
                m.d.sync += fetched.eq(fetched + 1)
        with m.If(moves):
            m.d.sync += [self.there.eq(is_read), self.word.eq(read.data)]
        with m.If(self.rewind):
            m.d.sync += [fetched.eq(released), taken.eq(released), is_read.eq(0), self.there.eq(0)]
        with m.If(self.release):
            m.d.sync += released.eq(taken)
        return m
