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
    bus_bytes: of the core's bus. A beat of several bytes comes when the line has brought the last of them.
    hertz: of the core's clock. bytes_per_s: of the line.
    """

    NARROW = (1, 125_000_000, 125_000_000)
    """1 Gbit/s, a byte per cycle."""
    GEARED = (8, 100_000_000, 125_000_000)
    """1 Gbit/s, a byte and a quarter per cycle, gathered in beats, as boards have it by default."""
    COMPACT = (8, 62_500_000, 125_000_000)
    """1 Gbit/s, two bytes per cycle, gathered in beats, for the compact core of a small board."""
    WIDE = (8, 156_250_000, 1_250_000_000)
    """10 Gbit/s, a beat per cycle."""

    def __init__(self, bus_bytes: int, hertz: int, bytes_per_s: int) -> None:
        self.bus_bytes = bus_bytes
        self.hertz = hertz
        self.bytes_per_s = bytes_per_s

    @property
    def is_paced(self) -> bool:
        """Whether the line takes several cycles for a beat of the bus."""
        return self.beat_cycles > 1

    @property
    def beat_cycles(self) -> int:
        """Cycles that the line takes for a beat, rounded down."""
        return self.bus_bytes * self.hertz // self.bytes_per_s

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
        begin = byte // self.bus_bytes * self.bus_bytes
        came = self.cycles_of(min(begin + self.bus_bytes, length))
        # a last beat of few bytes, too, is behind the one before it
        return max(came, self.cycles_of(begin) + 1) - self.cycles_of(min(self.bus_bytes, length))

    @property
    def title(self) -> str:
        """The width of the bus and the clock."""
        return f"{8 * self.bus_bytes} bit, {self.hertz / 1e6:g} MHz"


FORMS: Final = (Line.NARROW, Line.GEARED, Line.WIDE)
"""Those of the usual core; the compact one is for fewer venues and instruments."""
DEFAULT_LINES: Final = {1: Line.NARROW, 8: Line.WIDE}
"""By the bytes of the bus."""
