"""A snapshot of the update that a book just took is compared with it."""

from __future__ import annotations

import pytest

from market.book import book as header
from market.book.continuity import Rule
from market.book.ladder import WINDOW
from market.book.top import CHANGED, SAME
from tests.market.book.test_synchroniser import ASKS, BIDS, Levels, Venue

FAR: Levels = [(5 * WINDOW, 3)]


@pytest.fixture
def venue() -> Venue:
    venue = Venue(Rule.CHAINED)
    venue.snapshot(10, BIDS, [*ASKS, *FAR])
    return venue


def test_an_equal_one_changes_nothing(venue: Venue) -> None:
    assert venue.snapshot(10, BIDS[::-1], [*FAR, *ASKS]) == SAME
    assert (venue[header.SNAPSHOT_CHECKS], venue[header.SNAPSHOT_EQUAL]) == (1, 1)
    assert venue.diff(11, 11, [(101, 1)], [], previous=10) == CHANGED
    assert venue.snapshot(11, [(101, 1), *BIDS], [*ASKS, *FAR]) == SAME
    assert (venue[header.SNAPSHOT_CHECKS], venue[header.SNAPSHOT_EQUAL]) == (2, 2)


@pytest.mark.parametrize(
    ("bids", "asks"),
    [
        ([(100, 6), (99, 7)], [*ASKS, *FAR]),
        (BIDS[:1], [*ASKS, *FAR]),
        ([*BIDS, (98, 1)], [*ASKS, *FAR]),
        (BIDS, ASKS),
    ],
)
def test_a_different_one_is_counted_and_taken(venue: Venue, bids: Levels, asks: Levels) -> None:
    venue.snapshot(10, bids, asks)
    assert (venue[header.SNAPSHOT_CHECKS], venue[header.SNAPSHOT_EQUAL]) == (1, 0)
    assert venue.top == (*bids[0], *asks[0])
    venue.snapshot(10, bids, asks)
    assert venue[header.SNAPSHOT_EQUAL] == 1


def test_newer_and_older_ones_are_not_compared(venue: Venue) -> None:
    venue.snapshot(9, BIDS, ASKS)
    venue.snapshot(12, BIDS, ASKS)
    assert venue[header.SNAPSHOT_CHECKS] == 0
    assert venue[header.STALE_SNAPSHOTS] == 1


def test_venues_without_exact_chains_do_not_repeat_snapshots() -> None:
    venue = Venue(Rule.OVERLAPPING)
    venue.snapshot(10, BIDS, ASKS)
    venue.snapshot(10, BIDS, ASKS)
    assert venue[header.SNAPSHOT_CHECKS] == 0
