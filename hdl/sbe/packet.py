"""From schemas to hardware: packets of many messages, each told of with its fields as it ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from amaranth.hdl import Array, Cat, Const, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hdl.parameters import CoreParameters
from hdl.records import LENGTH_BITS, WORD_BITS, PayloadBus
from hdl.sbe.framing import WORD_SHIFT, PacketFraming, number_in
from hdl.sbe.packet_format import MessageFormat, PacketFormat
from hdl.sbe.slots import SlotCapture, form_shape, meanings_of, slots_of
from hdl.sbe.words import WORD_BYTES, PayloadWords
from market.errors import Fatal

_COUNT_BITS: Final = LENGTH_BITS - WORD_SHIFT - 1
"""Bits for as many messages, of two words at least, as the longest payload has room for."""


class PacketDispatcher(wiring.Component):
    """Messages of a packet, by what they mean.

    Parameters
    ----------
    parameters: the build.
    forms: formats that packets may have, alike in the length of the packet header and the place of a message's.

    Members
    -------
    payload: the packet.
    form: which of ``forms`` it has; right from the beat of the packet header's last byte on.
    header: strobe, one cycle after the packet header's last byte.
    packet: words of the packet header, right from ``header`` to the cycle after the next packet's first beat.
    message: strobe, one cycle after a message's last byte. Right with it are:
    first_word: of the message; meaning: one bit, or none for a template that is not taken; fields: of the message.
    whole: level, right from two cycles after the last beat to the cycle after the next packet's first word:
        lengths, schema and the count of messages are right, and each message with a meaning has just the bytes that
        its template has in the schema. If not, none of the packet's messages counts.

    Messages follow one another without a gap; on a bus of eight bytes they end every other cycle at most.
    """

    def __init__(self, parameters: CoreParameters, forms: Sequence[PacketFormat]) -> None:
        if len({(form.packet_words, form.length.offset, form.length.size) for form in forms}) != 1:
            raise Fatal("packet headers or places of lengths differ; expected formats that begin alike")
        self._parameters, self._forms = parameters, forms
        super().__init__(
            {
                "payload": In(PayloadBus(parameters)),
                "form": In(form_shape(forms)),
                "header": Out(1),
                "packet": Out(data.ArrayLayout(WORD_BITS, forms[0].packet_words)),
                "message": Out(1),
                "first_word": Out(WORD_BITS),
                "meaning": Out(meanings_of(forms)),
                "fields": Out(slots_of(forms)),
                "whole": Out(1),
            }
        )

    def of_form(self, values: Sequence[Any]) -> Any:
        """The value that belongs to the packet's format, of one for each."""
        return values[0] if len(values) == 1 else Array(values)[self.form]

    def elaborate(self, platform: object) -> Module:
        """Words, what stands where, and whether all of it fits."""
        m = Module()
        m.submodules.source = source = PayloadWords(self._parameters)
        wiring.connect(m, wiring.flipped(self.payload), source.payload)
        m.submodules.framing = framing = PacketFraming(
            packet_words=self._forms[0].packet_words,
            message_words=max(form.message_words for form in self._forms),
            length=self._forms[0].length,
        )
        wiring.connect(m, source.words, framing.words)
        for index, strobe in enumerate(framing.packet_word):
            with m.If(strobe):
                m.d.sync += self.packet[index].eq(source.words.data)
        m.d.comb += [self.header.eq(framing.header), self.first_word.eq(framing.first_word)]
        m.d.sync += self.message.eq(framing.ends)
        self._capture(m, source, framing)
        wrong = self._judge(m, framing, source.words.valid & source.words.first)
        self._conclude(m, framing, wrong)
        return m

    def _capture(self, m: Module, source: PayloadWords, framing: PacketFraming) -> None:
        m.submodules.slots = slots = SlotCapture(self._forms)
        m.d.comb += [
            slots.data.eq(source.words.data),
            slots.word.eq(framing.message_word),
            slots.form.eq(self.form),
            slots.meaning.eq(self.meaning),
            self.fields.eq(slots.fields),
        ]

    def _judge(self, m: Module, framing: PacketFraming, starts: Any) -> Signal:
        """Meaning and faults, in the cycle after a message's first word; gives whether any message had a fault."""
        wrong, judged, fault = Signal(), Signal(), Signal()
        first_word, faults = framing.first_word, []
        found: list[dict[str, Any]] = []
        for number, form in enumerate(self._forms):
            meanings = {one.meaning: Signal(name=f"is_{one.meaning}_{number}") for one in form.messages}
            m.d.comb += [
                meanings[one.meaning].eq(is_any_of(number_in(first_word, form.template), one.templates))
                for one in form.messages
            ]
            faults.append(Cat(*self._faults(form, first_word, meanings)).any())
            found.append(meanings)
        m.d.sync += judged.eq(framing.judge)
        with m.If(framing.judge):
            m.d.sync += fault.eq(self.of_form(faults))
            for name in meanings_of(self._forms).members:
                m.d.sync += self.meaning[name].eq(self.of_form([meanings.get(name, Const(0)) for meanings in found]))
        with m.If(starts):
            m.d.sync += wrong.eq(0)
        with m.Elif(judged & fault):
            m.d.sync += wrong.eq(1)
        return wrong

    def _faults(self, form: PacketFormat, first_word: Any, meanings: dict[str, Any]) -> list[Any]:
        """What may be wrong with lengths and schema."""
        length = number_in(first_word, form.length)
        words = length[WORD_SHIFT:LENGTH_BITS]
        faults = [
            length[:WORD_SHIFT].any(),
            length[LENGTH_BITS:].any(),
            is_below(words, -(-form.header_size // WORD_BYTES)),
            *(meanings[one.meaning] & (words != one.words) for one in form.messages),
        ]
        if form.schema_field is not None:
            faults.append(number_in(first_word, form.schema_field) != form.schema_id)
        if form.block is not None:
            faults += self._block_faults(form.messages, number_in(first_word, form.block), meanings)
            block = number_in(first_word, form.block)
            faults.append(block[LENGTH_BITS:].any() | (block[:LENGTH_BITS] + form.header_size > length[:LENGTH_BITS]))
        return faults

    def _block_faults(self, messages: Sequence[MessageFormat], block: Any, meanings: dict[str, Any]) -> list[Any]:
        return [meanings[one.meaning] & (block != one.block_length) for one in messages]

    def _conclude(self, m: Module, framing: PacketFraming, wrong: Signal) -> None:
        """The count of messages, and whether the last byte was the last of a message or of the packet header."""
        words = [self.packet[form.count.offset // WORD_BYTES] for form in self._forms]
        count = self.of_form([number_in(word, form.count) for word, form in zip(words, self._forms, strict=True)])
        missing, beyond = Signal(_COUNT_BITS), Signal()
        with m.If(framing.header):
            m.d.sync += [missing.eq(count), beyond.eq((count >> _COUNT_BITS).any())]
        with m.Elif(framing.ends):
            m.d.sync += missing.eq(missing - 1)
        m.d.comb += self.whole.eq(framing.closed & ~wrong & (missing == 0) & ~beyond)


def is_below(value: Any, limit: int) -> Any:
    """Whether a number is below a small constant, without a chain of carries."""
    bits = (limit - 1).bit_length()
    table = Const((1 << limit) - 1, 1 << bits)
    return (value[bits:] == 0) & table.bit_select(value[:bits], 1)


def is_any_of(value: Any, numbers: Sequence[int]) -> Any:
    """Whether a number is one of a few."""
    return Cat(*(value == number for number in numbers)).any()
