"""From a schema to hardware: a message with groups, its entries one at a time as they pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.parameters import BYTE
from hdl.records import LENGTH_BITS
from hdl.sbe.beats import lane_shape
from hdl.sbe.extractor import header_pattern
from hdl.sbe.match import PatternMatch
from hdl.sbe.places import Place, struct_of
from hdl.sbe.sections import Section, sections_of
from hdl.sbe.window import Window, beats_to_take, last_beat
from market.wire.sbe import Schema

_LONGEST_PAYLOAD: Final = (1 << LENGTH_BITS) - 1


class EntryBus(wiring.Signature):
    """Entries of a group: ``valid`` is a strobe per entry, ``fields`` its numbers, right in that cycle."""

    def __init__(self, places: Sequence[Place]) -> None:
        super().__init__({"valid": Out(1), "fields": Out(struct_of(places))})


class GroupExtractor(wiring.Component):
    """Fields of a message's root block and of the entries of its groups, on a bus that begins with its header.

    Parameters
    ----------
    schema, message, fields: the message and the fields of its root block to take.
    groups: for every group of the message, in order, the fields of an entry to take.
    bus_bytes: 1 or 8.

    Members
    -------
    valid, start, data: the bus; ``start`` with the message's first beat. A message under way is then given up.
    matched: level: the header is that of this message, of the schema's own version and block length; from the cycle
        after the header's last byte to the cycle after the next ``start``.
    fields: registers of the root block, right from ``loaded`` to the next message.
    loaded: strobe, one cycle after the last byte of the root block (and of the first group's dimensions), if matched.
    entries: one ``EntryBus`` per group, by its name.
    tail: strobe: the byte behind the last group, which counts the data that follow, is ``tail_byte`` in lane
        ``tail_lane`` of the beat on the bus, if the message is so long. Only if everything before it was right.

    Latency: 1 cycle from an entry's last byte to ``valid``. Entries of another length than the schema's, or more of
    them than a datagram can hold, end the message: no entry, no ``tail``. Where the lane is known when the logic is
    made, constant wires take the fields; entries whose length is no multiple of the bus go through all lanes in turn.
    Where the payload ends is not looked at: of one that is cut off, the last entry may be made up from lanes behind it.
    """

    def __init__(
        self,
        schema: Schema,
        message: str,
        fields: Sequence[str],
        groups: Mapping[str, Sequence[str]],
        *,
        bus_bytes: int,
    ) -> None:
        self._bus_bytes = bus_bytes
        self._sections = sections_of(schema, message, fields, groups, bus_bytes)
        self._pattern = header_pattern(schema, message)
        entries = {section.group: Out(EntryBus(section.places)) for section in self._sections if section.group}
        super().__init__(
            {
                "valid": In(1),
                "start": In(1),
                "data": In(bus_bytes * BYTE),
                "matched": Out(1),
                "fields": Out(struct_of(self._sections[0].places)),
                "loaded": Out(1),
                "entries": Out(wiring.Signature(entries)),
                "tail": Out(1),
                "tail_byte": Out(BYTE),
                "tail_lane": Out(lane_shape(bus_bytes)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """The header is compared while the sections are walked through."""
        m = Module()
        m.submodules.match = match = PatternMatch({"header": self._pattern}, bus_bytes=self._bus_bytes)
        walk = _Walk(m, self, self._sections, self._bus_bytes)
        tail = Signal()
        m.d.comb += [
            match.valid.eq(self.valid),
            match.start.eq(self.start),
            match.data.eq(self.data),
            self.matched.eq(match.matched.header),
            self.loaded.eq(walk.loaded & self.matched),
            self.tail.eq(tail & self.matched),
        ]
        for section in self._sections:
            if section.group is not None:
                m.d.comb += getattr(self.entries, section.group).valid.eq(walk.ended[section.group] & self.matched)
        with m.If(self.valid):
            with m.If(self.start):
                walk.begin()
            with m.Else():
                walk.step(tail)
        walk.window.choose()
        return m


class _Walk:
    """Where in the message the beat on the bus is: a section, and the beat within it; and the way on from there."""

    def __init__(self, m: Module, bus: Any, sections: Sequence[Section], bus_bytes: int) -> None:
        self._m, self._bus, self._sections, self._bus_bytes = m, bus, sections, bus_bytes
        most = max(last_beat(lane, section.span, bus_bytes) for section in sections for lane in section.lanes)
        self._tail_section, self._idle = len(sections), len(sections) + 1
        self._section = Signal(range(self._idle + 1), name="section", init=self._idle)
        self._at = Signal(range(most + 1), name="at")
        self._lane = Signal(lane_shape(bus_bytes), name="lane")
        self._remaining = Signal(_remaining_bits(sections), name="remaining")
        self.window = Window(m, bus.valid, bus.data, self._lane, bus_bytes=bus_bytes)
        self.loaded = Signal(name="prefix_ended")
        self.ended = {section.group: Signal(name=f"{section.name}_ended") for section in sections if section.group}
        self._registers = {}
        for section in sections:
            fields = bus.fields if section.group is None else getattr(bus.entries, section.group).fields
            for place in section.places:
                register = Signal(place.shape, name=f"{section.name}_{place.name}")
                self._registers[section.name, place.name] = register
                m.d.comb += Value.cast(fields[place.name]).eq(register)
        m.d.sync += [strobe.eq(0) for strobe in (self.loaded, *self.ended.values())]

    def begin(self) -> None:
        """The first beat of a message is on the bus."""
        self._m.d.sync += [self._section.eq(0), self._at.eq(1), self._lane.eq(0)]

    def step(self, tail: Signal) -> None:
        """Another beat is on the bus; ``tail`` is set if it has the byte behind the last section."""
        m = self._m
        m.d.sync += self._at.eq(self._at + 1)
        with m.Switch(self._section):
            for index, section in enumerate(self._sections):
                with m.Case(index):
                    self._take(section)
                    for beat, lanes in self._ends(section).items():
                        with m.If((self._at == beat) & self._in_lanes(lanes, section.lanes)):
                            self._end(index, beat, lanes, tail)
            with m.Case(self._tail_section):
                m.d.comb += [tail.eq(1), self._bus.tail_byte.eq(self._bus.data[:BYTE])]
                m.d.sync += self._section.eq(self._idle)

    def _ends(self, section: Section) -> dict[int, tuple[int, ...]]:
        """Beats in which a section may end, each with the lanes in which it then began."""
        return _by_beat({lane: last_beat(lane, section.span, self._bus_bytes) for lane in section.lanes})

    def _in_lanes(self, lanes: tuple[int, ...], among: tuple[int, ...]) -> Any:
        if lanes == among:
            return 1
        return Cat(self._lane == lane for lane in lanes).any()

    def _take(self, section: Section) -> None:
        """Fields of a section into their registers, each in a beat in which the window has it whole."""
        m = self._m
        for place in section.places:
            register = self._registers[section.name, place.name]
            beats = beats_to_take(place, section.span, section.lanes, self._bus_bytes, self.window.behind)
            for beat, lanes in _by_beat(beats).items():
                with m.If((self._at == beat) & self._in_lanes(lanes, section.lanes)):
                    m.d.sync += register.eq(self.window.take(place.offset, place.size, beat, lanes))

    def _end(self, index: int, beat: int, lanes: tuple[int, ...], tail: Signal) -> None:
        """A section ends in the beat on the bus: its strobe, and what begins behind it."""
        m, section = self._m, self._sections[index]
        if section.group is not None:
            m.d.sync += [self.ended[section.group].eq(1), self._remaining.eq(self._remaining - 1)]
            with m.If(self._remaining == 1):
                self._go(index, index + 1, beat, lanes, tail)
            with m.Else():
                self._go(index, index, beat, lanes, tail)
            return
        if index == 0:
            m.d.sync += self.loaded.eq(1)
        if section.dimension is None:
            self._go(index, index + 1, beat, lanes, tail)
            return
        stride = self.window.take(section.dimension.stride.offset, section.dimension.stride.size, beat, lanes)
        count = self.window.take(section.dimension.count.offset, section.dimension.count.size, beat, lanes)
        m.d.sync += self._remaining.eq(count)
        with m.If((stride != section.dimension.expected_stride) | (count[len(self._remaining) :] != 0)):
            m.d.sync += self._section.eq(self._idle)
        with m.Elif(count == 0):
            self._go(index, index + 2, beat, lanes, tail)
        with m.Else():
            self._go(index, index + 1, beat, lanes, tail)

    def _go(self, index: int, following: int, beat: int, lanes: tuple[int, ...], tail: Signal) -> None:
        """Section ``following`` begins behind section ``index``, in the beat on the bus or in the next one."""
        m, span = self._m, self._sections[index].span
        behind: Any = (lanes[0] + span) % self._bus_bytes
        if len(lanes) > 1:
            behind = (self._lane + span)[: len(self._lane)]
        here = Signal(name=f"section_{following}_behind_{index}_in_beat_{beat}")
        m.d.comb += here.eq(behind != 0)
        m.d.sync += [self._section.eq(following), self._at.eq(here), self._lane.eq(behind)]
        inside = tuple(lane for lane in lanes if (lane + span) % self._bus_bytes)
        if following == self._tail_section and inside:
            byte = self.window.take(span, 1, beat, inside)
            m.d.comb += [tail.eq(here), self._bus.tail_byte.eq(byte), self._bus.tail_lane.eq(behind)]
            with m.If(here):
                m.d.sync += self._section.eq(self._idle)


def _by_beat(beats: Mapping[int, int]) -> dict[int, tuple[int, ...]]:
    """Keys of each value, in order."""
    found: dict[int, tuple[int, ...]] = {}
    for lane, beat in beats.items():
        found[beat] = (*found.get(beat, ()), lane)
    return found


def _remaining_bits(sections: Sequence[Section]) -> int:
    """Bits for as many entries as the longest payload has room for."""
    strides = [section.span for section in sections if section.group is not None]
    return max(((_LONGEST_PAYLOAD // stride).bit_length() for stride in strides), default=1)
