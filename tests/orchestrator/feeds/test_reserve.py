"""A second stream stands by: it takes over when the first fails, and their books are compared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.orchestrator.feeds.rig import HASTY, QUICK, plan_of, rig_of
from tests.orchestrator.feeds.toy_venue import toy_venue

CHECKED = replace(QUICK, snapshot_every_s=0.05)
STALLING = replace(HASTY, snapshot_every_s=0.05)


@pytest.mark.parametrize("futures", [False, True], ids=["spot", "futures"])
def test_the_reserve_takes_over_when_the_first_stream_stalls(futures: bool) -> None:
    name = "binance-usdm" if futures else "binance-spot"
    with (
        toy_venue(futures=futures) as venue,
        rig_of(plan_of(venue, name=name, limits=STALLING, reserve=True)) as rig,
    ):
        rig.until_quote((9900, 1000, 10100, 1000))
        rig.until(lambda: rig.feed.metrics()[0].cross_checks >= 1)
        venue.mute_streams = {"/a"}
        venue.change("99.50", "1")
        rig.until(lambda: rig.feed.metrics()[0].switches >= 1)
        rig.until_quote((9950, 1000, 10100, 1000))
        assert rig.noted("the other stream takes over")
        venue.change("99.60", "2")
        rig.until_quote((9960, 2000, 10100, 1000))


def test_the_reserve_takes_over_with_its_own_book() -> None:
    with toy_venue() as venue, rig_of(plan_of(venue, limits=CHECKED, reserve=True)) as rig:
        rig.until(lambda: rig.feed.metrics()[0].cross_checks >= 1)
        venue.change("99.20", "1")
        rig.until_quote((9920, 1000, 10100, 1000))
        rig.until(lambda: rig.feed.metrics()[0].cross_checks >= 2)
        venue.snapshot_status = 500
        venue.drop("/a")
        rig.until(lambda: rig.feed.metrics()[0].switches == 1)
        rig.until_quote((0, 0, 0, 0))
        rig.until_quote((9920, 1000, 10100, 1000))
        rig.until(lambda: rig.feed.metrics()[0].reconnections >= 1)
        assert rig.feed.metrics()[0].switches == 1


def test_each_takes_over_from_the_other() -> None:
    with toy_venue() as venue, rig_of(plan_of(venue, limits=STALLING, reserve=True)) as rig:
        rig.until_live()
        for turn, muted in enumerate(["/a", "/b", "/a"], start=1):
            venue.mute_streams = {muted}
            rig.until(lambda turn=turn: rig.feed.metrics()[0].switches >= turn)  # type: ignore[misc]
            venue.change(f"99.{turn}0", "1")
            rig.until_quote((9900 + 10 * turn, 1000, 10100, 1000))


def test_both_streams_gone_withdraw_the_book() -> None:
    with toy_venue() as venue, rig_of(plan_of(venue, limits=STALLING, reserve=True)) as rig:
        rig.until_quote((9900, 1000, 10100, 1000))
        venue.is_mute = True
        rig.until_quote((0, 0, 0, 0))
        venue.change("99.50", "1")
        venue.is_mute = False
        rig.until_quote((9950, 1000, 10100, 1000))


def test_equal_streams_make_equal_books() -> None:
    with toy_venue() as venue, rig_of(plan_of(venue, limits=CHECKED, reserve=True)) as rig:
        rig.until_live()
        for cents in range(10, 40):
            checks = rig.feed.metrics()[0].cross_checks
            venue.change(f"99.{cents}", "1")
            rig.until(lambda checks=checks: rig.feed.metrics()[0].cross_checks > checks)  # type: ignore[misc]
        assert rig.feed.metrics()[0].cross_differences == 0


def test_books_that_differ_are_both_fetched() -> None:
    with toy_venue() as venue, rig_of(plan_of(venue, limits=replace(CHECKED, snapshot_every_s=0.0),
                                              reserve=True)) as rig:  # fmt: skip
        rig.until(lambda: rig.feed.metrics()[0].cross_checks >= 1)
        venue.lie_to["/b"] = "9"
        fetched = venue.snapshots

        def differing() -> bool:
            """Change again: one that comes while a stream is silent is compared with nothing."""
            venue.change(f"99.{10 + venue.update % 50}", "1")
            return rig.noted("make different books")

        rig.until(differing)
        assert rig.feed.metrics()[0].cross_differences >= 4
        rig.until(lambda: venue.snapshots > fetched)
