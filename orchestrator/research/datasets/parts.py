"""Training, validation and test in order of time, with nothing in common.

A sample at row t touches rows t - window + 1 (its oldest input) to t + horizon (its label's newest). It belongs to the
part in which all of them lie, and to none if there is no such part: so any two parts are purged by window plus horizon.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from market.errors import Rejected
from market.wire.records import Words
from orchestrator.research.datasets.labels import segment_ends, segment_starts

Parts = NDArray[np.int8]
BEGINNING_NS: Final = -(1 << 63)
END_NS: Final = (1 << 63) - 1


class Part(IntEnum):
    """What a sample is for."""

    NONE = -1
    TRAINING = 0
    VALIDATION = 1
    TEST = 2


@dataclass(frozen=True)
class Reach:
    """The rows that a sample touches: ``window`` up to its own, and ``horizon`` after it."""

    window: int
    horizon: int

    def __post_init__(self) -> None:
        if self.window < 2 or self.horizon < 1:
            raise Rejected(
                f"window was {self.window} and horizon {self.horizon} rows: must be at least 2 and at least 1"
            )


def cut_times(times_ns: Sequence[Words], shares: Sequence[float]) -> list[int]:
    """The times at which shares of all rows lie before, whichever market they are of.

    Parameters
    ----------
    times_ns: int64[n] of each market. shares: rising, above 0 and below 1.

    Raises Rejected for other shares, or without rows.
    """
    rising = all(0.0 < left < right < 1.0 for left, right in zip([1e-12, *shares], shares, strict=False))
    if not rising or not shares:
        raise Rejected(f"the shares of rows before each cut were {list(shares)}: must rise between 0 and 1")
    pooled = np.sort(np.concatenate(list(times_ns)))
    if not len(pooled):
        raise Rejected("there are no rows to cut")
    return [int(pooled[min(len(pooled) - 1, int(share * len(pooled)))]) for share in shares]


def samples_between(times_ns: Words, segments: Words, reach: Reach, from_ns: int, until_ns: int) -> Words:
    """Rows whose samples lie entirely at or after one time and before another, and in one segment."""
    rows = np.arange(len(times_ns))
    first, last = rows - (reach.window - 1), rows + reach.horizon
    whole = np.flatnonzero((first >= segment_starts(segments)) & (last < segment_ends(segments)))
    inside = (times_ns[first[whole]] >= from_ns) & (times_ns[last[whole]] < until_ns)
    found: Words = whole[inside]
    return found


def assign_parts(times_ns: Words, segments: Words, reach: Reach, validation_ns: int, test_ns: int) -> Parts:
    """``Part`` of each row's sample; the validation part begins and the test part begins at these times."""
    parts: Parts = np.full(len(times_ns), Part.NONE, dtype=np.int8)
    for part, from_ns, until_ns in (
        (Part.TRAINING, BEGINNING_NS, validation_ns),
        (Part.VALIDATION, validation_ns, test_ns),
        (Part.TEST, test_ns, END_NS),
    ):
        parts[samples_between(times_ns, segments, reach, from_ns, until_ns)] = part
    return parts
