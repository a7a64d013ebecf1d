"""The depth of one recorded venue, decoded once: what the books of other packages are fed with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.recordings import Recording
from config.venues import VenueName
from market.book import book as header
from market.book.book import new_books
from market.book.intake import take_records
from market.errors import Fatal
from market.wire import records
from market.wire.markets import market_table
from market.wire.records import Batch, Kind, Rows, Words
from sim.replay.source import SourceSettings

Levels = list[tuple[int, int]]
"""(ticks, lots); 0 lots removes."""


@dataclass(frozen=True)
class Update:
    """One depth update, as lists: receive and event time in ns, last update id, levels."""

    receive_ns: int
    event_ns: int
    last_id: int
    bids: Levels
    asks: Levels


class Depth:
    """A venue's recording in one batch, and its depth from the snapshot on.

    Attributes
    ----------
    batch: every record of the venue. rows: int64[n, WIDTH], the snapshot, then every diff that it does not contain.
    snapshot, updates: the same as lists.
    """

    def __init__(self, recording: Recording, venue: VenueName) -> None:
        names = [source.name for source in recording.sources]
        self.source: SourceSettings = recording.sources[names.index(venue.value)]
        self.text = recording.text(venue)
        self.table = market_table(list(self.source.markets))
        self.batch = self.decode(self.text)
        filled = self.batch.filled()
        snapshots = filled[filled[:, records.KIND] == Kind.SNAPSHOT]
        if not len(snapshots):
            raise Fatal(f"{venue.value}: the recording holds no snapshot to begin a book with")
        begins = int(snapshots[0, records.LAST_ID])
        diffs = filled[(filled[:, records.KIND] == Kind.DIFF) & (filled[:, records.LAST_ID] >= begins)]
        self.rows: Rows = np.concatenate((snapshots[:1], diffs))
        self.snapshot, *self.updates = (self._update(row) for row in self.rows)

    def decode(self, text: bytes) -> Batch:
        """Lines of this venue, decoded into one batch that holds them all."""
        batch = Batch(text.count(b"\n") + 1, text.count(b"["))
        batch.restart()
        source = self.source
        source.venue.decode_lines(
            text, source.maximum_jump_ns, self.table, batch.records, batch.bids, batch.asks, batch.cursor, 0
        )
        return batch

    def levels(self, updates: int) -> int:
        """Levels of the first updates, without the snapshot's."""
        return sum(len(update.bids) + len(update.asks) for update in self.updates[:updates])

    def new_book(self) -> Words:
        """An empty book of ours for this venue."""
        return new_books([self.source.venue.rule], needs_book=False)

    def take(self, book: Words, first: int, last: int) -> None:
        """Apply rows ``first`` to ``last`` to a book of ours; row 0 is the snapshot."""
        rows = self.rows[first:last]
        take_records(book, rows, len(rows), self.batch.bids, self.batch.asks)

    def top(self, updates: int) -> tuple[int, int]:
        """Best bid and ask in ticks after so many updates."""
        book = self.new_book()
        self.take(book, 0, updates + 1)
        return int(book[header.TOP_BID]), int(book[header.TOP_ASK])

    def lines(self, updates: int) -> bytes:
        """The recorded lines of the first updates."""
        all_lines = self.text.splitlines(keepends=True)
        return b"".join(all_lines[int(row[records.LINE]) - 1] for row in self.rows[1 : updates + 1])

    def buffered_lines(self) -> list[bytes]:
        """The recorded lines of the snapshot and of every diff from the first that it does not contain."""
        all_lines = self.text.splitlines()
        return [all_lines[int(row[records.LINE]) - 1] for row in self.rows]

    def _update(self, row: Words) -> Update:
        start, count = int(row[records.BIDS_START]), int(row[records.BIDS])
        bids = self.batch.bids[start : start + count].tolist()
        start, count = int(row[records.ASKS_START]), int(row[records.ASKS])
        asks = self.batch.asks[start : start + count].tolist()
        return Update(
            int(row[records.RECEIVE_NS]),
            int(row[records.EVENT_NS]),
            int(row[records.LAST_ID]),
            [(price, quantity) for price, quantity in bids],
            [(price, quantity) for price, quantity in asks],
        )
