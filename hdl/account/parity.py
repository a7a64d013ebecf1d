"""The parity: CRC-32 over the payloads of all triggers so far."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.ethernet.check_sequence import INITIAL_REMAINDER, REMAINDER_BITS, next_remainder
from hdl.parameters import BYTE, CoreParameters
from hdl.records import WORD_BITS

PARITY_BITS: Final = REMAINDER_BITS
_COMPACT_BITS: Final = 2 * BYTE
"""Per cycle: a trigger is in the parity sooner than it has left on the wire."""


class Parity(wiring.Component):
    """CRC-32 (as zlib) over words (FASTPATH, Parity; docs/fastpath.md, rule 30).

    ``bus_bytes`` bytes per cycle; two in a compact core.

    Members
    -------
    valid: strobe, only given in the cycle after one with ``ready``: takes ``word`` into the parity.
    ready: the next word can come in the next cycle.
    busy: a word is being taken in; the parity is that of whole words only while this is low.
    load: strobe, only given while not ``busy``: sets the parity to ``value``.
    parity: the parity so far, 0 at the start.

    Latency
    -------
    A word is in the parity 9 cycles after its strobe at a byte per cycle, and can be followed by the next after 8; at
    two it is 5 and 4, at eight 2 and 1.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._bits = _COMPACT_BITS if parameters.compact else parameters.bus_bytes * BYTE
        super().__init__(
            {
                "valid": In(1),
                "word": In(WORD_BITS),
                "ready": Out(1),
                "busy": Out(1),
                "load": In(1),
                "value": In(PARITY_BITS),
                "parity": Out(PARITY_BITS),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """The word is shifted through; the register holds the parity inverted."""
        m = Module()
        rounds = WORD_BITS // self._bits
        crc = Signal(PARITY_BITS, init=INITIAL_REMAINDER)
        rest = Signal(WORD_BITS)
        left = Signal(range(rounds + 1))
        m.d.comb += [
            self.parity.eq(~crc),
            self.busy.eq(left != 0),
            self.ready.eq((left <= 2) & ~self.valid if rounds > 1 else 1),
        ]
        with m.If(left != 0):
            m.d.sync += [
                crc.eq(next_remainder(crc, rest[: self._bits])),
                rest.eq(rest >> self._bits),
                left.eq(left - 1),
            ]
        with m.If(self.valid):
            m.d.sync += [rest.eq(self.word), left.eq(rounds)]
        with m.If(self.load):
            m.d.sync += crc.eq(~self.value)
        return m
