"""Seeded randomness of plans, in Python: SplitMix64, and nothing but basic arithmetic of float64."""

from __future__ import annotations

from typing import Final

_MASK: Final = (1 << 64) - 1
_STEP: Final = 0x9E3779B97F4A7C15
_FIRST: Final = 0xBF58476D1CE4E5B9
_SECOND: Final = 0x94D049BB133111EB


def mixed(word: int) -> int:
    """A word of 64 bits of which every bit depends on every bit of another."""
    word = ((word ^ (word >> 30)) * _FIRST) & _MASK
    word = ((word ^ (word >> 27)) * _SECOND) & _MASK
    return word ^ (word >> 31)


class Drawing:
    """Numbers of a seed and a stream: the same on any machine."""

    def __init__(self, seed: int, stream: int) -> None:
        self._word = mixed((mixed(seed & _MASK) + stream * _STEP) & _MASK)

    def word(self) -> int:
        """64 random bits."""
        self._word = (self._word + _STEP) & _MASK
        return mixed(self._word)

    def between(self, low: float, high: float) -> float:
        """A number from a range."""
        return low + (high - low) * ((self.word() >> 11) / (1 << 53))

    def whole(self, low: int, high: int) -> int:
        """A whole number from a range, both ends included."""
        return low + self.word() % (high - low + 1)

    def sign(self) -> int:
        """-1 or 1."""
        return 1 if self.word() & 1 else -1

    def waiting(self, mean: float) -> float:
        """A time until something that comes at random: nearly exponential, and never more than some ten means.

        By von Neumann's comparison of uniforms, which needs no logarithm.
        """
        whole = 0.0
        while True:
            first = previous = self.between(0.0, 1.0)
            falls = 1
            while (value := self.between(0.0, 1.0)) < previous:
                previous, falls = value, falls + 1
            if falls % 2 == 1:
                return mean * (whole + first)
            whole += 1.0
