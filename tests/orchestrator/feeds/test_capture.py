"""A capture of a live feed replays to the same records, in the same order, at the same times."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from market.errors import Fatal, MissingInput
from market.pipeline import layout
from market.protocols import FOREVER
from orchestrator.feeds.ccxt_source import CcxtPlan
from orchestrator.feeds.line_plan import LinePlan
from orchestrator.run_loop.intake import FINISHED, Intake
from sim.feed.replay_feed import ReplayFeed
from tests.orchestrator.cli.terminal import Terminal
from tests.orchestrator.feeds.rig import QUICK, Quote, Record, Recorded, plan_of, rig_of
from tests.orchestrator.feeds.toy_venue import ToyVenue, toy_venue

Taken = tuple[list[list[Record]], list[tuple[int, int]], list[list[Quote]]]


def replayed(folder: Path, *plans: LinePlan | CcxtPlan) -> Taken:
    """Records, order of events and quotes of a replay of a capture."""
    feed = Recorded(ReplayFeed([plan.recorded(folder / f"{plan.name}.gz") for plan in plans]).open())
    intake = Intake(feed)
    order: list[tuple[int, int]] = []
    quotes: list[list[Quote]] = [[] for _ in plans]
    while (found := intake.next(FOREVER)) != FINISHED:
        event = intake.event
        order.append((found, int(event[layout.EVENT_TIME])))
        if event[layout.EVENT_TYPE] == layout.QUOTE_EVENT:
            bid, bids, ask, asks = (int(event[layout.EVENT_BID_PRICE + word]) for word in range(4))
            quotes[found].append((bid, bids, ask, asks) if bids or asks else (0, 0, 0, 0))
    return feed.taken, order, quotes


def trouble(*venues: ToyVenue) -> None:
    """Changes, a gap, a lost connection and a wrong level."""
    for turn, venue in enumerate(venues):
        venue.change(f"99.1{turn}", "1")
        venue.change("99.30", "1", lost=True)
        venue.change("99.40", "1")
        venue.change("99.50", "4", sent="3")


def test_a_replay_takes_the_same_records_in_the_same_order(tmp_path: Path) -> None:
    limits = replace(QUICK, snapshot_every_s=0.04)
    with toy_venue() as spot, toy_venue(futures=True) as futures:
        plans = (
            plan_of(spot, limits=limits),
            plan_of(futures, limits=limits, name="binance-usdm", number=1),
        )
        with rig_of(*plans, before=lambda feed: feed.start_capture(tmp_path)) as rig:
            rig.until_quote((9900, 1000, 10100, 1000))
            rig.until_quote((9900, 1000, 10100, 1000), source=1)
            trouble(spot, futures)
            rig.until_quote((9950, 4000, 10100, 1000))
            rig.until_quote((9950, 4000, 10100, 1000), source=1)
            futures.drop()
            spot.change("99.60", "1")
            rig.until_quote((9960, 1000, 10100, 1000))
            rig.until_live(1)
            rig.until(lambda: len(rig.order) > 50)
            rig.finish()
            rig.feed.stop_capture()
        taken, order, quotes = replayed(tmp_path, *plans)
    assert order == sorted(order, key=lambda event: event[1])
    assert order == rig.order
    assert taken == rig.recorded.taken
    assert quotes == rig.quotes


def test_a_capture_that_begins_later_begins_with_fetched_books(tmp_path: Path) -> None:
    with toy_venue() as venue:
        plan = plan_of(venue)
        with rig_of(plan) as rig:
            rig.until_live()
            rig.feed.start_capture(tmp_path)
            with pytest.raises(Fatal, match="captured already"):
                rig.feed.start_capture(tmp_path / "other")
            fetched = venue.snapshots
            rig.until(lambda: venue.snapshots > fetched)
            venue.change("99.60", "1")
            rig.until_quote((9960, 1000, 10100, 1000))
            rig.feed.stop_capture()
            venue.change("99.70", "1")
            rig.until_quote((9970, 1000, 10100, 1000))
        _, _, quotes = replayed(tmp_path, plan)
    assert quotes[0][-1] == (9960, 1000, 10100, 1000)


def test_a_file_that_exists_is_not_overwritten(tmp_path: Path) -> None:
    with toy_venue() as venue, rig_of(plan_of(venue), start=False) as rig:
        rig.feed.start_capture(tmp_path)
        rig.feed.stop_capture()
        with pytest.raises(MissingInput, match="exists"):
            rig.feed.start_capture(tmp_path)


def test_other_commands_read_a_capture(terminal: Terminal) -> None:
    with toy_venue() as venue, rig_of(plan_of(venue), before=lambda feed: feed.start_capture(terminal.folder)) as rig:
        rig.until_quote((9900, 1000, 10100, 1000))
        venue.drop()
        rig.until_quote((0, 0, 0, 0))
        rig.until_quote((9900, 1000, 10100, 1000))
        rig.finish()
    inspected = terminal.run("inspect", "binance-spot.gz", "--json").json["files"][0]
    assert (inspected["format"], inspected["symbols"], inspected["unreadable"]) == ("raw-lines", ["BTCUSDT"], 0)
