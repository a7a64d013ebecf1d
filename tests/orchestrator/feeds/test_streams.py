"""One venue's stream through the loop: books join, and every fault withdraws them until they are right again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from market.protocols import FeedStatus
from orchestrator.feeds.health import SourceState
from orchestrator.recording.backoff import Backoff
from orchestrator.recording.snapshot import fetch_snapshot
from tests.orchestrator.feeds.rig import HASTY, QUICK, plan_of, rig_of
from tests.orchestrator.feeds.toy_venue import toy_venue

OPENING = (9900, 1000, 10100, 1000)
WITHDRAWN = (0, 0, 0, 0)


@pytest.mark.parametrize("futures", [False, True], ids=["spot", "futures"])
def test_a_book_joins_and_follows_its_updates(futures: bool) -> None:
    name = "binance-usdm" if futures else "binance-spot"
    with toy_venue(futures=futures) as venue, rig_of(plan_of(venue, name=name)) as rig:
        rig.until_quote(OPENING)
        venue.change("99.50", "3")
        rig.until_quote((9950, 3000, 10100, 1000))
        venue.change("101.00", "0", bid=False)
        rig.until_quote((9950, 3000, 10200, 2000))
        assert rig.feed.status(0) is FeedStatus.LIVE
        rig.finish()
        assert rig.feed.status(0) is FeedStatus.FINISHED
        assert rig.feed.state(0) is SourceState.CLOSED


@pytest.mark.parametrize("futures", [False, True], ids=["spot", "futures"])
def test_a_gap_withdraws_the_book_until_a_fetched_one_joins(futures: bool) -> None:
    name = "binance-usdm" if futures else "binance-spot"
    with toy_venue(futures=futures) as venue, rig_of(plan_of(venue, name=name)) as rig:
        rig.until_quote(OPENING)
        venue.change("99.10", "1", lost=True)
        venue.change("99.20", "1")
        rig.until_quote(WITHDRAWN)
        rig.until_live()
        venue.change("99.30", "1")
        rig.until_quote((9930, 1000, 10100, 1000))
        assert rig.feed.metrics()[0].gaps >= 1


def test_silence_makes_the_connection_anew() -> None:
    with toy_venue() as venue, rig_of(plan_of(venue, limits=HASTY)) as rig:
        rig.until_quote(OPENING)
        venue.is_mute = True
        rig.until(lambda: rig.noted("silent for 0.25 s"))
        rig.until_quote(WITHDRAWN)
        assert rig.feed.is_paused
        venue.change("99.70", "1")
        venue.is_mute = False
        rig.until_quote((9970, 1000, 10100, 1000))
        rig.until(lambda: not rig.feed.is_paused)
        assert rig.feed.metrics()[0].reconnections >= 1


def test_a_lost_connection_withdraws_the_book_at_once() -> None:
    with toy_venue() as venue, rig_of(plan_of(venue)) as rig:
        rig.until_quote(OPENING)
        venue.refuses = True
        venue.drop()
        rig.until_quote(WITHDRAWN)
        assert rig.feed.state(0) is SourceState.CONNECTING
        venue.refuses = False
        rig.until_quote(OPENING)


def test_a_venue_comes_back_with_a_book_of_lower_numbers() -> None:
    with toy_venue() as venue, rig_of(plan_of(venue)) as rig:
        rig.until_quote(OPENING)
        venue.begin_anew(5, "50.00", "51.00")
        venue.drop()
        rig.until_quote((5000, 1000, 5100, 1000))
        venue.change("50.50", "2")
        rig.until_quote((5050, 2000, 5100, 1000))


def test_late_messages_pause_trading_and_make_the_connection_anew() -> None:
    with toy_venue() as venue, rig_of(plan_of(venue, limits=HASTY)) as rig:
        rig.until_quote(OPENING)
        venue.event_lag_ms = 2_000
        rig.until(lambda: rig.feed.state(0) is SourceState.LATE)
        assert rig.feed.is_paused
        rig.until(lambda: rig.noted("ms old, more than 500 ms"))
        rig.until(lambda: WITHDRAWN in rig.quotes[0])
        venue.event_lag_ms = 0
        rig.until_live()
        rig.until_quote(OPENING)


def test_an_announced_shutdown_makes_the_connection_anew() -> None:
    with toy_venue() as venue, rig_of(plan_of(venue)) as rig:
        rig.until_quote(OPENING)
        venue.say('{"e":"serverShutdown","E":1}')
        rig.until(lambda: rig.noted("announced its shutdown"))
        rig.until(lambda: rig.feed.metrics()[0].reconnections == 1)
        rig.until_live()


def test_times_that_go_back_are_counted() -> None:
    with toy_venue() as venue, rig_of(plan_of(venue)) as rig:
        rig.until_live()
        venue.event_lag_ms = 200
        rig.until(lambda: rig.feed.metrics()[0].regressions >= 1)
        assert rig.feed.state(0) is SourceState.LIVE


def test_updates_out_of_order_are_recovered_from() -> None:
    with toy_venue() as venue, rig_of(plan_of(venue)) as rig:
        rig.until_quote(OPENING)
        venue.is_mute = True
        venue.change("99.10", "1")
        venue.change("99.20", "1")
        venue.is_mute = False
        diff = '{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":%d,"u":%d,"b":[["%s","1"]],"a":[]}'
        venue.say(diff % (102, 102, "99.20"))
        venue.say(diff % (101, 101, "99.10"))
        rig.until_quote((9920, 1000, 10100, 1000))
        assert WITHDRAWN in rig.quotes[0]


def test_after_too_many_attempts_a_human_is_needed() -> None:
    limits = replace(QUICK, backoff=Backoff(first_s=0.001, longest_s=0.004, attempts=10))
    with toy_venue() as venue, rig_of(plan_of(venue, limits=limits)) as rig:
        rig.until_quote(OPENING)
        before = venue.connections
        venue.refuses = True
        venue.drop()
        rig.until(lambda: rig.feed.state(0) is SourceState.GIVEN_UP)
        assert rig.noted("given up after 10 attempts in a row")
        assert venue.connections - before == 10
        assert rig.quotes[0][-1] == WITHDRAWN
        taken = rig.feed.metrics()[0].records
        venue.refuses = False
        rig.feed.resume(0)
        rig.until_quote(OPENING)
        assert rig.feed.metrics()[0].records > taken


def test_a_venue_that_hangs_up_before_it_answers_is_tried_again() -> None:
    limits = replace(QUICK, backoff=Backoff(first_s=0.05, longest_s=0.05, attempts=1_000))
    with toy_venue() as venue, rig_of(plan_of(venue, limits=limits)) as rig:
        rig.until_quote(OPENING)
        venue.hangs_up = True
        venue.drop()
        rig.until(lambda: rig.noted("closed before the answer"))
        venue.hangs_up = False
        rig.until_quote(OPENING)


def test_a_book_that_cannot_be_fetched_is_asked_for_again() -> None:
    with toy_venue() as venue, rig_of(plan_of(venue)) as rig:
        venue.snapshot_status = 500
        rig.until(lambda: venue.snapshots >= 3)
        assert rig.feed.state(0) is SourceState.SYNCHRONISING
        assert not rig.quotes[0]
        venue.snapshot_status = 200
        rig.until_quote(OPENING)


def test_a_corrupted_book_is_found_and_made_anew() -> None:
    with toy_venue() as venue, rig_of(plan_of(venue, limits=replace(QUICK, snapshot_every_s=0.05))) as rig:
        rig.until_quote(OPENING)
        rig.until(lambda: rig.feed.metrics()[0].books_checked >= 2)
        assert rig.feed.metrics()[0].books_corrupted == 0
        venue.change("99.00", "7", sent="5")
        rig.until_quote((9900, 5000, 10100, 1000))
        rig.until_quote((9900, 7000, 10100, 1000))
        assert rig.feed.metrics()[0].books_corrupted == 1
        assert WITHDRAWN in rig.quotes[0]
        checked = rig.feed.metrics()[0].books_checked
        rig.until(lambda: rig.feed.metrics()[0].books_checked >= checked + 2)
        assert rig.feed.metrics()[0].books_corrupted == 1


@pytest.mark.parametrize("said", ["3", "2"], ids=["equal", "different"])
def test_a_fetched_book_that_is_ahead_of_the_stream_is_compared_once_the_stream_is_there(said: str) -> None:
    fetched: list[bytes] = []

    def fetch(url: str) -> bytes:
        fetched.append(fetch_snapshot(url))
        return fetched[-1]

    with toy_venue() as venue, rig_of(replace(plan_of(venue), fetch=fetch)) as rig:
        rig.until_quote(OPENING)
        venue.change("98.50", "3", lost=True)
        rig.feed.sources[0].watch_recording()
        rig.until(lambda: any(b":101" in book.replace(b" ", b"") for book in fetched))
        before = rig.feed.metrics()[0].books_checked
        venue.catch_up("98.50", said)
        venue.change("99.60", "1")
        rig.until(lambda: rig.feed.metrics()[0].books_checked > before)
        rig.until_quote((9960, 1000, 10100, 1000))
        assert rig.feed.metrics()[0].books_corrupted == (said != "3")
        assert rig.noted("was not what the venue says") == (said != "3")
