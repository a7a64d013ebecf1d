"""One pass over a session's recording: what the trader's detector says, and what the market did meanwhile."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from market.detector.settings import SECOND_NS, DetectorSettings
from market.detector.states import State
from market.detector.transitions import Transition
from market.wire.records import (
    ASK_PRICE,
    BID_PRICE,
    KIND,
    PRICE,
    QUANTITY,
    QUOTE,
    RECEIVE_NS,
    SNAPSHOT,
    TRADE,
    Batch,
    Rows,
    Words,
)
from sim.replay.source import SourceSettings
from sim.scenarios.hearing import Hearing

LEAD_NS: Final = 75 * SECOND_NS
"""How long the trader must have listened before the first trigger: the mean volume of a minute, and some more."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A moment at which the whole book is in the recording.

    Parameters
    ----------
    receive_ns: of that snapshot. detector: int64[n], the detector's state before it.
    """

    receive_ns: int
    detector: Words


@dataclass(eq=False)
class Heard:
    """What a session sounds like.

    Parameters
    ----------
    transitions: of the detector. spans: begin and end of each ACTIVE, None for one that goes on.
    checkpoint: to play the trader from; None from the start. messages: records.
    quotes: int64[n, 3], time, bid and ask in ticks. trades: int64[m, 3], time, tick, lots.
    """

    transitions: list[Transition]
    spans: list[tuple[int, int | None]]
    checkpoint: Checkpoint | None
    messages: int
    quotes: Rows
    trades: Rows

    @property
    def asleep_ns(self) -> int | None:
        """When the last event was over: the end of RECOVERY; None where it goes on."""
        if not self.transitions or self.transitions[-1].after is not State.SLEEP:
            return None
        return max((one.time_ns for one in self.transitions if one.before is State.RECOVERY), default=None)


@dataclass(eq=False)
class _Kept:
    checkpoints: deque[Checkpoint] = field(default_factory=lambda: deque(maxlen=16))
    quotes: list[Rows] = field(default_factory=list)
    trades: list[Rows] = field(default_factory=list)
    messages: int = 0


def listen(source: SourceSettings, settings: DetectorSettings, begun_ns: int = 0) -> Heard:
    """Decode a recording and let the detector hear it; raises MissingInput where it cannot be read.

    Parameters
    ----------
    begun_ns: beginning of what was generated. Real snapshots before it are no checkpoints: they come late, and continue
        updates from before them.
    """
    hearing, kept = Hearing(source, settings), _Kept()
    for batch in source.open().batches():
        rows = batch.filled()
        _keep(kept, rows)
        _hear(hearing, kept, batch, rows)
    first = next((one.time_ns for one in hearing.transitions if one.after is State.ACTIVE), None)
    begun = max(
        (one.time_ns for one in hearing.transitions if one.after is State.ALERT and one.time_ns <= (first or 0)),
        default=0,
    )
    usable = [checkpoint for checkpoint in kept.checkpoints if begun_ns <= checkpoint.receive_ns <= begun - LEAD_NS]
    return Heard(
        hearing.transitions,
        hearing.spans,
        usable[-1] if usable else None,
        kept.messages,
        np.concatenate([np.zeros((0, 3), dtype=np.int64), *kept.quotes]),
        np.concatenate([np.zeros((0, 3), dtype=np.int64), *kept.trades]),
    )


def _hear(hearing: Hearing, kept: _Kept, batch: Batch, rows: Rows) -> None:
    """Let the detector hear a batch; before a snapshot it is written down, until there is a first event."""
    start = 0
    for place in np.flatnonzero(rows[:, KIND] == SNAPSHOT).tolist():
        hearing.take(batch, rows[start:place])
        if not hearing.spans:
            kept.checkpoints.append(Checkpoint(int(rows[place, RECEIVE_NS]), hearing.detector.state.copy()))
        start = place
    hearing.take(batch, rows[start:])


def _keep(kept: _Kept, rows: Rows) -> None:
    kept.messages += len(rows)
    quotes, trades = rows[rows[:, KIND] == QUOTE], rows[rows[:, KIND] == TRADE]
    kept.quotes.append(quotes[:, [RECEIVE_NS, BID_PRICE, ASK_PRICE]])
    kept.trades.append(trades[:, [RECEIVE_NS, PRICE, QUANTITY]])
