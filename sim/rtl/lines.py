"""The lines that cores are built for: what comes per cycle, and the clock."""

from __future__ import annotations

from enum import Enum
from typing import Final

BETWEEN_FRAMES: Final = 20
"""Bytes of preamble and smallest gap (IEEE Std 802.3-2018 4.2.7, 4.4.2)."""


class Line(Enum):
    """Forms of a core on its line.

    Attributes
    ----------
    bus_bytes: of the core's bus. line_bytes: that the line brings per cycle; a beat of more comes when its last byte is
        there. hertz: of the core's clock.
    """

    NARROW = (1, 1, 125_000_000)
    """1 Gbit/s, a byte per cycle."""
    GEARED = (8, 2, 62_500_000)
    """1 Gbit/s, gathered in beats for a core at half the clock, as boards have it by default."""
    WIDE = (8, 8, 156_250_000)
    """10 Gbit/s, a beat per cycle."""

    def __init__(self, bus_bytes: int, line_bytes: int, hertz: int) -> None:
        self.bus_bytes = bus_bytes
        self.line_bytes = line_bytes
        self.hertz = hertz

    @property
    def cycle_ns(self) -> float:
        """Of the core's clock."""
        return 1e9 / self.hertz

    @property
    def gap_cycles(self) -> int:
        """Idle cycles between two frames of a full line."""
        return -(-BETWEEN_FRAMES // self.line_bytes)

    def cycle_of(self, byte: int, length: int) -> int:
        """The cycle, from a frame's first beat on, of the beat with one of the frame's ``length`` bytes."""
        count = min(self.bus_bytes, length - byte // self.bus_bytes * self.bus_bytes)
        cycles = (self.bus_bytes // self.line_bytes, -(-count // self.line_bytes))
        return byte // self.bus_bytes * cycles[0] + cycles[1] - cycles[0]

    @property
    def title(self) -> str:
        """The width of the bus and the clock."""
        return f"{8 * self.bus_bytes} bit, {self.hertz / 1e6:g} MHz"


DEFAULT_LINES: Final = {1: Line.NARROW, 8: Line.WIDE}
"""By the bytes of the bus."""
