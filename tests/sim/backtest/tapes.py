"""Small tapes, written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from market.wire.markets import Market
from sim.backtest import layout
from sim.backtest.core import BacktestCore
from sim.backtest.layout import Report, TapeKind
from sim.backtest.tape import Tape, TapeMarket
from sim.matching.layout import EventKind, Reason

FEED_NS = 5
"""From what happens at the exchange to its receipt, unless a tape says otherwise."""
Levels = Sequence[tuple[int, int]]


@dataclass
class TapeWriter:
    """Rows in the order of the exchange's time."""

    feed_ns: int = FEED_NS
    rows: list[list[int]] = field(default_factory=list)
    bids: list[tuple[int, int]] = field(default_factory=list)
    asks: list[tuple[int, int]] = field(default_factory=list)

    def book(self, time_ns: int, bids: Levels = (), asks: Levels = (), *, kind: TapeKind = TapeKind.DIFF) -> TapeWriter:
        """An update of the book, or with another kind a whole one."""
        place = [len(self.bids), len(bids), len(self.asks), len(asks)]
        self.rows.append([int(kind), 0, time_ns, time_ns + self.feed_ns, *place])
        self.bids += bids
        self.asks += asks
        return self

    def snapshot(self, time_ns: int, bids: Levels, asks: Levels) -> TapeWriter:
        """A whole book."""
        return self.book(time_ns, bids, asks, kind=TapeKind.SNAPSHOT)

    def gap(self, time_ns: int) -> TapeWriter:
        """The book is lost."""
        return self.book(time_ns, kind=TapeKind.GAP)

    def trade(self, time_ns: int, price: int, lots: int, aggressor: int) -> TapeWriter:
        """A trade; the aggressor as in ``market.wire.records``."""
        number = len(self.rows)
        self.rows.append([int(TapeKind.TRADE), 0, time_ns, time_ns + self.feed_ns, price, lots, aggressor, number])
        return self

    def quote(self, time_ns: int, bid: tuple[int, int], ask: tuple[int, int]) -> TapeWriter:
        """Best prices and their lots, newer than the book."""
        self.rows.append([int(TapeKind.QUOTE), 0, time_ns, time_ns + self.feed_ns, *bid, *ask])
        return self

    def funding(self, time_ns: int, rate_ppb: int, mark_doubled: int = 0) -> TapeWriter:
        """Funding is paid; a mark of 0: on the middle."""
        self.rows.append([int(TapeKind.FUNDING), 0, time_ns, time_ns, rate_ppb, mark_doubled, 0, 0])
        return self

    def tape(self) -> Tape:
        """What was written."""
        rows = np.array(self.rows, dtype=np.int64).reshape(-1, layout.TAPE_WIDTH)
        received = np.argsort(rows[:, layout.RECEIVE_NS], kind="stable")
        bids, asks = (np.array([(0, 0), *side], dtype=np.int64)[1:] for side in (self.bids, self.asks))
        market = TapeMarket("venue", Market("AB", 0, 0))
        return Tape(rows, received, np.ascontiguousarray(bids), np.ascontiguousarray(asks), (market,), ())


def told(core: BacktestCore, until_ns: int | None = None) -> list[tuple[EventKind, int, int, int]]:
    """Kind, id, price and lots of the reports that have arrived."""
    return [
        (EventKind(report[Report.KIND]), report[Report.ID], report[Report.PRICE], report[Report.LOTS])
        for report in core.reports(0, until_ns).tolist()
    ]


def reason(core: BacktestCore) -> Reason:
    """Why the last report that has arrived says what it says."""
    return Reason(core.reports(0).tolist()[-1][Report.REASON])
