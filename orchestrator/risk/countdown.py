"""The dead-man switch that futures venues have: they cancel all orders of a symbol unless a countdown is renewed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from market.errors import Retry
from orchestrator.run_loop.access import PeriodicTask, RunAccess

_NS_PER_MS: Final = 1_000_000

SetCountdown = Callable[[str, int], None]
"""Sets a symbol's countdown to milliseconds, 0 to end it; hands over and returns. Raises Retry."""


class CountdownRenewal:
    """Renews the countdowns of some symbols with every beat.

    Parameters
    ----------
    countdown_ms: what each is set to. beat_ms: how often.

    Members
    -------
    failures: renewals that could not be sent; the venue cancels when there are too many in a row.
    """

    def __init__(self, symbols: Sequence[str], set_countdown: SetCountdown, countdown_ms: int, beat_ms: int) -> None:
        self._symbols = tuple(symbols)
        self._set_countdown = set_countdown
        self._countdown_ms = countdown_ms
        self._beat_ns = beat_ms * _NS_PER_MS
        self.failures = 0

    @property
    def task(self) -> PeriodicTask:
        """Renews all countdowns."""
        return PeriodicTask("countdown", self._beat_ns, self.renew)

    def renew(self, run: RunAccess, now_ns: int) -> None:
        """Set all countdowns anew."""
        self._set(self._countdown_ms)

    def end(self) -> None:
        """Stop the countdowns: after an orderly end, orders stay as they are."""
        self._set(0)

    def _set(self, milliseconds: int) -> None:
        for symbol in self._symbols:
            try:
                self._set_countdown(symbol, milliseconds)
            except Retry:
                self.failures += 1  # the next beat tries again, long before the countdown ends
