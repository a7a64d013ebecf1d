"""Whether a flash crash comes: labels of rows by the truth of generated sessions.

A row at time T is CRASH where the fall begins within the horizon, ``begin - within < T <= begin``, and, where labels go
on until half of the fall, in the fall until then, ``T < half``. Later rows have no label until the event is over: what
they show is the crash itself, which needs no forecast. All other rows of the session are NONE.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Final

import numpy as np

from market.errors import Rejected
from market.wire.records import Words
from orchestrator.research.datasets.labels import NO_LABEL, Classes, Move


class Label(Enum):
    """What labels say."""

    MOVE = "move"
    """What the mid does next."""
    CRASH = "crash"
    """Whether a flash crash comes."""


class Until(Enum):
    """How long a row is CRASH."""

    BEGIN = "begin"
    """Until the fall begins: a forecast in the strict sense."""
    HALF = "half"
    """Until half of the fall is over: an early warning."""


class Coming(IntEnum):
    """Classes of labels, numbered so that a model of moves says them: a crash is a move down."""

    CRASH = Move.DOWN
    NONE = Move.SAME


SETTLING_NS: Final = 60_000_000_000
"""How long after the end of a crash it is still that event, as the statistics of detection have it."""


@dataclass(frozen=True)
class CrashTarget:
    """What a dataset of crashes asks.

    Parameters
    ----------
    within_ns: horizon. until: where CRASH ends.
    """

    within_ns: int
    until: Until

    def __post_init__(self) -> None:
        if self.within_ns < 1:
            raise Rejected(f"within_ns was {self.within_ns}: must be at least 1")


@dataclass(frozen=True)
class Fall:
    """The truth of one crash.

    Parameters
    ----------
    begin_ns: of the fall. half_ns: of the first row that shows half of it. end_ns: of the recovery.
    """

    begin_ns: int
    half_ns: int
    end_ns: int

    def __post_init__(self) -> None:
        if not self.begin_ns < self.half_ns <= self.end_ns:
            raise Rejected(
                f"a fall began at {self.begin_ns} ns, was half over at {self.half_ns} and ended at {self.end_ns}: "
                "must be in this order"
            )

    def until_ns(self, until: Until) -> int:
        """Time of the first row that is not CRASH any more."""
        return self.begin_ns + 1 if until is Until.BEGIN else self.half_ns


def half_of_fall(times_ns: Words, double_mids: Words, begin_ns: int, end_ns: int) -> int:
    """Time of the first row whose mid has lost half of what it loses from the beginning of a fall to its lowest.

    Parameters
    ----------
    times_ns: int64[n], rising. double_mids: int64[n].

    Raises Rejected where there are no rows before or in the fall, or the mid does not fall.
    """
    before = int(np.searchsorted(times_ns, begin_ns, side="right")) - 1
    last = int(np.searchsorted(times_ns, end_ns, side="right"))
    inside = double_mids[before + 1 : last]
    if before < 0 or not len(inside) or int(inside.min()) >= int(double_mids[before]):
        raise Rejected(f"no rows show a fall from {begin_ns} to {end_ns} ns: it cannot be labelled")
    first, lowest = int(double_mids[before]), int(inside.min())
    reached = 2 * (first - inside) >= first - lowest
    return int(times_ns[before + 1 + int(np.argmax(reached))])


def crash_labels(times_ns: Words, fall: Fall | None, target: CrashTarget) -> Classes:
    """``Coming`` of the rows of one session, NO_LABEL from the end of CRASH until the event is over.

    Parameters
    ----------
    times_ns: int64[n], rising. fall: None in a session without a crash.
    """
    labels: Classes = np.full(len(times_ns), Coming.NONE, dtype=np.int8)
    if fall is None:
        return labels
    until_ns = fall.until_ns(target.until)
    labels[(times_ns > fall.begin_ns - target.within_ns) & (times_ns < until_ns)] = Coming.CRASH
    labels[(times_ns >= until_ns) & (times_ns < fall.end_ns + SETTLING_NS)] = NO_LABEL
    return labels
