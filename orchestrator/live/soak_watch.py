"""What a soak looks at every second, and what of it is too much."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

MEMORY_GROWTH: Final = 0.05
"""Memory at the end is at most this much above that after the warm-up."""
_ENDS: Final = 5
"""Share of the samples that counts as the beginning, and as the end: one in so many."""
_ROOM: Final = {"database bytes": 4 << 20}
"""What may wait at the end though none did at the beginning: the database is written in batches."""
_ROOM_S: Final = 0.25
"""Seconds of messages that may."""
_SENT: Final = 0.99
"""Least share of the rate that was wanted."""


@dataclass(frozen=True)
class Sample:
    """One look.

    Parameters
    ----------
    at_s: since the load began. resident_bytes: of the run's process. queues: what waits where, by name.
    """

    at_s: float
    resident_bytes: int
    queues: Mapping[str, int]


@dataclass(frozen=True)
class Growth:
    """Something at the beginning and at the end, both medians of a fifth of the samples, and the most in between."""

    first: float
    last: float
    most: float

    @property
    def share(self) -> float:
        """Growth as a share of the beginning."""
        return (self.last - self.first) / self.first if self.first else 0.0


def growth(values: Sequence[float]) -> Growth:
    """How a value went over the samples; there must be some."""
    count = max(len(values) // _ENDS, 1)
    return Growth(median(values[:count]), median(values[-count:]), max(values))


def memory(samples: Sequence[Sample]) -> Growth:
    """Resident memory after the warm-up."""
    return growth([sample.resident_bytes for sample in samples])


def queues(samples: Sequence[Sample]) -> dict[str, Growth]:
    """Every queue after the warm-up."""
    return {name: growth([sample.queues[name] for sample in samples]) for name in samples[0].queues}


def excesses(samples: Sequence[Sample], rate: float, sent_rate: float) -> list[str]:
    """What is more than it may be, or less: memory, queues, the rate that was sent; none when all is well."""
    found: list[str] = []
    if sent_rate < _SENT * rate:
        found.append(f"{sent_rate:,.0f} messages per second were sent; expected {rate:,.0f}")
    grown = memory(samples)
    if grown.share > MEMORY_GROWTH:
        found.append(
            f"memory grew by {grown.share:.1%}, from {grown.first / 2**20:.1f} to {grown.last / 2**20:.1f} MiB; "
            f"expected {MEMORY_GROWTH:.0%} at most"
        )
    for name, queue in queues(samples).items():
        room = _ROOM.get(name, round(rate * _ROOM_S))
        if queue.last > 2 * queue.first + room:
            found.append(f"{name}: {queue.first:,.0f} waited at the beginning and {queue.last:,.0f} at the end")
    return found


def sample(at_s: float, resident_bytes: int, waiting: Mapping[str, Callable[[], int]]) -> Sample:
    """Look now."""
    return Sample(at_s, resident_bytes, {name: length() for name, length in waiting.items()})
