"""All sources of a replay side by side: their batches, books and routes, as the compiled loop reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from market.book import book as header
from market.book.book import BOOK_WORDS
from market.errors import Fatal, MissingInput
from market.pipeline import layout
from market.wire import records
from market.wire.records import Batch, Reject, Rows, Words
from sim.recording.damage import Damage
from sim.replay.feed import FeedSettings, OwnBooks


@dataclass(frozen=True)
class SourceSummary:
    """What one recording held and what became of it.

    Parameters
    ----------
    rejects: refused messages by reason. first_lines: line of the first of each.
    gaps, resyncs: of all its books; synchronised: whether every book that had depth ended synchronised.
    book_checks, book_equal: comparisons of a rebuilt book with a quote that the venue had stated at the same id;
        late_checks, late_equal: where the quote came after the update.
    snapshot_checks, snapshot_equal: comparisons of a rebuilt book with a later snapshot of the same update.
    transport: what a capture of packets carried below its messages, by name.
    irregular: messages out of the ordinary by ``layout.Irregular``. first_irregular: line of the first of each.
    """

    name: str
    path: str
    messages: int
    ignored: int
    trades: int
    diffs: int
    snapshots: int
    quotes: int
    rejects: dict[str, int]
    first_lines: dict[str, int]
    irregular: dict[str, int]
    first_irregular: dict[str, int]
    unrouted: int
    gaps: int
    resyncs: int
    pruned: int
    synchronised: bool
    book_checks: int
    book_equal: int
    late_checks: int
    late_equal: int
    snapshot_checks: int
    snapshot_equal: int
    first_ns: int
    last_ns: int
    damage: tuple[Damage, ...]
    transport: dict[str, int]


class _Feeder:
    """Hands out a source's batches, decoding the next one in the background when there is a pool."""

    def __init__(self, batches: Iterator[Batch], pool: ThreadPoolExecutor | None) -> None:
        self._batches = batches
        self._pool = pool
        self._next: Future[Batch | None] | None = None
        self._prefetch()

    def _prefetch(self) -> None:
        if self._pool is not None:
            self._next = self._pool.submit(next, self._batches, None)

    def take(self) -> Batch | None:
        """The next batch, None at the end of the recording."""
        if self._next is None:
            return next(self._batches, None)
        batch = self._next.result()
        if batch is not None:
            self._prefetch()
        return batch


class Front:
    """Sources as the compiled loop reads them.

    Parameters
    ----------
    workers: threads that decode; the order of decisions does not depend on it.

    Members
    -------
    words: int64 rows of ``layout.SOURCE_WORDS``, one per source.
    """

    def __init__(self, settings: Sequence[FeedSettings], workers: int) -> None:
        if not settings:
            raise Fatal("a replay needs at least one source")
        self.settings = tuple(settings)
        self.words: Words = np.zeros(len(settings) * layout.SOURCE_WORDS, dtype=np.int64)
        self._sources = [source.open() for source in settings]
        self._books = [source.new_books() for source in settings]
        self._routes = [_routes(source) for source in settings]
        self._held: list[Batch | None] = [None] * len(settings)
        self._pool = ThreadPoolExecutor(workers, "decode") if workers > 1 else None
        self._feeders = [_Feeder(source.batches(), self._pool) for source in self._sources]
        for index in range(len(settings)):
            row = self.row(index)
            row[layout.BOOKS] = self._books[index].ctypes.data
            row[layout.ROUTES] = self._routes[index].ctypes.data
            self.refill(index)

    def __len__(self) -> int:
        return len(self.settings)

    def row(self, index: int) -> Words:
        """A source's row."""
        return self.words[index * layout.SOURCE_WORDS :][: layout.SOURCE_WORDS]

    @property
    def content_bytes(self) -> int:
        """Decompressed bytes read so far, of all sources."""
        return sum(source.content_bytes for source in self._sources)

    def refill(self, index: int) -> None:
        """Give the source its next batch, or mark it finished."""
        batch = self._feeders[index].take()
        row = self.row(index)
        row[layout.POSITION] = 0
        row[layout.COUNT] = batch.count if batch else 0
        row[layout.FINISHED] = batch is None
        self._held[index] = batch
        if batch is not None:
            row[layout.RECORDS] = batch.records.ctypes.data
            row[layout.BIDS] = batch.bids.ctypes.data
            row[layout.ASKS] = batch.asks.ctypes.data

    def start_ns(self) -> int:
        """Receive time of the first readable message of all; raises MissingInput when there is none at the start."""
        earliest: list[int] = []
        for batch in self._held:
            rows = batch.filled() if batch is not None else np.zeros((0, records.WIDTH), dtype=np.int64)
            readable = rows[rows[:, records.KIND] != records.REJECTED]
            if len(readable):
                earliest.append(int(readable[0, records.RECEIVE_NS]))
        if not earliest:
            names = ", ".join(str(source.path) for source in self.settings)
            raise MissingInput(
                f"no readable message at the start of {names}; `tickwire inspect` shows what is in a file"
            )
        return min(earliest)

    def close(self) -> None:
        """Stop the decoding threads."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def summaries(self) -> list[SourceSummary]:
        """What each source held so far."""
        return [self._summary(index) for index in range(len(self))]

    def _summary(self, index: int) -> SourceSummary:
        source, row = self._sources[index], self.row(index)
        books = self._books[index].reshape(-1, BOOK_WORDS)
        own = source.own_books or _own_books(books)

        def total(counter: int) -> int:
            return int(books[:, counter].sum())

        reasons = [reason for reason in Reject if row[layout.REJECTS + reason]]
        irregular = [kind for kind in layout.Irregular if row[layout.IRREGULAR + kind]]
        return SourceSummary(
            name=source.settings.name,
            path=str(source.settings.path),
            messages=int(row[layout.MESSAGES]),
            ignored=int(row[layout.IGNORED]),
            trades=int(row[layout.TRADES]),
            diffs=own.diffs,
            snapshots=own.snapshots,
            quotes=total(header.QUOTES),
            rejects={reason.name: int(row[layout.REJECTS + reason]) for reason in reasons},
            first_lines={reason.name: int(row[layout.FIRST_LINES + reason]) for reason in reasons},
            irregular={kind.name: int(row[layout.IRREGULAR + kind]) for kind in irregular},
            first_irregular={kind.name: int(row[layout.FIRST_IRREGULAR + kind]) for kind in irregular},
            unrouted=int(row[layout.UNROUTED]),
            gaps=own.gaps,
            resyncs=own.resyncs,
            pruned=total(header.PRUNED),
            synchronised=own.synchronised,
            book_checks=total(header.CHECKS),
            book_equal=total(header.EQUAL),
            late_checks=total(header.LATE_CHECKS),
            late_equal=total(header.LATE_EQUAL),
            snapshot_checks=total(header.SNAPSHOT_CHECKS),
            snapshot_equal=total(header.SNAPSHOT_EQUAL),
            first_ns=int(row[layout.FIRST_NS]),
            last_ns=int(row[layout.LAST_NS]),
            damage=tuple(source.damage),
            transport=dict(source.transport),
        )


def _own_books(books: Rows) -> OwnBooks:
    """State of the books of a source, rows of ``BOOK_WORDS``."""
    used = books[(books[:, header.DIFFS] > 0) | (books[:, header.SNAPSHOTS] > 0)]
    return OwnBooks(
        diffs=int(books[:, header.DIFFS].sum()),
        snapshots=int(books[:, header.SNAPSHOTS].sum()),
        gaps=int(books[:, header.GAPS].sum()),
        resyncs=int(books[:, header.RESYNCS].sum()),
        synchronised=bool(len(used) and used[:, header.SYNCHRONISED].all()),
    )


def _routes(settings: FeedSettings) -> Words:
    """One row per market; raises Fatal when a route's exponents cannot carry the market's ticks and lots."""
    rows = np.zeros((len(settings.markets), layout.ROUTE_WORDS), dtype=np.int64)
    for row, market, route in zip(rows, settings.markets, settings.routes, strict=True):
        row[layout.INSTRUMENT] = -1
        row[layout.PRICE_FACTOR] = row[layout.QUANTITY_FACTOR] = 1
        if route is None:
            continue
        price_digits = -route.price_exponent - market.price_decimals
        quantity_digits = -route.quantity_exponent - market.quantity_decimals
        if price_digits < 0 or quantity_digits < 0:
            raise Fatal(
                f"{settings.name} {market.symbol}: exponents {route.price_exponent} and {route.quantity_exponent} "
                f"cannot carry {market.price_decimals} and {market.quantity_decimals} decimals"
            )
        row[layout.INSTRUMENT], row[layout.VENUE] = route.instrument, route.venue
        row[layout.PRICE_EXPONENT], row[layout.QUANTITY_EXPONENT] = route.price_exponent, route.quantity_exponent
        row[layout.PRICE_FACTOR], row[layout.QUANTITY_FACTOR] = 10**price_digits, 10**quantity_digits
        row[layout.NUMBERED] = settings.numbered
    return rows.reshape(-1)
