"""Small sessions and what a reader makes of their lines, for the tests beside it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from config.scenarios import ScenarioKind, ScenarioSettings
from config.venues import VenueName
from market.book.book import new_books
from market.book.continuity import Rule
from market.book.intake import take_records
from market.wire.binance_json import decode_lines
from market.wire.markets import Market, market_table
from market.wire.records import CURSOR_POSITION, KIND, Batch, Words
from sim.scenarios.plan import SessionPlan, draw_plan
from sim.scenarios.recording import session_lines

USDM = VenueName.BINANCE_USDM
SHORT = ScenarioSettings(duration_s=240)


@dataclass(frozen=True, eq=False)
class Read:
    """Records of a session, int64[n, 16], and the header of its book at the end."""

    records: NDArray[np.int64]
    book: Words

    def of(self, kind: int) -> NDArray[np.int64]:
        """Records of one kind."""
        chosen: NDArray[np.int64] = self.records[self.records[:, KIND] == kind]
        return chosen


@lru_cache(maxsize=8)
def plan_of(kind: ScenarioKind, seed: int = 5) -> SessionPlan:
    """A session of four minutes."""
    return draw_plan(SHORT, kind, seed)


@lru_cache(maxsize=8)
def text_of(kind: ScenarioKind, seed: int = 5) -> bytes:
    """All its lines."""
    return b"".join(session_lines(plan_of(kind, seed)))


@lru_cache(maxsize=8)
def read(kind: ScenarioKind, seed: int = 5) -> Read:
    """The lines as the venue's decoder and book take them."""
    block = text_of(kind, seed)
    table, batch, books = market_table([Market("BTCUSDT", 1, 3)]), Batch(), new_books([Rule.CHAINED_OVERLAP])
    records: list[NDArray[np.int64]] = []
    batch.restart()
    while batch.cursor[CURSOR_POSITION] < len(block):
        batch.clear()
        count = decode_lines(block, 10**10, table, batch.records, batch.bids, batch.asks, batch.cursor, 0)
        take_records(books, batch.records, count, batch.bids, batch.asks)
        records.append(batch.filled().copy())
    return Read(np.concatenate(records), books)
