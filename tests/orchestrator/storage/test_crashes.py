"""A run that is killed at each of its writes, and the one that follows it: no order twice, none lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from config.storage import Durability
from market.errors import Fatal
from market.orders.events import OrderEvent
from market.orders.kinds import OrderState
from market.orders.order import Order, OrderIntent
from market.orders.reports import GatewayReport
from market.protocols import (
    CancelIntent,
    Intent,
    MarketView,
    Started,
    TimerFired,
    TimerIntent,
    WakeCause,
    Wakes,
)
from market.risk.position import Position
from orchestrator.run_loop.loop import RunLoop, RunSettings
from orchestrator.run_loop.summary import RunSummary
from orchestrator.run_loop.take_triggers import TakeTriggers
from orchestrator.storage.candles import CandleMaker, candle_task
from orchestrator.storage.component_snapshots import snapshot_task
from orchestrator.storage.journal_file import JournalFile
from orchestrator.storage.journal_folder import JournalFolder, OpenSession, journal_path, session_numbers
from orchestrator.storage.journal_reader import read_journal
from orchestrator.storage.records import CandleClosed, ComponentSaved, JournalRecord, OrdersForgotten, Outcome
from sim.clock import EventClock
from sim.feed.replay_feed import ReplayFeed
from sim.gateway.settling import SettleMode, SettlingGateway
from tests.orchestrator.replay.market_lines import START_NS
from tests.orchestrator.run_loop.worlds import BTC, MS, SPOT, Scripted, World, decision, world


class Killed(BaseException):
    """The process ends here."""


@dataclass
class MortalJournal:
    """A journal that ends the process after so many calls, before it writes or after."""

    journal: JournalFile
    lives: int
    writes_last: bool

    def _call(self, record: str, *values: object) -> None:
        self.lives -= 1
        if self.lives or self.writes_last:
            getattr(self.journal, record)(*values)
        if not self.lives:
            raise Killed

    def intent(self, intent: OrderIntent) -> None:
        self._call("intent", intent)

    def event(self, client_order_id: str, event: OrderEvent) -> None:
        self._call("event", client_order_id, event)

    def report(self, report: GatewayReport) -> None:
        self._call("report", report)

    def decisions(self, payloads: Sequence[bytes]) -> None:
        self._call("decisions", payloads)

    def forget(self, orders: Sequence[Order]) -> None:
        self._call("forget", orders)

    def recall(self, client_order_id: str) -> Order | None:
        return self.journal.recall(client_order_id)


def busy(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
    """Orders of its own at the start, some of which it cancels 20 ms later."""
    if isinstance(cause, Started):
        for number in range(1, 4):
            yield decision(view, number, quantity="0.01")
        yield TimerIntent(at_ns=view.now_ns + 20 * MS, number=1)
    elif isinstance(cause, TimerFired):
        for order in view.working_orders("script")[:2]:
            yield CancelIntent(client_order_id=order.client_order_id)


@dataclass
class Machine:
    """A venue that goes on while runs come and go."""

    small: World
    folder: Path
    mode: SettleMode
    late_fills_ms: int = 60_000
    remembered_ms: int = 60_000
    venue: SettlingGateway = field(init=False)

    def __post_init__(self) -> None:
        self.small.clock = EventClock(START_NS)
        self.venue = self.small.gateway(self.mode, latency_ms=5)

    @contextmanager
    def session(self) -> Iterator[OpenSession]:
        with JournalFolder(self.folder, Durability.PROCESS, self.late_fills_ms * MS) as journals:
            yield journals.begin(mode="paper", catalogue=self.small.catalogue, now_ns=self.small.clock.now_ns())

    def loop(self, opened: OpenSession, lives: int = 0, *, writes_last: bool = False) -> RunLoop:
        journal = MortalJournal(opened.journal, lives, writes_last) if lives else opened.journal
        return RunLoop(
            feed=ReplayFeed(self.small.plan.sources).open(),
            clock=self.small.clock,
            gateway=self.venue,
            engine=self.small.engine,
            catalogue=self.small.catalogue,
            strategies=[Scripted(busy), TakeTriggers()],
            settings=RunSettings(
                self.small.plan.tables,
                epoch=opened.epoch,
                heartbeat_every_ns=self.small.plan.heartbeat_every_ns,
                recovery_timeout_ns=1_000 * MS,
                remembered_ns=self.remembered_ms * MS,
            ),
            journal=journal,
            recovered=opened.recovered,
            archive=journal,
        )

    def forget_answers(self) -> None:
        """What was on its way to the process that died is lost; what the venue did stays done."""
        self.venue.take(self.small.clock.now_ns() + 10_000 * MS)


@pytest.mark.parametrize("remembered_ms", [20, 60_000])
@pytest.mark.parametrize("mode", list(SettleMode), ids=str)
def test_a_run_killed_at_any_write_is_taken_over_without_losing_or_repeating_an_order(
    tmp_path: Path, mode: SettleMode, remembered_ms: int
) -> None:
    small = world(tmp_path)
    lives = 1
    while not _killed_and_taken_over(small, tmp_path, mode, lives, remembered_ms):
        lives += 1
    assert lives > 40


def _killed_and_taken_over(small: World, tmp_path: Path, mode: SettleMode, lives: int, remembered_ms: int) -> bool:
    """Kill a run at one of its writes, or after it; returns whether it ended before."""
    for writes_last in (False, True):
        machine = Machine(small, tmp_path / f"{lives}-{writes_last}", mode, min(remembered_ms, 60_000), remembered_ms)
        with machine.session() as opened:
            try:
                machine.loop(opened, lives, writes_last=writes_last).run()
            except Killed:
                pass
            else:
                return True
        machine.forget_answers()
        at_venue = dict(machine.venue._orders)
        with machine.session() as opened:
            taken_over = {order.client_order_id for order in opened.recovered.orders if order.is_working}
            summary = machine.loop(opened).run()
        _check(machine, summary, at_venue, taken_over)
    return False


def _check(machine: Machine, summary: RunSummary, at_venue: dict[str, Order], taken_over: set[str]) -> None:
    """What the venue has, we have, and nothing else; money agrees, and stays so in the journal."""
    ours = {order.client_order_id: order for order in summary.orders}
    theirs = machine.venue._orders
    if machine.remembered_ms < 60_000:
        ours |= _forgotten(machine.folder)
    assert set(at_venue) <= set(theirs)
    for name in taken_over:
        if name in theirs:
            assert _fills(ours[name]) == _fills(theirs[name])
        else:
            assert (ours[name].state, ours[name].reason) == (OrderState.REJECTED, "the venue knows no such order")
    # Fills of the very last orders come after the feed has ended.
    late = [name for name in ours.keys() & theirs.keys() if name not in at_venue and not ours[name].fills]
    unheard = sum(theirs[name].filled for name in late)
    held = summary.positions.get((BTC, SPOT), Position()).quantity
    assert held + unheard == sum(order.filled for order in theirs.values())
    with machine.session() as opened:
        assert opened.recovered.positions.get((None, (BTC, SPOT)), Position()).quantity == held


def _forgotten(folder: Path) -> dict[str, Order]:
    """Orders that the runs wrote down before they forgot them."""
    numbers = session_numbers(folder)
    records = [record for number in numbers for record in read_journal(journal_path(folder, number)).records]
    kept = [record.orders for record in records if isinstance(record, OrdersForgotten)]
    assert kept
    return {order.client_order_id: order for orders in kept for order in orders}


def _fills(order: Order) -> list[tuple[str, int, int]]:
    return [(fill.fill_id, fill.price, fill.quantity) for fill in order.fills]


def test_an_order_that_a_venue_never_answers_for_ends_the_second_run(tmp_path: Path) -> None:
    machine = Machine(world(tmp_path), tmp_path / "journal", SettleMode.FILLED)
    with machine.session() as opened, pytest.raises(Killed):
        machine.loop(opened, 4, writes_last=True).run()
    silent = machine.venue
    silent.query = lambda order: None  # type: ignore[method-assign]
    with machine.session() as opened, pytest.raises(Fatal, match="it was still unknown what became of script-"):
        machine.loop(opened).run()


def test_components_and_candles_are_written_down_at_their_times(tmp_path: Path) -> None:
    machine = Machine(world(tmp_path), tmp_path / "journal", SettleMode.UNFILLED)
    states = iter(range(100))
    maker = CandleMaker([(BTC, SPOT)])
    with machine.session() as opened:
        loop = RunLoop(
            feed=ReplayFeed(machine.small.plan.sources).open(),
            clock=machine.small.clock,
            gateway=machine.venue,
            engine=machine.small.engine,
            catalogue=machine.small.catalogue,
            strategies=[maker],
            settings=RunSettings(machine.small.plan.tables, epoch=opened.epoch),
            journal=opened.journal,
            periodic=[
                snapshot_task({"vpin": lambda: b"%d" % next(states)}, opened.journal, every_ms=250),
                candle_task(maker, opened.journal.candle),
            ],
        )
        loop.run()
        last = maker.take(START_NS + 60_000 * MS)
        opened.journal.end(machine.small.clock.now_ns(), Outcome.FINISHED)
        path = opened.journal.path
    records: Sequence[JournalRecord] = read_journal(path).records
    saved = [(record.time_ns - START_NS, record.body) for record in records if isinstance(record, ComponentSaved)]
    assert saved == [(0, b"0"), (250 * MS, b"1"), (500 * MS, b"2")]
    written = [record for record in records if isinstance(record, CandleClosed)]
    candles = [*written, *last]
    (only,) = [candle for candle in candles if candle.volume]
    assert only.duration_ns == 1_000 * MS
    assert only.low <= only.open <= only.high
    with machine.session() as opened:
        assert opened.recovered.components == {"vpin": b"2"}


def test_a_second_without_trades_shows_the_middles_of_quotes(tmp_path: Path) -> None:
    small = world(tmp_path)
    maker = CandleMaker([(BTC, SPOT)])
    small.loop([maker]).run()
    assert maker.wakes == Wakes(quotes=frozenset({(BTC, SPOT)}), trades=frozenset({(BTC, SPOT)}))
    assert maker.wake(Started(time_ns=START_NS), small.loop([])._view) == ()
    made = maker.take(START_NS + 60_000 * MS)
    assert maker.take(START_NS + 60_000 * MS) == []
    assert sum(candle.volume > 0 for candle in made) == 1
