"""Takers that are not always ready."""

from __future__ import annotations

from typing import Any

import numpy as np
from cocotb.triggers import ClockCycles, Event


class RandomReady:
    """Drives a port that says that something can be taken: ready for some cycles, then not for some.

    Parameters
    ----------
    ready: the port. rng: draws lengths.

    While ``mean_wait`` is 0 it is always ready; else it waits so many cycles on average, and is ready thrice as long.
    """

    def __init__(self, clock: Any, ready: Any, rng: np.random.Generator) -> None:
        self.mean_wait = 0
        self._clock, self._ready, self._rng = clock, ready, rng
        self._changed = Event()
        ready.value = 1

    def press(self, mean_wait: int) -> None:
        """Wait so many cycles on average from now on; 0: never."""
        self.mean_wait = mean_wait
        self._changed.set()

    async def run(self) -> None:
        """Drive the port, for ever."""
        while True:
            self._ready.value = 1
            mean_wait = self.mean_wait
            if mean_wait == 0:
                self._changed.clear()
                await self._changed.wait()
                continue
            await ClockCycles(self._clock, self._draw(3 * mean_wait))
            self._ready.value = 0
            await ClockCycles(self._clock, self._draw(mean_wait))

    def _draw(self, mean: int) -> int:
        return 1 + int(self._rng.integers(2 * mean))
