"""From a schema to hardware: packets of many messages, each given out with its fields as it ends."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hdl.parameters import BYTE, CoreParameters
from hdl.records import LENGTH_BITS, WORD_BITS, PayloadBus
from hdl.sbe.packet_format import PacketFormat, spread
from hdl.sbe.places import Place
from hdl.sbe.words import WORD_BYTES, PayloadWords

_WORD_SHIFT: Final = WORD_BYTES.bit_length() - 1
_COUNT_BITS: Final = LENGTH_BITS - _WORD_SHIFT - 1
"""Bits for as many messages, of two words at least, as the longest payload has room for."""


class PacketDispatcher(wiring.Component):
    """Messages of a packet, by their templates.

    Parameters
    ----------
    parameters: the build.
    form: the packets, and what to take of them.

    Members
    -------
    payload, length: the packet; ``length`` stable from its first beat on, to the next one's.
    packet: fields of the packet header; right from the cycle after its last byte to the next packet's header.
    message: strobe, one cycle after the last byte of a message of a known template that is long enough.
    kind: one bit per known message, one of them set; right with ``message``.
    header: fields of the message header; right with ``message``.
    fields: the message's fields, as ``fields[name of the message][name of the field]``; right with ``message``.
    skipped: strobe, one cycle after the last byte of a message of another template.
    whole: level, right from the cycle after the last beat to the cycle after the next packet's first word: headers,
        lengths and the count of messages fit, and each known message has room for its fields. If not, none of the
        packet's messages counts.

    Latency: 1 cycle to ``message`` and ``whole``. Messages follow one another without a gap; a message's fields are
    right in the one cycle of its strobe.
    """

    def __init__(self, parameters: CoreParameters, form: PacketFormat) -> None:
        self._parameters, self._form = parameters, form
        kinds = data.StructLayout({item.name: 1 for item in form.messages})
        super().__init__(
            {
                "payload": In(PayloadBus(parameters)),
                "length": In(LENGTH_BITS),
                "packet": Out(spread(form.packet_places, form.packet_words * WORD_BITS)),
                "message": Out(1),
                "kind": Out(kinds),
                "header": Out(spread(form.header_places, form.message_words * WORD_BITS)),
                "fields": Out(form.fields_layout()),
                "skipped": Out(1),
                "whole": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """One bit per word says where it is kept; a number says when the message ends."""
        m = Module()
        m.submodules.words = source = PayloadWords(self._parameters)
        wiring.connect(m, wiring.flipped(self.payload), source.payload)
        words = source.words
        header_ends, begins, ends, ended = Signal(), Signal(), Signal(), Signal()
        m.d.sync += ended.eq(words.valid & ends)
        with m.If(words.valid):
            m.d.sync += begins.eq(header_ends | ends)
        first_word = self._keep(m, words, header_ends, begins)
        self._count_words(m, words, begins, ends)
        wrong = self._judge(m, words, begins, first_word)
        known = Value.cast(self.kind).any()
        m.d.comb += [self.message.eq(ended & known & ~wrong), self.skipped.eq(ended & ~known & ~wrong)]
        self._conclude(m, words, header_ends, ends, wrong)
        return m

    def _keep(self, m: Module, words: Any, header_ends: Signal, begins: Signal) -> Signal:
        """Words of the packet header and of the message under way; gives the message's first word."""
        packet = [Signal(WORD_BITS, name=f"packet_{index}") for index in range(self._form.packet_words)]
        kept = [Signal(WORD_BITS, name=f"word_{index}") for index in range(self._form.message_words)]
        in_packet, in_message = Signal(len(packet)), Signal(len(kept))
        for strobes, registers in ((Mux(words.first, 1, in_packet), packet), (Mux(begins, 1, in_message), kept)):
            for index, register in enumerate(registers):
                with m.If(words.valid & strobes[index]):
                    m.d.sync += register.eq(words.data)
        with m.If(words.valid & words.first):
            m.d.sync += [in_packet.eq(2), in_message.eq(0)]
        with m.Elif(words.valid):
            m.d.sync += [in_packet.eq(in_packet << 1), in_message.eq(Mux(begins, 2, in_message << 1))]
        m.d.comb += [
            header_ends.eq(in_packet[-1] & ~words.first),
            Value.cast(self.packet).eq(Cat(packet)),
            Value.cast(self.header).eq(Cat(kept)),
            Value.cast(self.fields).eq(Cat(kept)),
        ]
        return kept[0]

    def _count_words(self, m: Module, words: Any, begins: Signal, ends: Signal) -> None:
        """``ends``: the word on the bus is the last one of a message."""
        inside, remaining = Signal(), Signal(LENGTH_BITS - _WORD_SHIFT)
        m.d.comb += ends.eq(inside & ~words.first & (remaining == 2))
        with m.If(words.valid):
            m.d.sync += remaining.eq(remaining - 1)
            with m.If(begins):
                m.d.sync += remaining.eq(_number(words.data, self._form.length)[_WORD_SHIFT:])
            m.d.sync += inside.eq(~words.first & (begins | (inside & ~ends)))

    def _judge(self, m: Module, words: Any, begins: Signal, first_word: Signal) -> Signal:
        """Kind and lengths, in the cycle after a message's first word; gives whether any was wrong in the packet."""
        form = self._form
        wrong, judging = Signal(), Signal()
        m.d.sync += judging.eq(words.valid & begins & ~words.first)
        length, template = _number(first_word, form.length), _number(first_word, form.template)
        faults = [
            length[:_WORD_SHIFT] != 0,
            length[LENGTH_BITS:] != 0,
            is_below(length[_WORD_SHIFT:], -(-form.header_size // WORD_BYTES)),
        ]
        if form.schema_field is not None:
            faults.append(_number(first_word, form.schema_field) != form.schema_id)
        kinds = {item.name: Signal(name=f"is_{item.name}") for item in form.messages}
        m.d.comb += [kinds[item.name].eq(template == item.template) for item in form.messages]
        for block_length in sorted({item.block_length for item in form.messages}):
            of_length = Cat(kinds[item.name] for item in form.messages if item.block_length == block_length).any()
            faults.append(of_length & self._has_no_room(first_word, block_length))
        if form.block is not None:
            block = _number(first_word, form.block)
            too_long = (block[LENGTH_BITS:] != 0) | (block[:LENGTH_BITS] + form.header_size > length[:LENGTH_BITS])
            faults.append(Cat(kinds.values()).any() & too_long)
        with m.If(words.valid & words.first):
            m.d.sync += wrong.eq(0)
        with m.Elif(judging):
            m.d.sync += [self.kind[name].eq(is_kind) for name, is_kind in kinds.items()]
            m.d.sync += wrong.eq(wrong | Cat(faults).any())
        return wrong

    def _has_no_room(self, first_word: Signal, block_length: int) -> Any:
        """Whether the root block is shorter than a message's fields; without a block length all there is counts."""
        form = self._form
        if form.block is not None:
            return is_below(_number(first_word, form.block), block_length)
        least = -(-(form.header_size + block_length) // WORD_BYTES)
        return is_below(_number(first_word, form.length)[_WORD_SHIFT:], least)

    def _conclude(self, m: Module, words: Any, header_ends: Signal, ends: Signal, wrong: Signal) -> None:
        """The count of messages, and whether the last byte was the last of a message or of the packet header."""
        form = self._form
        place = form.count.moved(WORD_BYTES * (1 - form.packet_words))
        count = _number(words.data, place)
        closed, missing, beyond = Signal(), Signal(_COUNT_BITS), Signal()
        with m.If(words.valid):
            m.d.sync += closed.eq(words.last & words.whole & (header_ends | ends))
            with m.If(header_ends):
                m.d.sync += [missing.eq(count), beyond.eq(count[_COUNT_BITS:] != 0)]
            with m.Elif(ends):
                m.d.sync += missing.eq(missing - 1)
        too_short = is_below(self.length, form.packet_words * WORD_BYTES)
        m.d.comb += self.whole.eq(closed & ~wrong & (missing == 0) & ~beyond & ~too_short)


def is_below(value: Any, limit: int) -> Any:
    """Whether a number is below a small constant, without a chain of carries."""
    bits = (limit - 1).bit_length()
    table = Const((1 << limit) - 1, 1 << bits)
    return (value[bits:] == 0) & table.bit_select(value[:bits], 1)


def _number(word: Any, place: Place) -> Any:
    """A field of a word of which the first byte is the one that the place is counted from."""
    return word[place.offset * BYTE : place.end * BYTE]
