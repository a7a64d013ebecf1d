"""Reading a whole recording into events, as a replay without decisions."""

from __future__ import annotations

import numpy as np

from market.pipeline import layout
from market.pipeline.loop import collect_events
from market.wire.records import Rows
from sim.replay.feed import FeedSettings
from sim.replay.front import Front, SourceSummary


def replayed(settings: FeedSettings, workers: int = 1) -> tuple[SourceSummary, Rows]:
    """Summary and events of a whole recording."""
    front = Front((settings,), workers)
    rows: list[Rows] = []
    try:
        while True:
            events = np.zeros((1025, layout.EVENT_WORDS), dtype=np.int64)
            count = collect_events(front.words, 1, events, 1024)
            rows.append(events[:count])
            if count < 1024 and events[1024, 0] == layout.DONE:
                return front.summaries()[0], np.concatenate(rows)
            if count < 1024:
                front.refill(-3 - int(events[1024, 0]))
    finally:
        front.close()
