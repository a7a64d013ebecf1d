"""Market data of a simulated venue: books that begin, go on, break and begin again."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from market.book.book import LAST_ID, SYNCHRONISED, TOP_ASK, TOP_BID
from market.book.intake import take_records
from market.errors import Fatal
from market.orders.kinds import Side
from market.protocols import FeedStatus
from market.wire import records
from market.wire.records import Kind, Words
from sim.exchange.venue.venue import SimulatedVenue
from sim.faults.plan import Channel, Fault, FaultKind
from sim.feed.venue_feed import FeedModel, VenueFeed
from sim.replay.feed import Route
from tests.sim.virtual.lines import MS, SECOND_NS, START_NS, SYMBOL, fault, line


@dataclass
class Reader:
    """A feed, and the book that its records make. A level changes every 20 ms at the venue."""

    faults: tuple[Fault, ...] = ()
    kinds: list[tuple[float, Kind]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.line = line(*self.faults)
        self.clock = self.line.clock
        self.feed = VenueFeed([(self.line, [Route(0, 0, -8, -8)])], self.clock, FeedModel(), START_NS + 9 * SECOND_NS)
        self.book = self.feed.sources[0].new_books()
        self.feed.start()
        for step in range(400):
            self.clock.at(START_NS + (20 * step + 10) * MS, lambda: self.line.act(self._change))

    def go_on(self, until_ms: float) -> None:
        end_ns = START_NS + round(until_ms * MS)
        now_ns = self.clock.now_ns()
        while now_ns < end_ns:
            now_ns = self.clock.wait_until(end_ns)
            batch = self.feed.take(0)
            if batch is not None:
                take_records(self.book, batch.records, batch.count, batch.bids, batch.asks)
                for row in batch.filled():
                    assert row[records.RECEIVE_NS] == now_ns
                    self.kinds.append(((now_ns - START_NS) / MS, Kind(row[records.KIND])))

    def times(self, kind: Kind) -> list[float]:
        return [at for at, seen in self.kinds if seen is kind]

    @property
    def is_current(self) -> bool:
        """Whether the book is synchronised and the venue's own, at the latest but for what is on its way."""
        missing = self.line.venue.depth(SYMBOL).last_update_id - self.book[LAST_ID]
        return bool(self.book[SYNCHRONISED]) and 0 <= missing <= 1

    def _change(self, venue: SimulatedVenue, now_ns: int) -> None:
        venue.set_level(SYMBOL, Side.BUY, 9_990, 1 + (now_ns // MS) % 977, now_ns)


def test_a_book_begins_with_a_snapshot_and_follows_the_venue() -> None:
    reader = Reader()
    reader.go_on(500)
    assert reader.times(Kind.SNAPSHOT) == [4]
    assert len(reader.times(Kind.DIFF)) >= 20
    assert reader.is_current
    assert (reader.book[TOP_BID], reader.book[TOP_ASK]) == (9_999, 10_001)


def test_trades_are_told_with_their_aggressor() -> None:
    reader = Reader()
    reader.go_on(100)
    reader.line.act(lambda venue, now_ns: venue.inject(SYMBOL, Side.SELL, 9_999, 700, now_ns))
    found: list[Words] = []
    while not found:
        reader.clock.wait_until(START_NS + SECOND_NS)
        batch = reader.feed.take(0)
        found = [row for row in batch.filled() if row[records.KIND] == records.TRADE] if batch is not None else []
    row = found[0]
    assert (row[records.PRICE], row[records.QUANTITY]) == (9_999, 700)
    assert row[records.AGGRESSOR] == records.AGGRESSOR_SELL


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.GAP, FaultKind.CORRUPT])
def test_a_hole_in_the_ids_withdraws_the_book_until_a_new_snapshot(kind: FaultKind) -> None:
    reader = Reader((fault(kind, Channel.MARKET, at_ns=200 * MS, count=1),))
    reader.go_on(235)
    assert not reader.book[SYNCHRONISED]
    assert bool(reader.times(Kind.REJECTED)) == (kind is FaultKind.CORRUPT)
    reader.feed.request_snapshot(0, 0)
    reader.go_on(700)
    assert len(reader.times(Kind.SNAPSHOT)) == 2
    assert reader.is_current


def test_repeated_messages_change_nothing() -> None:
    reader = Reader((fault(FaultKind.DUPLICATE, Channel.MARKET),))
    reader.go_on(500)
    assert len(reader.times(Kind.DIFF)) >= 40
    assert reader.is_current


def test_a_silent_connection_is_given_up_and_opened_again() -> None:
    reader = Reader((fault(FaultKind.HALF_OPEN, at_ns=200 * MS, duration_ns=2 * SECOND_NS),))
    reader.go_on(1_400)
    assert 1_200 <= reader.times(Kind.GAP)[0] < 1_310
    assert not reader.book[SYNCHRONISED]
    reader.go_on(6_000)
    assert reader.is_current


def test_what_comes_too_late_ends_the_connection() -> None:
    late = fault(FaultKind.DELAY, Channel.MARKET, at_ns=200 * MS, duration_ns=100 * MS, amount_ns=600 * MS)
    reader = Reader((late,))
    reader.go_on(830)
    assert reader.times(Kind.GAP) == [811]
    reader.go_on(3_000)
    assert reader.is_current


def test_a_cut_connection_is_a_gap_at_once() -> None:
    reader = Reader((fault(FaultKind.DISCONNECT, at_ns=200 * MS),))
    reader.go_on(210)
    assert reader.times(Kind.GAP) == [200]
    assert not reader.book[SYNCHRONISED]
    reader.go_on(400)
    assert reader.is_current


def test_a_venue_that_was_away_comes_back_with_a_new_book() -> None:
    reader = Reader((fault(FaultKind.OUTAGE, at_ns=200 * MS, duration_ns=500 * MS),))
    reader.go_on(2_500)
    assert reader.times(Kind.GAP) == [200, *reader.times(Kind.GAP)[1:]]
    assert reader.book[SYNCHRONISED]
    assert not reader.line.venue.depth(SYMBOL).asks


def test_a_snapshot_that_is_lost_is_asked_for_again() -> None:
    reader = Reader((fault(FaultKind.LOST_ANSWER, duration_ns=300 * MS),))
    reader.go_on(250)
    assert not reader.times(Kind.SNAPSHOT)
    reader.go_on(800)
    assert reader.is_current


def test_the_feed_ends_at_its_time() -> None:
    reader = Reader()
    assert reader.feed.status(0) is FeedStatus.LIVE
    reader.go_on(9_000)
    assert reader.feed.status(0) is FeedStatus.FINISHED
    assert reader.feed.take(0) is None


def test_every_symbol_needs_a_route() -> None:
    made = line()
    with pytest.raises(Fatal, match="1 symbols and 0 routes"):
        VenueFeed([(made, [])], made.clock, FeedModel(), START_NS)
