"""Takes fields of messages off the words of a bus, into registers that messages of all formats share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Array, Module, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hdl.parameters import BYTE
from hdl.records import WORD_BITS
from hdl.sbe.framing import number_in
from hdl.sbe.packet_format import MessageFormat, PacketFormat
from hdl.sbe.places import Place
from hdl.sbe.words import WORD_BYTES
from market.errors import Fatal


@dataclass(frozen=True, slots=True)
class _Use:
    """A field of a message of a format, and the word of the message in which it lies."""

    form: int
    message: MessageFormat
    place: Place

    @property
    def word(self) -> int:
        return self.place.offset // WORD_BYTES


class SlotCapture(wiring.Component):
    """One register for all fields of a name, as wide as the widest of them.

    Parameters
    ----------
    forms: formats of packets; fields must lie within a word, those of a name in the same bytes of it for all messages
        of a format.

    Members
    -------
    data, word: the bus, and which word of a message is on it, one bit each.
    form: which of ``forms`` the message has; right from its first word on.
    meaning: one bit per meaning that messages have; right from two cycles after the message's first word on.
    fields: a field is right from the cycle after its word to the message's end.

    A register takes a word unless the message's own field has come before: then a meaning must say so.
    """

    def __init__(self, forms: Sequence[PacketFormat]) -> None:
        self._forms = forms
        self._uses = _uses_by_name(forms)
        super().__init__(
            {
                "data": In(WORD_BITS),
                "word": In(max(form.message_words for form in forms)),
                "form": In(form_shape(forms)),
                "meaning": In(meanings_of(forms)),
                "fields": Out(slots_of(forms)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """A register's clock enable chooses among words, so that no field has to be selected."""
        m = Module()
        for name, uses in self._uses.items():
            register = Signal(self.fields[name].shape(), name=name)
            take = Signal(name=f"take_{name}")
            m.d.comb += [take.eq(self._strobe(uses)), self.fields[name].eq(register)]
            with m.If(take):
                m.d.sync += register.eq(self._number(uses))
        return m

    def _strobe(self, uses: Sequence[_Use]) -> Any:
        strobe: Any = 0
        for word in sorted({use.word for use in uses}):
            here = [use for use in uses if use.word == word]
            spoiled = [use for use in uses if use.word < word < use.message.words]
            if not spoiled:
                strobe |= self.word[word]
                continue
            for form in sorted({use.form for use in here}):
                is_one = (self.form == form) if len(self._forms) > 1 else Value.cast(1)
                if any(use.form == form for use in spoiled):
                    meanings = [self.meaning[use.message.meaning] for use in here if use.form == form]
                    is_one &= _any_of(meanings)
                strobe |= self.word[word] & is_one
        return strobe

    def _number(self, uses: Sequence[_Use]) -> Any:
        """The field on the bus; forms that have none of the name do not matter."""
        by_form = {use.form: number_in(self.data, use.place) for use in uses}
        places = {(use.place.offset % WORD_BYTES, use.place.size, use.place.is_signed) for use in uses}
        if len(places) == 1:
            return by_form[uses[0].form]
        numbers = [by_form.get(form, by_form[uses[0].form]) for form in range(len(self._forms))]
        return Array(numbers)[self.form]


def form_shape(forms: Sequence[PacketFormat]) -> range:
    """Shape of the number of a format; never without bits, which not every tool reads."""
    return range(max(2, len(forms)))


def meanings_of(forms: Sequence[PacketFormat]) -> data.StructLayout:
    """One bit per meaning, in the order in which the formats have them."""
    return data.StructLayout({message.meaning: 1 for form in forms for message in form.messages})


def slots_of(forms: Sequence[PacketFormat]) -> data.StructLayout:
    """The registers by name, in the order in which the formats have the fields; signed if one of them is."""
    shapes = {}
    for name, uses in _uses_by_name(forms).items():
        bits = max(use.place.size for use in uses) * BYTE
        shapes[name] = signed(bits) if any(use.place.is_signed for use in uses) else unsigned(bits)
    return data.StructLayout(shapes)


def _uses_by_name(forms: Sequence[PacketFormat]) -> dict[str, list[_Use]]:
    """Raises Fatal for a field that lies in two words, or in other bytes of a word than another one of its name."""
    uses: dict[str, list[_Use]] = {}
    for number, form in enumerate(forms):
        for message, place in form.fields():
            if place.offset // WORD_BYTES != (place.end - 1) // WORD_BYTES:
                raise Fatal(f"{place.name} of {message.meaning} lies in two words; expected fields within a word")
            others = uses.setdefault(place.name, [])
            others.append(_Use(number, message, place))
    for name, others in uses.items():
        kinds = {(use.form, use.place.offset % WORD_BYTES, use.place.size, use.place.is_signed) for use in others}
        if len(kinds) != len({form for form, *_ in kinds}):
            raise Fatal(f"{name} lies in different bytes of a word; expected the same for all messages of a format")
    return uses


def _any_of(bits: Sequence[Any]) -> Any:
    found = bits[0]
    for bit in bits[1:]:
        found |= bit
    return found
