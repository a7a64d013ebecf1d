"""Venues whose snapshots come in the stream itself: each replaces the book; depth is kept; numbers may begin anew."""

from __future__ import annotations

import pytest

from market.book import book as header
from market.book.checksum import Checksum
from market.book.continuity import Rule
from market.book.top import CHANGED, SAME, WITHDRAWN
from market.wire.levels import pack_shape
from market.wire.records import Column, Kind
from tests.market.book.test_synchroniser import ASKS, BIDS, Levels, Venue


class InBand(Venue):
    """One book of an in-band venue, fed by hand."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.words[header.IN_BAND] = 1

    def shaped(self, kind: Kind, bids: Levels, asks: Levels, depth: int) -> int:
        """A snapshot or diff that states the depth subscribed to, and no checksum."""
        self.words[header.CHECKSUM_STYLE] = int(Checksum.DIGITS)
        values = {
            Column.KIND: int(kind),
            Column.LAST_ID: -1,
            Column.CHECKSUM: -1,
            Column.SHAPE: pack_shape(0, 0, depth),
            Column.BIDS: len(bids),
            Column.ASKS: len(asks),
        }
        return self._send({int(key): value for key, value in values.items()}, bids, asks)

    def gap(self) -> int:
        """A record that says that messages are missing."""
        return self._send({int(Column.KIND): int(Kind.GAP)}, [], [])


@pytest.fixture
def bybit() -> InBand:
    return InBand(Rule.CONSECUTIVE)


@pytest.fixture
def okx() -> InBand:
    return InBand(Rule.CHAINED)


@pytest.fixture
def kraken() -> InBand:
    return InBand(Rule.UNNUMBERED)


def test_what_came_before_the_snapshot_is_in_it(bybit: InBand) -> None:
    bybit.diff(11, 11, [(101, 1)], [])
    assert bybit.snapshot(10, BIDS, ASKS) == CHANGED
    assert bybit.top == (100, 5, 102, 4)
    assert bybit[header.UNJOINED] == 1
    assert bybit.diff(11, 11, [(101, 2)], []) == CHANGED


def test_unnumbered_updates_before_the_snapshot_are_not_applied_after_it(kraken: InBand) -> None:
    kraken.diff(-1, -1, [(101, 1)], [])
    kraken.snapshot(-1, BIDS, ASKS)
    assert kraken.top == (100, 5, 102, 4)
    assert kraken.diff(-1, -1, [(101, 1)], []) == CHANGED
    assert kraken[header.CHECKS] == 0, "without numbers nothing is compared"


def test_a_restart_of_the_service_begins_its_numbers_anew(bybit: InBand) -> None:
    bybit.snapshot(1000, BIDS, ASKS)
    bybit.diff(1001, 1001, [(100, 6)], [])
    assert bybit.snapshot(1, [(98, 2)], ASKS) == CHANGED
    assert bybit.top == (98, 2, 102, 4)
    assert bybit.diff(2, 2, [(99, 1)], []) == CHANGED
    assert bybit.top == (99, 1, 102, 4)
    assert (bybit[header.GAPS], bybit[header.STALE_SNAPSHOTS]) == (0, 0)


def test_a_step_in_the_numbers_waits_for_a_snapshot(bybit: InBand) -> None:
    bybit.snapshot(10, BIDS, ASKS)
    assert bybit.diff(12, 12, [(101, 1)], []) == WITHDRAWN
    assert bybit.diff(13, 13, [(101, 1)], []) == SAME
    assert bybit.snapshot(13, BIDS, ASKS) == CHANGED
    assert (bybit[header.GAPS], bybit[header.RESYNCS]) == (1, 1)


def test_a_heartbeat_repeats_its_number(okx: InBand) -> None:
    okx.snapshot(10, BIDS, ASKS)
    okx.diff(15, 15, [(101, 1)], [], previous=10)
    assert okx.diff(15, 15, [], [], previous=15) == SAME
    assert okx.diff(16, 16, [(101, 2)], [], previous=15) == CHANGED
    assert (okx[header.GAPS], okx[header.STALE]) == (0, 0)


def test_after_maintenance_a_smaller_number_follows_its_predecessor(okx: InBand) -> None:
    okx.snapshot(100, BIDS, ASKS)
    okx.quote(101, 100, 5, 102, 4)
    assert okx.diff(3, 3, [(101, 1)], [], previous=100) == CHANGED
    assert okx.diff(5, 5, [(101, 2)], [], previous=3) == CHANGED
    assert okx.top == (101, 2, 102, 4)
    assert okx.quote(6, 101, 3, 102, 4) == CHANGED
    assert okx[header.GAPS] == 0


def test_missing_messages_of_the_connection_give_the_book_up(kraken: InBand) -> None:
    assert kraken.gap() == SAME
    kraken.snapshot(-1, BIDS, ASKS)
    assert kraken.gap() == WITHDRAWN
    assert kraken.diff(-1, -1, [(101, 1)], []) == SAME
    assert kraken.snapshot(-1, BIDS, ASKS) == CHANGED
    assert (kraken[header.GAPS], kraken[header.RESYNCS]) == (1, 1)


def test_levels_beyond_the_depth_subscribed_to_fall_out(kraken: InBand) -> None:
    kraken.shaped(Kind.SNAPSHOT, BIDS, ASKS, depth=2)
    kraken.shaped(Kind.DIFF, [(101, 1)], [(104, 1)], depth=0)
    assert kraken[header.TRUNCATED] == 2
    kraken.shaped(Kind.DIFF, [(101, 0), (100, 0)], [], depth=0)
    assert kraken.top[1:] == (0, 102, 4), "99 fell out when 101 came"
    assert kraken[header.SYNCHRONISED] == 1


def test_a_depth_that_is_set_outweighs_the_stated_one(kraken: InBand) -> None:
    kraken.words[header.DEPTH_LIMIT] = 1
    kraken.shaped(Kind.SNAPSHOT, BIDS, ASKS, depth=10)
    assert kraken[header.TRUNCATED] == 2
