"""The market data of a run's tape, as the backtester reads recordings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from market.book.book import IN_BAND, RULE
from market.book.continuity import Rule
from market.book.intake import take_records
from market.errors import MissingInput
from market.wire import records
from market.wire.markets import Market
from market.wire.records import CURSOR_ASKS, CURSOR_BIDS, CURSOR_RECORDS, WIDTH, Batch, Rows, Words
from market.wire.venues import VENUES
from orchestrator.tape.calls import Call, Head, Source, Taken
from sim.backtest.tape import RecordedColumns, columns_of
from sim.recording.damage import Damage
from sim.replay.feed import FeedMarket, OwnBooks, Route
from sim.replay.source import SourceSettings


@dataclass(frozen=True, eq=False)
class TapedSource:
    """One source of a tape; as ``sim.replay.feed.FeedSettings`` and, opened, ``RecordedFeed``.

    Parameters
    ----------
    source: as the tape's head has it. path: of the tape. taken: what the run took from it, in order.
    begins_ns: what was received before this is in the books from the beginning, and in no batch.
    """

    source: Source
    path: Path
    taken: Sequence[Taken]
    begins_ns: int = 0

    @property
    def name(self) -> str:
        """A venue."""
        return self.source.name

    @property
    def numbered(self) -> bool:
        """As the run had it."""
        return self.source.numbered

    @property
    def markets(self) -> Sequence[FeedMarket]:
        """As the run had them."""
        return self.source.markets

    @property
    def routes(self) -> Sequence[Route | None]:
        """As the run had them."""
        return [
            None
            if route is None
            else Route(route.instrument, route.venue, route.price_exponent, route.quantity_exponent)
            for route in self.source.routes
        ]

    @property
    def settings(self) -> TapedSource:
        """Itself."""
        return self

    @property
    def damage(self) -> Sequence[Damage]:
        """None: a tape is whole or ends."""
        return ()

    @property
    def content_bytes(self) -> int:
        """Bytes of records."""
        return sum(len(taken.records or b"") for taken in self.taken)

    @property
    def own_books(self) -> OwnBooks | None:
        """None: the records are what the run's books were made of."""
        return None

    @property
    def transport(self) -> Mapping[str, int]:
        """Nothing."""
        return {}

    def new_books(self) -> Words:
        """Books as the run's were when it began."""
        books = np.frombuffer(self.source.books, dtype="<i8").astype(np.int64)
        for batch in map(_batch, self.taken if self.begins_ns else ()):
            early = int(np.searchsorted(batch.filled()[:, records.RECEIVE_NS], self.begins_ns))
            take_records(books, batch.records, early, batch.bids, batch.asks)
        return books

    def open(self) -> TapedSource:
        """Itself: everything is in memory."""
        return self

    def batches(self) -> Iterator[Batch]:
        """What the run took after it had begun, batch by batch."""
        for batch in map(_batch, self.taken):
            early = int(np.searchsorted(batch.filled()[:, records.RECEIVE_NS], self.begins_ns))
            if early < batch.count:
                batch.records[: batch.count - early] = batch.filled()[early:].copy()
                batch.cursor[CURSOR_RECORDS] = batch.count - early
                yield batch

    def columns(self) -> RecordedColumns:
        """All that the run took, as one recording; raises MissingInput when it holds nothing."""
        parts: list[RecordedColumns] = []
        bids = asks = 0
        for batch in map(_batch, self.taken):
            part = columns_of(batch)
            has_levels = np.isin(part.rows[:, records.KIND], (records.DIFF, records.SNAPSHOT))
            part.rows[:, records.BIDS_START] += np.where(has_levels, bids, 0)
            part.rows[:, records.ASKS_START] += np.where(has_levels, asks, 0)
            bids, asks = bids + len(part.bids), asks + len(part.asks)
            parts.append(part)
        if not parts:
            raise MissingInput(f"{self.path} holds no market data of {self.name}: there is nothing to test against")
        return RecordedColumns(
            np.concatenate([part.rows for part in parts]),
            np.concatenate([part.bids for part in parts]),
            np.concatenate([part.asks for part in parts]),
        )

    def as_recording(self) -> SourceSettings:
        """How its books are kept at the exchange: by the rule of the run's books, quotes numbered as the venue does."""
        known, books = VENUES.get(self.name, VENUES["binance-spot"]), self.new_books()
        venue = replace(
            known,
            rule=Rule(int(books[RULE])),
            in_band=bool(books[IN_BAND]),
            numbered=self.name in VENUES and known.numbered,
        )
        markets = tuple(
            Market(market.symbol, market.price_decimals, market.quantity_decimals) for market in self.source.markets
        )
        return SourceSettings(
            name=self.name, path=self.path, venue=venue, markets=markets, routes=tuple(self.routes)
        )  # fmt: skip


def taped_sources(path: Path, head: Head, calls: Iterable[Call]) -> tuple[TapedSource, ...]:
    """The sources of a tape; reads its calls to the end."""
    taken: list[list[Taken]] = [[] for _ in head.sources]
    for call in calls:
        if isinstance(call, Taken) and call.records:
            taken[call.source].append(call)
    return tuple(TapedSource(source, path, part) for source, part in zip(head.sources, taken, strict=True))


def receipts(sources: Iterable[TapedSource]) -> Words:
    """When each record was received, in order: int64[n]."""
    times = [
        np.frombuffer(taken.records or b"", dtype="<i8").reshape(-1, WIDTH) for each in sources for taken in each.taken
    ]
    if not times:
        return np.zeros(0, dtype=np.int64)
    return np.sort(np.concatenate([rows[:, records.RECEIVE_NS] for rows in times])).astype(np.int64)


def _batch(taken: Taken) -> Batch:
    rows = np.frombuffer(taken.records or b"", dtype="<i8").reshape(-1, WIDTH)
    bids, asks = _levels(taken.bids), _levels(taken.asks)
    batch = Batch(max(len(rows), 1), max(len(bids), len(asks), 1))
    batch.records[: len(rows)], batch.bids[: len(bids)], batch.asks[: len(asks)] = rows, bids, asks
    batch.cursor[[CURSOR_RECORDS, CURSOR_BIDS, CURSOR_ASKS]] = len(rows), len(bids), len(asks)
    return batch


def _levels(side: bytes | None) -> Rows:
    return np.frombuffer(side or b"", dtype="<i8").reshape(-1, 2).astype(np.int64)
