"""Takes the fields of a block at a fixed place off the bus, into registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.parameters import BYTE
from hdl.records import ahead_members
from hdl.sbe.beats import beat_strobes
from hdl.sbe.places import Place, in_order, struct_of


class BlockCapture(wiring.Component):
    """The fields of one block.

    Parameters
    ----------
    places: the fields to take; those that may overlap belong into captures of their own.
    bus_bytes: 1 or 8.
    lane: the lane of the block's byte 0.
    mark: offset of a byte, not in the first beat, to be told of; the last byte of the fields if not given.
    narrow: signed fields of which only so many bits are kept, see ``narrowed``; on a bus of one byte they are whole.
    ahead_bytes: of the next beat that ``ahead`` shows with each one, so that fields that end in them are loaded sooner.

    Members
    -------
    valid, start, data: the bus; ``start`` with the beat that has the block's byte 0. A block that was under way is
        then given up.
    ahead: the first bytes of the next beat, if any are to be seen.
    marked: strobe: byte ``mark`` is in the beat on the bus, in lane ``mark_lane``.
    fields: registers; a field is right from the cycle after its last byte on, or, on a bus of one byte, from the cycle
        after the last byte of the fields that it touches. It changes with the first byte of the next block's.
    loaded: strobe, in the cycle after the last byte of the last field.

    Latency: 1 cycle. On eight lanes every byte has its own lane and beat; on one lane, fields that touch are one shift
    register that moves while they pass.
    """

    def __init__(
        self,
        places: Sequence[Place],
        *,
        bus_bytes: int,
        lane: int = 0,
        mark: int | None = None,
        narrow: Mapping[str, int] | None = None,
        ahead_bytes: int = 0,
    ) -> None:
        self._places, self._narrow = in_order(places), narrow or {}
        self._bus_bytes, self._lane, self._looks_ahead = bus_bytes, lane, ahead_bytes > 0
        last = self._places[-1].end - 1
        self._last_beat = max(0, lane + last - ahead_bytes) // bus_bytes
        self._mark_beat, self.mark_lane = divmod(lane + (last if mark is None else mark), bus_bytes)
        super().__init__(
            {
                "valid": In(1),
                "start": In(1),
                "data": In(bus_bytes * BYTE),
                **ahead_members(In, ahead_bytes),
                "fields": Out(struct_of(places)),
                "loaded": Out(1),
                "marked": Out(1),
            }
        )

    @property
    def _beats(self) -> int:
        return max(self._last_beat, self._mark_beat) + 1

    def elaborate(self, platform: object) -> Module:
        """A register per field, so that no signal is wider than a number."""
        m = Module()
        registers = {place: Signal(self._shape(place), name=place.name) for place in self._places}
        m.d.comb += [Value.cast(self.fields[place.name]).eq(register) for place, register in registers.items()]
        if self._bus_bytes == 1:
            self._shift(m, registers)
        else:
            self._take_lanes(m, registers)
        return m

    def _shape(self, place: Place) -> Any:
        if self._bus_bytes == 1 or place.name not in self._narrow:
            return place.shape
        return unsigned(self._narrow[place.name] + 2)

    def _take_lanes(self, m: Module, registers: dict[Place, Any]) -> None:
        strobes = beat_strobes(m, self.start, self.valid, self._beats)
        self._shown = Cat(self.data, self.ahead) if self._looks_ahead else self.data
        m.d.comb += self.marked.eq(strobes[self._mark_beat])
        m.d.sync += self.loaded.eq(strobes[self._last_beat])
        for beat, strobe in enumerate(strobes):
            with m.If(strobe):
                for place, register in registers.items():
                    if place.name in self._narrow:
                        self._take_narrow(m, beat, place, register)
                        continue
                    for index in range(place.size):
                        at, lane = self._beat_of(self._lane + place.offset + index)
                        if at == beat:
                            m.d.sync += register.word_select(index, BYTE).eq(self._shown.word_select(lane, BYTE))

    def _beat_of(self, byte: int) -> tuple[int, int]:
        """The beat and lane in which a byte is taken; those ahead of the last beat with it."""
        at = min(byte // self._bus_bytes, self._last_beat)
        return at, byte - at * self._bus_bytes

    def _take_narrow(self, m: Module, beat: int, place: Place, register: Signal) -> None:
        """The bits of a field that are in a beat; those beyond the ones that are kept become one."""
        kept, beyond = len(register) - 2, []
        first = self._lane + place.offset
        for index in range(place.size * BYTE):
            at, lane = self._beat_of(first + index // BYTE)
            if at != beat:
                continue
            bit = self._shown[lane * BYTE + index % BYTE]
            if index < kept:
                m.d.sync += register[index].eq(bit)
            elif index == place.size * BYTE - 1:
                m.d.sync += register[-1].eq(bit)
            else:
                beyond.append(bit)
        if beyond:
            is_first = self._beat_of(first + kept // BYTE)[0] == beat
            m.d.sync += register[kept].eq(Cat(*beyond).any() | (0 if is_first else register[kept]))

    def _shift(self, m: Module, registers: dict[Place, Any]) -> None:
        at = Signal(range(self._beats + 1), init=self._beats)
        now, next_at = Signal.like(at), Signal.like(at)
        m.d.comb += [
            now.eq(Mux(self.start, 0, at)),
            next_at.eq(Mux(now == self._beats, now, now + 1)),
            self.marked.eq(self.valid & (now == self._mark_beat)),
        ]
        m.d.sync += self.loaded.eq(self.valid & (now == self._last_beat))
        with m.If(self.valid):
            m.d.sync += at.eq(next_at)
        for run in _runs(self._places):
            passing = Signal(name=f"passing_{run[0].name}")
            begins, ends = run[0].offset, run[-1].end
            with m.If(self.valid):
                with m.If(next_at == ends):
                    m.d.sync += passing.eq(0)
                with m.Elif(self.start if begins == 0 else next_at == begins):
                    m.d.sync += passing.eq(1)
                with m.Elif(self.start):
                    m.d.sync += passing.eq(0)
            move = passing & ~self.start if begins else passing | self.start
            with m.If(self.valid & move):
                for place, following in pairwise(run):
                    self._move(m, registers[place], registers[following][:BYTE])
                self._move(m, registers[run[-1]], self.data)

    def _move(self, m: Module, register: Any, byte: Any) -> None:
        m.d.sync += register.eq(Cat(register[BYTE:], byte))


def _runs(places: Sequence[Place]) -> list[list[Place]]:
    """Fields that touch, together; in the order of their offsets."""
    gaps = [0]
    for before, after in pairwise(places):
        gaps.append(gaps[-1] + (after.offset != before.end))
    numbered = zip(gaps, places, strict=True)
    return [[place for _, place in run] for _, run in groupby(numbered, key=lambda item: item[0])]
