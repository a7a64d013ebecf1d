"""A payload as words of eight bytes, whatever the width of the bus: for formats whose parts all begin at such words."""

from __future__ import annotations

from typing import Final

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.parameters import BYTE, CoreParameters
from hdl.records import WORD_BITS, PayloadBus

WORD_BYTES: Final = WORD_BITS // BYTE


class WordBus(wiring.Signature):
    """Words of a payload: ``first`` and ``last`` of them, and whether a word is ``whole`` (all but the last are)."""

    def __init__(self) -> None:
        super().__init__(
            {"valid": Out(1), "first": Out(1), "last": Out(1), "whole": Out(1), "data": Out(WORD_BITS)},
        )


class PayloadWords(wiring.Component):
    """Puts bytes together to words; a word is there in the cycle in which its last byte is.

    Bytes of a last word that is not whole are not all in their places.

    Members
    -------
    payload: the bytes.
    words: the words, without delay.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._bus_bytes = parameters.bus_bytes
        super().__init__({"payload": In(PayloadBus(parameters)), "words": Out(WordBus())})

    def elaborate(self, platform: object) -> Module:
        """Wires on a bus of eight bytes; else seven bytes are kept."""
        m = Module()
        payload, words = self.payload, self.words
        if self._bus_bytes == WORD_BYTES:
            m.d.comb += [
                words.valid.eq(payload.valid),
                words.first.eq(payload.first),
                words.last.eq(payload.last),
                words.whole.eq(payload.count == WORD_BYTES),
                words.data.eq(payload.data),
            ]
            return m
        before, at, in_first = Signal(WORD_BITS - BYTE), Signal(range(WORD_BYTES)), Signal()
        m.d.comb += [
            words.whole.eq((at == WORD_BYTES - 1) & ~payload.first),
            words.valid.eq(payload.valid & (words.whole | payload.last)),
            words.first.eq(in_first | payload.first),
            words.last.eq(payload.last),
            words.data.eq(Cat(before, payload.data)),
        ]
        with m.If(payload.valid):
            m.d.sync += [before.eq(words.data[BYTE:]), at.eq(at + 1)]
            with m.If(payload.first):
                m.d.sync += [at.eq(1), in_first.eq(1)]
            with m.Elif(words.whole):
                m.d.sync += in_first.eq(0)
        return m
