"""Compares bytes at fixed places of a block with constants, as they pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hdl.parameters import BYTE
from hdl.sbe.beats import beat_strobes

Pattern = Mapping[int, int]
"""Expected bytes by their offset in the block."""


def number_pattern(offset: int, size: int, value: int) -> dict[int, int]:
    """The pattern of a little-endian number."""
    return {offset + index: byte for index, byte in enumerate(value.to_bytes(size, "little"))}


class PatternMatch(wiring.Component):
    """Whether the bytes of a block are those of each of several patterns.

    Parameters
    ----------
    patterns: one bit of ``matched`` each, none empty.
    bus_bytes: 1 or 8.
    lane: the lane of the block's byte 0.

    Members
    -------
    valid, start, data: the bus; ``start`` with the beat that has the block's byte 0.
    matched: levels; each is 0 from the cycle after ``start`` on until all its bytes have come and were right: then 1
        from the cycle after the last of them until the cycle after the next ``start``.
    """

    def __init__(self, patterns: Mapping[str, Pattern], *, bus_bytes: int, lane: int = 0) -> None:
        self._patterns = {name: _by_beat(pattern, bus_bytes, lane) for name, pattern in patterns.items()}
        super().__init__(
            {
                "valid": In(1),
                "start": In(1),
                "data": In(bus_bytes * BYTE),
                "matched": Out(data.StructLayout(dict.fromkeys(patterns, 1))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """One comparison per pattern and beat; what was right so far is kept in between."""
        m = Module()
        last = max(beat for beats in self._patterns.values() for beat in beats)
        strobes = beat_strobes(m, self.start, self.valid, last + 1)
        for name, beats in self._patterns.items():
            self._match(m, name, beats, strobes)
        return m

    def _match(self, m: Module, name: str, beats: Mapping[int, Pattern], strobes: list[Any]) -> None:
        matched, so_far = self.matched[name], Signal(name=f"{name}_so_far", init=1)
        with m.If(strobes[0]):
            m.d.sync += matched.eq(0)
        for number, (beat, lanes) in enumerate(beats.items()):
            seen = Cat(self.data.word_select(lane, BYTE) for lane in lanes)
            right = Signal(name=f"{name}_{beat}_right")
            m.d.comb += right.eq(seen == int.from_bytes(bytes(lanes.values()), "little"))
            before = so_far if number else 1
            with m.If(strobes[beat]):
                m.d.sync += (matched if number == len(beats) - 1 else so_far).eq(right & before)


def _by_beat(pattern: Pattern, bus_bytes: int, lane: int) -> dict[int, dict[int, int]]:
    """Expected bytes by beat, then by lane, in order."""
    beats: dict[int, dict[int, int]] = {}
    for offset in sorted(pattern):
        beat, at = divmod(lane + offset, bus_bytes)
        beats.setdefault(beat, {})[at] = pattern[offset]
    return beats
