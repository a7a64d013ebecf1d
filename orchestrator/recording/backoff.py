"""Pauses before trying again: doubling, bounded, few."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """How to try again after a fault.

    Parameters
    ----------
    first_s: pause before the second attempt; every further one is twice as long. longest_s: the longest pause.
    attempts: attempts in a row that may fail.
    """

    first_s: float = 1.0
    longest_s: float = 60.0
    attempts: int = 10

    def pause_s(self, failed: int) -> float | None:
        """Seconds to wait after so many failed attempts in a row; None when there must be no other."""
        if failed >= self.attempts:
            return None
        return float(min(self.first_s * 2.0 ** (failed - 1), self.longest_s))
