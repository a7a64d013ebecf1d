"""How latencies are sorted into buckets, for the hardware that counts and the host that reads."""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

LATENCY_BOUNDS: Final = (-16, -8, -4, 0, 4, 8, 16, 24, 32, 48, 64, 128, 256, 512, 1024)
"""Bucket n is of latencies from bound n - 1 on, below bound n, in clock cycles; the first and the last are open."""
BUCKETS: Final = len(LATENCY_BOUNDS) + 1


def bucket_of(cycles: int) -> int:
    """The bucket of a latency."""
    return bisect_right(LATENCY_BOUNDS, cycles)


def bucket_name(number: int) -> str:
    """What a bucket holds, in cycles: ``-8 to -5``."""
    if number == 0:
        return f"below {LATENCY_BOUNDS[0]}"
    if number == BUCKETS - 1:
        return f"{LATENCY_BOUNDS[-1]} and more"
    return f"{LATENCY_BOUNDS[number - 1]} to {LATENCY_BOUNDS[number] - 1}"
