"""All recordings of a replay side by side, as the compiled loop reads them, and the market signals beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from market.book import book as header
from market.errors import Fatal, MissingInput
from market.pipeline import layout
from market.pipeline.samples import SampleMerge, Samples, no_samples
from market.pipeline.signal_stage import FinalSignals, SignalPlan, SignalStage
from market.pipeline.sources import Sources
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


@dataclass(frozen=True)
class SignalSummary:
    """The market signals at the end of a replay.

    Parameters
    ----------
    interval_ns: of the samples. markets: in the order of the sources.
    records: taken by all markets; ticks: of the time-stamp counter that they took.
    """

    interval_ns: int
    markets: tuple[FinalSignals, ...]
    records: int
    ticks: int


@dataclass(frozen=True)
class _Fed:
    """A batch with the samples that it completed, and the source's newest time then."""

    batch: Batch
    samples: Samples
    clock_ns: int


def _fed(batches: Iterator[Batch], stage: SignalStage | None) -> Iterator[_Fed]:
    for batch in batches:
        samples = stage.take(batch) if stage is not None else no_samples()
        yield _Fed(batch, samples, stage.clock_ns if stage is not None else 0)


class _Feeder:
    """Hands out a source's batches, making the next one in the background when there is a pool."""

    def __init__(self, batches: Iterator[_Fed], pool: ThreadPoolExecutor | None) -> None:
        self._batches = batches
        self._pool = pool
        self._next: Future[_Fed | None] | None = None
        self._prefetch()

    def _prefetch(self) -> None:
        if self._pool is not None:
            self._next = self._pool.submit(next, self._batches, None)

    def take(self) -> _Fed | None:
        """The next batch, None at the end of the recording."""
        if self._next is None:
            return next(self._batches, None)
        fed = self._next.result()
        if fed is not None:
            self._prefetch()
        return fed


class Front:
    """Sources as the compiled loop reads them.

    Parameters
    ----------
    workers: threads that decode; neither decisions nor signals depend on it.
    signals: the market signals that are sampled beside the decisions; None for none.
    """

    def __init__(self, settings: Sequence[FeedSettings], workers: int, signals: SignalPlan | None = None) -> None:
        if not settings:
            raise Fatal("a replay needs at least one source")
        self.settings = tuple(settings)
        self._plan = signals
        self._recordings = [source.open() for source in settings]
        self._sources = Sources(settings)
        self._stages = [SignalStage(source, signals) if signals is not None else None for source in settings]
        self._samples = SampleMerge(len(settings))
        self._pool = ThreadPoolExecutor(workers, "decode") if workers > 1 else None
        self._feeders = [
            _Feeder(_fed(recording.batches(), stage), self._pool)
            for recording, stage in zip(self._recordings, self._stages, strict=True)
        ]
        for index in range(len(settings)):
            self.refill(index)

    def __len__(self) -> int:
        return len(self.settings)

    @property
    def words(self) -> Words:
        """Rows of ``layout.SOURCE_WORDS``, int64, one per source."""
        return self._sources.words

    @property
    def content_bytes(self) -> int:
        """Decompressed bytes read so far, of all sources."""
        return sum(recording.content_bytes for recording in self._recordings)

    def refill(self, index: int) -> None:
        """Give the source its next batch, or mark it finished."""
        fed = self._feeders[index].take()
        self._sources.give(index, fed.batch if fed is not None else None)
        if fed is None:
            self._samples.end(index)
        else:
            self._samples.add(index, fed.samples, fed.clock_ns)

    def take_samples(self) -> Samples:
        """Samples of the market signals in order of time, once there are enough of them; see ``SampleMerge``."""
        return self._samples.take()

    def take_last_samples(self) -> Samples:
        """All samples that are left."""
        return self._samples.take_rest()

    def start_ns(self) -> int:
        """Receive time of the first readable message of all; raises MissingInput when there is none at the start."""
        start_ns = self._sources.start_ns()
        if start_ns is None:
            names = ", ".join(str(source.path) for source in self.settings)
            raise MissingInput(
                f"no readable message at the start of {names}; `tickwire inspect` shows what is in a file"
            )
        return start_ns

    def close(self) -> None:
        """Stop the decoding threads."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def signal_summary(self) -> SignalSummary | None:
        """The market signals as they are; None without any. Only after ``close``: decoding threads write them."""
        if self._plan is None:
            return None
        stages = [stage for stage in self._stages if stage is not None]
        return SignalSummary(
            interval_ns=self._plan.interval_ns,
            markets=tuple(market for stage in stages for market in stage.final()),
            records=sum(stage.records for stage in stages),
            ticks=sum(stage.ticks for stage in stages),
        )

    def summaries(self) -> list[SourceSummary]:
        """What each source held so far."""
        return [self._summary(index) for index in range(len(self))]

    def _summary(self, index: int) -> SourceSummary:
        source, row = self._recordings[index], self._sources.row(index)
        books = self._sources.books(index)
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
