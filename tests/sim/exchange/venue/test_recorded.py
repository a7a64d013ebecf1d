"""A recorded market played into a venue: its books, its trades, and the queues that accounts stand in."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from market.errors import Fatal
from market.wire import records
from market.wire.records import Batch
from sim.exchange.venue.kinds import OrderStatus
from sim.exchange.venue.recorded import RecordedMarket
from sim.exchange.venue.venue import SimulatedVenue
from tests.sim.exchange.venue.venues import BUY, SELL, START_NS, SYMBOL, limit, now, spot

RECORDED_NS = 5_000
Levels = Sequence[tuple[int, int]]


class Tape:
    """Records in the order in which they are added, 1,000 ns apart."""

    def __init__(self) -> None:
        self.batch = Batch(64, 64)
        self._bids = self._asks = 0

    def add(self, kind: int, last_id: int = 0, bids: Levels = (), asks: Levels = (), market: int = 0) -> Tape:
        row = self.batch.records[self.batch.count]
        row[records.KIND], row[records.MARKET], row[records.LAST_ID] = kind, market, last_id
        row[records.RECEIVE_NS] = RECORDED_NS + 1_000 * self.batch.count
        row[records.BIDS_START], row[records.BIDS] = self._bids, len(bids)
        row[records.ASKS_START], row[records.ASKS] = self._asks, len(asks)
        for level in bids:
            self.batch.bids[self._bids] = level
            self._bids += 1
        for level in asks:
            self.batch.asks[self._asks] = level
            self._asks += 1
        self.batch.cursor[records.CURSOR_RECORDS] += 1
        return self

    def trade(self, price: int, lots: int, aggressor: int) -> Tape:
        self.add(records.TRADE)
        row = self.batch.records[self.batch.count - 1]
        row[records.PRICE], row[records.QUANTITY], row[records.AGGRESSOR] = price, lots, aggressor
        return self

    def on(self, venue: SimulatedVenue) -> RecordedMarket:
        return RecordedMarket(venue, SYMBOL, [self.batch], start_ns=START_NS)


def book(venue: SimulatedVenue) -> tuple[Levels, Levels]:
    depth = venue.depth(SYMBOL)
    return depth.bids, depth.asks


def test_books_are_laid_in_at_their_times() -> None:
    venue = spot()
    tape = Tape().add(records.SNAPSHOT, 10, [(9_999, 5), (9_998, 7)], [(10_001, 4)])
    played = tape.add(records.DIFF, 11, [(9_999, 0), (9_997, 2)], [(10_001, 6)]).on(venue)
    assert played.next_ns() == START_NS
    played.advance(START_NS + 999)
    assert book(venue) == (((9_999, 5), (9_998, 7)), ((10_001, 4),))
    assert played.next_ns() == START_NS + 1_000
    played.advance(START_NS + 1_000)
    assert book(venue) == (((9_998, 7), (9_997, 2)), ((10_001, 6),))
    assert (played.next_ns(), played.played) == (None, 2)


def test_changes_before_the_snapshot_join_it_where_they_are_newer() -> None:
    venue = spot()
    tape = Tape().add(records.DIFF, 9, [(9_990, 1)]).add(records.DIFF, 11, [(9_991, 1)])
    tape.add(records.SNAPSHOT, 10, [(9_999, 5)]).add(records.DIFF, 10, [(9_992, 1)])
    tape.on(venue).advance(START_NS + 10_000)
    assert book(venue)[0] == ((9_999, 5), (9_991, 1))


def test_a_hole_empties_the_book_until_the_next_snapshot() -> None:
    venue = spot()
    tape = Tape().add(records.SNAPSHOT, 10, [(9_999, 5)]).add(records.GAP).add(records.DIFF, 12, [(9_990, 1)])
    tape.add(records.SNAPSHOT, 12, [(9_998, 3)]).add(records.SNAPSHOT, 11, [(9_000, 3)])
    played = tape.on(venue)
    played.advance(START_NS + 2_000)
    assert book(venue) == ((), ())
    played.advance(START_NS + 4_000)
    assert book(venue)[0] == ((9_998, 3),)


def test_the_book_may_move_through_its_old_self_in_one_message() -> None:
    venue = spot()
    tape = Tape().add(records.SNAPSHOT, 10, [(9_999, 5)], [(10_000, 5)])
    tape.add(records.DIFF, 11, [(10_002, 5), (9_999, 0)], [(10_003, 5), (10_000, 0)]).on(venue).advance(
        START_NS + 9_000
    )
    assert book(venue) == (((10_002, 5),), ((10_003, 5),))
    assert venue.recent_trades(SYMBOL) == ()


def test_an_account_waits_for_what_is_ahead_of_it() -> None:
    venue = spot()
    tape = Tape().add(records.SNAPSHOT, 10, [(9_999, 5)], [(10_001, 5)]).add(records.DIFF, 11, [(9_999, 8)])
    tape.trade(9_999, 4, records.AGGRESSOR_SELL).trade(9_999, 3, records.AGGRESSOR_SELL)
    played = tape.on(venue)
    played.advance(START_NS)
    order = limit(venue, "alice", BUY, 9_999, 10)
    played.advance(START_NS + 2_000)
    assert now(venue, order).executed_lots == 0, "five lots were there before"
    played.advance(START_NS + 3_000)
    assert now(venue, order).executed_lots == 2, "and three came behind"
    assert book(venue)[0] == ((9_999, 11),)


def test_lots_that_are_withdrawn_go_from_the_end_of_the_queue() -> None:
    venue = spot()
    tape = Tape().add(records.SNAPSHOT, 10, [(9_999, 5)]).add(records.DIFF, 11, [(9_999, 9)])
    tape.add(records.DIFF, 12, [(9_999, 3)]).trade(9_999, 4, records.AGGRESSOR_SELL)
    played = tape.on(venue)
    played.advance(START_NS)
    order = limit(venue, "alice", BUY, 9_999, 1)
    played.advance(START_NS + 3_000)
    assert now(venue, order).status is OrderStatus.FILLED
    assert book(venue)[0] == ()


def test_a_recorded_price_beyond_an_order_fills_it() -> None:
    venue = spot()
    tape = Tape().add(records.SNAPSHOT, 10, [(9_999, 5)], [(10_001, 5)])
    tape.add(records.DIFF, 11, [(9_999, 0)], [(9_990, 4), (10_001, 0)])
    played = tape.on(venue)
    played.advance(START_NS)
    order = limit(venue, "alice", BUY, 9_995, 3)
    played.advance(START_NS + 1_000)
    assert (now(venue, order).status, now(venue, order).executed_units) == (OrderStatus.FILLED, 3 * 9_995 * 100)
    assert book(venue) == ((), ((9_990, 1),))
    assert set(venue.totals().values()) == {0}


def test_finer_lots_become_those_of_the_symbol() -> None:
    venue = spot()
    tape = Tape().add(records.SNAPSHOT, 10, [(9_999, 5_000), (9_998, 900)]).trade(9_999, 2_999, records.AGGRESSOR_SELL)
    tape.trade(9_999, 999, records.AGGRESSOR_SELL)
    RecordedMarket(venue, SYMBOL, [tape.batch], lots_per_lot=1_000, start_ns=START_NS).advance(START_NS + 9_000)
    assert book(venue)[0] == ((9_999, 3),)
    assert len(venue.recent_trades(SYMBOL)) == 1


def test_other_markets_of_the_recording_are_not_played() -> None:
    venue = spot()
    played = Tape().add(records.SNAPSHOT, 10, [(9_999, 5)], market=1).on(venue)
    assert played.next_ns() is None


def test_a_recording_whose_time_goes_back_is_refused() -> None:
    tape = Tape().add(records.SNAPSHOT, 10, [(9_999, 5)]).add(records.DIFF, 11)
    tape.batch.records[1, records.RECEIVE_NS] = RECORDED_NS - 1
    with pytest.raises(Fatal, match="after one at"):
        tape.on(spot()).advance(START_NS)


def test_a_trade_of_nobody_takes_no_more_than_its_price() -> None:
    venue = spot()
    venue.set_levels(SYMBOL, [(SELL, 10_001, 5), (SELL, 10_002, 5)], START_NS)
    assert venue.take(SYMBOL, BUY, 10_001, 8, START_NS) == 5
    assert book(venue) == ((), ((10_002, 5),))
