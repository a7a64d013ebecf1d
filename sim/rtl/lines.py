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
    bus_bytes: of the core's bus. line_bytes: that come per cycle within a frame, rounded up; a beat of more comes when
        its last byte is there. hertz: of the core's clock. bytes_per_s: of the line.
    """

    NARROW = (1, 1, 125_000_000, 125_000_000)
    """1 Gbit/s, a byte per cycle."""
    GEARED = (8, 3, 50_000_000, 125_000_000)
    """1 Gbit/s, two bytes and a half per cycle, gathered in beats, as boards have it by default."""
    WIDE = (8, 8, 156_250_000, 1_250_000_000)
    """10 Gbit/s, a beat per cycle."""

    def __init__(self, bus_bytes: int, line_bytes: int, hertz: int, bytes_per_s: int) -> None:
        self.bus_bytes = bus_bytes
        self.line_bytes = line_bytes
        self.hertz = hertz
        self.bytes_per_s = bytes_per_s

    @property
    def is_paced(self) -> bool:
        """Whether the line takes several cycles for a beat of the bus."""
        return self.line_bytes < self.bus_bytes

    @property
    def cycle_ns(self) -> float:
        """Of the core's clock."""
        return 1e9 / self.hertz

    @property
    def gap_cycles(self) -> int:
        """Idle cycles between two frames of a full line."""
        return self.cycles_of(BETWEEN_FRAMES)

    def cycles_of(self, octets: int) -> int:
        """Cycles, rounded up, that the line takes for so many bytes."""
        return -(-octets * self.hertz // self.bytes_per_s)

    def cycle_of(self, byte: int, length: int) -> int:
        """The cycle, from a frame's first beat on, of the beat with one of the frame's ``length`` bytes."""
        count = min(self.bus_bytes, length - byte // self.bus_bytes * self.bus_bytes)
        cycles = (-(-self.bus_bytes // self.line_bytes), -(-count // self.line_bytes))
        return byte // self.bus_bytes * cycles[0] + cycles[1] - cycles[0]

    @property
    def title(self) -> str:
        """The width of the bus and the clock."""
        return f"{8 * self.bus_bytes} bit, {self.hertz / 1e6:g} MHz"


DEFAULT_LINES: Final = {1: Line.NARROW, 8: Line.WIDE}
"""By the bytes of the bus."""
