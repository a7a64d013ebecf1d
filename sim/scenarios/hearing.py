"""What the flash-crash trader's detector hears of a recording, in one compiled pass.

At each change of the best prices the whole book, each trade, and the time ten times a second: as
``orchestrator.strategies.flash_crash`` hears it, event for event, without waking any Python.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from market.book.book import BOOK_WORDS, STARTED, SYNCHRONISED
from market.book.intake import take_record
from market.book.top import CHANGED, WITHDRAWN
from market.detector.detector import Detector
from market.detector.record_intake import concerns, see_record
from market.detector.settings import DetectorSettings
from market.detector.states import State
from market.detector.streaming import advance
from market.detector.transitions import Transition
from market.native.kernel import entry
from market.native.memory import address_of, get, put
from market.wire.records import DIFF, GAP, KIND, RECEIVE_NS, TRADE, WIDTH, Batch, Rows, Words
from sim.replay.source import SourceSettings

GRID_NS: Final = 100_000_000
"""Time is told at every multiple of this."""
_SIGNS: Final = 64


@entry("int64(int64[::1], int64[::1], int64, int64[:, ::1], int64, int64[:, ::1], int64[:, ::1], int64[::1], int64)")
def hear_records(
    detector: Words,
    books: Words,
    market: int,
    records: Rows,
    count: int,
    bids: Rows,
    asks: Rows,
    sign: Words,
    told_ns: int,
) -> int:
    """Take one market's records of a batch; returns the time that was told last.

    Parameters
    ----------
    sign: int64[WIDTH], of which kind and time are written. told_ns: as returned, 0 before the first record.
    """
    base, scratch = address_of(detector), address_of(sign)
    book = address_of(books) + 8 * BOOK_WORDS * market
    for index in range(count):
        row = address_of(records) + 8 * WIDTH * index
        if not concerns(row, market):
            continue
        now_ns = get(row, RECEIVE_NS)
        if told_ns == 0:
            told_ns = now_ns // GRID_NS * GRID_NS
        while told_ns + GRID_NS <= now_ns:
            told_ns += GRID_NS
            advance(base, told_ns)
        if get(row, KIND) == TRADE:
            see_record(base, book, row, 0)
            continue
        change = take_record(book, row, address_of(bids), address_of(asks))
        if change == CHANGED or change == WITHDRAWN:
            is_lost = change == WITHDRAWN and get(book, STARTED) != 0 and get(book, SYNCHRONISED) == 0
            put(scratch, KIND, GAP if is_lost else DIFF)
            put(scratch, RECEIVE_NS, now_ns)
            see_record(base, book, scratch, change)
    return told_ns


class Hearing:
    """A detector that hears one market of a recording, batch by batch.

    Members
    -------
    detector: the detector. transitions: all so far.
    """

    def __init__(self, source: SourceSettings, settings: DetectorSettings, market: int = 0) -> None:
        self.detector = Detector(settings)
        self.transitions: list[Transition] = []
        self._books = source.new_books()
        self._market = market
        self._sign: Words = np.zeros(_SIGNS, dtype=np.int64)
        self._told_ns = 0

    def take(self, batch: Batch, rows: Rows) -> None:
        """Take records of a batch."""
        self._told_ns = hear_records(
            self.detector.state,
            self._books,
            self._market,
            rows,
            len(rows),
            batch.bids,
            batch.asks,
            self._sign,
            self._told_ns,
        )
        self.transitions += self.detector.transitions()

    @property
    def spans(self) -> list[tuple[int, int | None]]:
        """When each ACTIVE began and ended, in ns; None for one that goes on."""
        found: list[tuple[int, int | None]] = []
        for one in self.transitions:
            if one.after is State.ACTIVE:
                found.append((one.time_ns, None))
            elif one.before is State.ACTIVE and found:
                found[-1] = (found[-1][0], one.time_ns)
        return found
