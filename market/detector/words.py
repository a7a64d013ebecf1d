"""Counting, and setting one signal's bit, in the detector's state."""

from __future__ import annotations

from market.detector.layout import COUNTERS, SIGNALS
from market.native.kernel import inline
from market.native.memory import get, put


@inline
def count(detector: int, counter: int) -> None:
    """Count one more of a ``Counter``."""
    put(detector, COUNTERS + counter, get(detector, COUNTERS + counter) + 1)


@inline
def counted(detector: int, counter: int) -> int:
    """A ``Counter`` as of now."""
    return get(detector, COUNTERS + counter)


@inline
def set_signal(detector: int, bit: int, fires: bool) -> None:
    """Say whether a ``Signal`` fires."""
    kept = get(detector, SIGNALS) & ~bit
    put(detector, SIGNALS, kept | bit if fires else kept)


@inline
def fires(detector: int, bit: int) -> bool:
    """Whether a ``Signal`` fires."""
    return get(detector, SIGNALS) & bit != 0
