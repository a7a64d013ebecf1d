"""The processor's time-stamp counter, read from Python to learn its rate."""

from __future__ import annotations

from market.native.kernel import entry
from market.native.memory import cycle_counter


@entry("int64()")
def read_cycle_counter() -> int:
    """Ticks of the counter; for measuring our own work only, never for a decision."""
    return cycle_counter()
