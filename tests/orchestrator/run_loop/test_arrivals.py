"""The same loop over a feed whose data arrives in its own time, as it does live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from market.errors import Fatal, MissingInput, Retry
from market.instruments import Catalogue
from market.protocols import FOREVER, FeedSource, FeedStatus
from market.wire import records
from market.wire.records import Batch
from orchestrator.run_loop.take_triggers import TakeTriggers
from sim.feed.replay_feed import ReplayFeed
from tests.orchestrator.replay.market_lines import MILLISECOND, START_NS, line, spot_diff
from tests.orchestrator.run_loop.worlds import World, balanced, leaning, opening, three_triggers, world


@dataclass
class Network:
    """A clock and a feed: every record becomes available only when its receive time has come.

    Members
    -------
    waits: times that the loop waited for. asked: snapshots that it asked for.
    """

    recorded: ReplayFeed
    now: int = START_NS - 1
    waits: list[int] = field(default_factory=list)
    asked: list[tuple[int, int]] = field(default_factory=list)
    rows: list[list[int]] = field(default_factory=list)
    levels: Batch | None = None

    def __post_init__(self) -> None:
        self.levels = self.recorded.take(0)
        if self.levels is not None:
            self.rows = self.levels.filled().tolist()

    @property
    def sources(self) -> Sequence[FeedSource]:
        return self.recorded.sources

    def now_ns(self) -> int:
        return self.now

    def wait_until(self, time_ns: int) -> int:
        """Arrivals wake the loop before its time, and in vain in between."""
        self.waits.append(time_ns)
        if time_ns > self.now:
            arrival = self.rows[0][records.RECEIVE_NS] if self.rows else FOREVER
            halfway = self.now + (min(time_ns, arrival) - self.now + 1) // 2
            self.now = min(halfway, time_ns)
        return self.now

    def take(self, source: int) -> Batch | None:
        if not self.rows or self.rows[0][records.RECEIVE_NS] > self.now or self.levels is None:
            return None
        batch = Batch(1, 1024)
        batch.records[0] = self.rows.pop(0)
        batch.bids[: len(self.levels.bids)] = self.levels.bids[:1024]
        batch.asks[: len(self.levels.asks)] = self.levels.asks[:1024]
        batch.cursor[records.CURSOR_RECORDS] = 1
        return batch

    def status(self, source: int) -> FeedStatus:
        return FeedStatus.LIVE if self.rows else FeedStatus.FINISHED

    def request_snapshot(self, source: int, market: int) -> None:
        self.asked.append((source, market))


def network(small: World) -> Network:
    return Network(ReplayFeed(small.plan.sources).open())


def test_arrival_in_pieces_changes_no_decision(tmp_path: Path) -> None:
    small = world(tmp_path)
    recorded = small.loop([TakeTriggers()]).run()
    arriving = network(small)
    gateway = small.gateway()
    gateway._clock = arriving
    live = small.loop([TakeTriggers()], gateway, feed=arriving, clock=arriving).run()
    assert live.counts.triggers == recorded.counts.triggers == 3
    assert live.decision_hash == recorded.decision_hash
    assert len(arriving.waits) > 20


def test_a_book_that_lost_its_sequence_is_asked_for(tmp_path: Path) -> None:
    lines = [*opening(), balanced(10, 6), line(20, spot_diff(50, 51)), balanced(30, 52)]
    small = world(tmp_path, lines)
    arriving = network(small)
    small.loop([], feed=arriving, clock=arriving).run()
    assert arriving.asked == [(0, 0)]


def test_a_feed_without_a_readable_message_is_missing_input(tmp_path: Path) -> None:
    small = world(tmp_path)
    arriving = network(small)
    arriving.rows = []
    with pytest.raises(MissingInput, match="sources were binance-spot"):
        small.loop([], feed=arriving, clock=arriving).run()


def test_in_event_time_a_stuck_feed_is_an_error_and_not_a_hang(tmp_path: Path) -> None:
    small = world(tmp_path)
    arriving = network(small)
    with pytest.raises(Fatal, match="is a feed stuck"):
        small.loop([], feed=arriving).run()


def test_a_route_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    small = world(tmp_path)
    small.catalogue = Catalogue(small.catalogue.listings[1:])
    with pytest.raises(Fatal, match="source binance-spot: instrument 0 is not listed on venue 0"):
        small.loop([])


def test_a_recording_opens_before_it_is_read(tmp_path: Path) -> None:
    small = world(tmp_path)
    with pytest.raises(Fatal, match=r"call open\(\)"):
        ReplayFeed(small.plan.sources).take(0)
    with pytest.raises(Fatal, match="at least one source"):
        ReplayFeed([])


def test_silence_is_bridged_by_heartbeats(tmp_path: Path) -> None:
    """After two seconds of silence the fast loop still triggers: its lease of one second was renewed."""
    lines = [*opening(), balanced(10, 6), balanced(2_000, 7), leaning(2_010, 8), balanced(2_020, 9)]
    summary = world(tmp_path, lines).loop([TakeTriggers()]).run()
    assert summary.counts.triggers == 1
    assert summary.counters["gateLease"] == 0
    assert summary.orders[0].sent_ns == START_NS + 2_010 * MILLISECOND


def test_orders_on_their_way_at_the_end_of_a_recording_stay_so(tmp_path: Path) -> None:
    summary = world(tmp_path, three_triggers()[:3]).loop([TakeTriggers()]).run()
    assert [order.is_working for order in summary.orders] == [True]


def test_a_run_that_is_stopped_before_anything_came_ends(tmp_path: Path) -> None:
    small = world(tmp_path, three_triggers())
    network = Network(ReplayFeed(small.plan.sources).open())
    run = small.loop([TakeTriggers()], feed=network, clock=network)
    run.stop()
    with pytest.raises(Retry, match="stopped before it had begun"):
        run.run()
    assert not run.has_started
