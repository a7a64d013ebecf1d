"""Two venues of one instrument: which one is looked at, and when their prices do not fit together."""

from __future__ import annotations

from dataclasses import replace

from market.wire.markets import Market
from orchestrator.feeds.venue_watch import Deviation, VenueWatch
from sim.replay.source import Route
from tests.orchestrator.feeds.rig import plan_of, rig_of
from tests.orchestrator.feeds.toy_venue import SYMBOL, toy_venue


def test_prices_of_venues_are_compared_in_the_same_unit() -> None:
    with toy_venue() as one, toy_venue(futures=True) as other:
        finer = replace(
            plan_of(other, name="binance-usdm"), markets=(Market(SYMBOL, 3, 3),), routes=(Route(0, 1, -3, -3),)
        )
        with rig_of(plan_of(one), finer) as rig:
            rig.until_live()
            rig.until_live(1)
            watch = VenueWatch(rig.feed, deviation_bps=40)
            assert watch.deviations() == []
            other.change("99.00", "0")
            other.change("101.00", "0", bid=False)
            other.change("101.80", "1", bid=False)
            other.change("100.20", "1")
            expected = [Deviation(instrument=0, first=0, second=1, deviation_bps=99)]
            rig.until(lambda: watch.deviations() == expected)
            assert VenueWatch(rig.feed, deviation_bps=99).deviations() == []


def test_the_first_live_source_is_preferred() -> None:
    with (
        toy_venue() as one,
        toy_venue() as other,
        rig_of(plan_of(one), replace(plan_of(other), name="binance-us")) as rig,
    ):
        watch = VenueWatch(rig.feed, deviation_bps=40)
        rig.until_live()
        rig.until_live(1)
        assert watch.preferred(0) == 0
        assert watch.preferred(7) is None
        one.refuses = True
        one.drop()
        rig.until(lambda: watch.preferred(0) == 1)
        other.refuses = True
        other.drop()
        rig.until(lambda: watch.preferred(0) is None)
