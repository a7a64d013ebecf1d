"""The last bytes of the bus, so that a number can be taken whole in the cycle in which its last byte passes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from amaranth.hdl import Cat, Module, Signal

from hdl.parameters import BYTE
from hdl.sbe.places import Place
from market.errors import Fatal


class Window:
    """The beat on the bus and the bytes before it; ``behind`` of them, enough for a number of 8 bytes.

    ``take`` gives bytes of an item that begins in one of several lanes: constant wires if it is one lane, else eight
    choices by ``lane``, shared by all who ask for the same bytes; ``choose`` makes these.
    """

    def __init__(self, m: Module, valid: Any, data: Any, lane: Any, *, bus_bytes: int) -> None:
        self._m, self._lane = m, lane
        self.bus_bytes = bus_bytes
        self.behind = 8 if bus_bytes > 1 else 7
        before = Signal(self.behind * BYTE, name="before")
        self._bytes = Cat(before, data)
        self._choices: dict[tuple[int, int, tuple[int, ...]], Any] = {}
        with m.If(valid):
            m.d.sync += before.eq(Cat(before, data)[bus_bytes * BYTE :])

    def take(self, offset: int, size: int, beat: int, lanes: tuple[int, ...]) -> Any:
        """Bytes ``offset`` to ``offset + size`` of the item, in its beat ``beat``, as a number."""
        start = self.behind + offset - beat * self.bus_bytes
        if len(lanes) == 1:
            return self._slice(start + lanes[0], size)
        chosen = self._choices.get((start, size, lanes))
        if chosen is None:
            chosen = Signal(size * BYTE, name=f"bytes_{start + self.bus_bytes}_{size}")
            self._choices[start, size, lanes] = chosen
        return chosen

    def choose(self) -> None:
        """Make the choices that ``take`` has promised: to be called once, outside of any condition."""
        for (start, size, lanes), chosen in self._choices.items():
            with self._m.Switch(self._lane):
                for lane in lanes:
                    with self._m.Case(lane):
                        self._m.d.comb += chosen.eq(self._slice(start + lane, size))

    def _slice(self, start: int, size: int) -> Any:
        if start < 0 or start + size > self.behind + self.bus_bytes:
            raise Fatal(f"bytes {start} to {start + size} of a window of {self.behind + self.bus_bytes}")
        return self._bytes[start * BYTE : (start + size) * BYTE]


def last_beat(lane: int, span: int, bus_bytes: int) -> int:
    """Beat, counted from its first, in which an item of ``span`` bytes ends that begins in ``lane``."""
    return (lane + span - 1) // bus_bytes


def beats_to_take(place: Place, span: int, lanes: Iterable[int], bus_bytes: int, behind: int) -> dict[int, int]:
    """For every lane in which an item may begin, the beat in which to take a field out of the window.

    One beat for all lanes if there is such a one. Never the beat in which the item before it ends: the fields of that
    one must stand for a cycle.
    """
    bounds = {}
    for lane in lanes:
        soonest = max(last_beat(lane, place.end, bus_bytes), 1 if lane else 0)
        latest = min(last_beat(lane, span, bus_bytes), (behind + lane + place.offset) // bus_bytes)
        bounds[lane] = soonest, latest
    common = max(soonest for soonest, _ in bounds.values())
    if all(common <= latest for _, latest in bounds.values()):
        return dict.fromkeys(bounds, common)
    return {lane: soonest for lane, (soonest, _) in bounds.items()}
