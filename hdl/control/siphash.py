"""SipHash-2-4 in logic, half a round per cycle."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.control.seal import COMPRESSION_ROUNDS, FINAL_MARK, FINAL_ROUNDS, KEY_BYTES, SIPHASH_INITIAL
from hdl.parameters import BYTE
from hdl.records import WORD_BITS

KEY_BITS: Final = KEY_BYTES * BYTE


class SipHash(wiring.Component):
    """A keyed hash over words (J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", 2012).

    Members
    -------
    key: 16 bytes, the first in the lowest bits. start: strobe: begin a hash, whatever
        was under way.
    valid, word, last: a strobe, only given while ``ready``: take a word in. ``last`` comes with the word that holds the
        last bytes, at most seven, and the length modulo 256 in its highest byte.
    ready: takes a word. done: strobe; then ``tag`` is the hash, until the next start.

    Latency
    -------
    ``ready`` again 6 cycles after a word; ``done`` 14 cycles after the last one.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "key": In(KEY_BITS),
                "start": In(1),
                "valid": In(1),
                "word": In(WORD_BITS),
                "last": In(1),
                "ready": Out(1, init=1),
                "done": Out(1),
                "tag": Out(WORD_BITS),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """A round adds and mixes the pairs (v0, v1) and (v2, v3), then (v0, v3) and (v2, v1).

        The partners change places after each half, so that the same two adders do both.
        """
        m = Module()
        v0, v2, near, far = Signal(WORD_BITS), Signal(WORD_BITS), Signal(WORD_BITS), Signal(WORD_BITS)
        word, is_last, finishing, second = Signal(WORD_BITS), Signal(), Signal(), Signal()
        left = Signal(range(2 * FINAL_ROUNDS + 1))
        sum0, sum2 = Signal(WORD_BITS), Signal(WORD_BITS)
        mixes, absorbs = Signal(), Signal()
        m.d.comb += [sum0.eq(v0 + near), sum2.eq(v2 + far), self.tag.eq(v0 ^ near ^ v2 ^ far)]
        m.d.sync += self.done.eq(0)
        with m.If(self.start):
            keys = (self.key[:WORD_BITS], self.key[WORD_BITS:])
            initial = [keys[at % 2] ^ SIPHASH_INITIAL[at] for at in range(4)]
            m.d.sync += [v0.eq(initial[0]), near.eq(initial[1]), v2.eq(initial[2]), far.eq(initial[3])]
            m.d.sync += [mixes.eq(0), absorbs.eq(0), self.ready.eq(1)]
        with m.Elif(self.valid):
            m.d.sync += [
                word.eq(self.word),
                is_last.eq(self.last),
                far.eq(far ^ self.word),
                left.eq(2 * COMPRESSION_ROUNDS),
                mixes.eq(1),
                second.eq(0),
                finishing.eq(0),
                self.ready.eq(0),
            ]
        with m.Elif(mixes):
            m.d.sync += [
                v0.eq(Mux(second, sum0, sum0.rotate_left(32))),
                v2.eq(Mux(second, sum2.rotate_left(32), sum2)),
                far.eq(Mux(second, near.rotate_left(21), near.rotate_left(13)) ^ sum0),
                near.eq(Mux(second, far.rotate_left(17), far.rotate_left(16)) ^ sum2),
                second.eq(~second),
                left.eq(left - 1),
            ]
            with m.If(left == 1):
                m.d.sync += [mixes.eq(0), absorbs.eq(~finishing), self.ready.eq(finishing), self.done.eq(finishing)]
        with m.Elif(absorbs):
            m.d.sync += [v0.eq(v0 ^ word), absorbs.eq(0), self.ready.eq(~is_last)]
            with m.If(is_last):
                m.d.sync += [v2.eq(v2 ^ FINAL_MARK), left.eq(2 * FINAL_ROUNDS), mixes.eq(1), finishing.eq(1)]
        return m
