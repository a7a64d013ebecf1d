"""The fall of equity from its highest point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PPM: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Drawdown:
    """Equity now, at its highest, and the deepest fall between.

    Parameters
    ----------
    deepest: largest ``peak - equity`` that was ever reached. deepest_ppm: largest fall in millionths of the peak of
        its time, rounded up.
    """

    equity: int
    peak: int
    deepest: int = 0
    deepest_ppm: int = 0

    @classmethod
    def starting(cls, equity: int) -> Drawdown:
        """At the beginning."""
        return cls(equity, equity)

    @property
    def current(self) -> int:
        """How far equity is below its highest point."""
        return self.peak - self.equity

    @property
    def current_ppm(self) -> int:
        """The same in millionths of the highest point, rounded up; one million where that is not above 0."""
        return _ppm(self.current, self.peak)

    def updated(self, equity: int) -> Drawdown:
        """After equity changed."""
        peak = max(self.peak, equity)
        fall = peak - equity
        return Drawdown(equity, peak, max(self.deepest, fall), max(self.deepest_ppm, _ppm(fall, peak)))


def _ppm(fall: int, peak: int) -> int:
    if not fall:
        return 0
    return -(-(fall * PPM) // peak) if peak > 0 else PPM
