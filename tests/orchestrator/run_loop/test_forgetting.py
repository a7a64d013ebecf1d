"""Orders that ended some time ago leave memory, and nothing else changes by it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.storage import Durability
from market.errors import Rejected
from market.orders.cause import Cause, Origin
from market.orders.events import Acknowledged, Cancelled, Expired, OrderEvent, Refused, Sent
from market.orders.kinds import OrderState, OrderType, Side, TimeInForce
from market.orders.order import Order, OrderIntent, new_order
from market.protocols import FOREVER, CancelIntent, Intent, MarketView, Started, TimerFired, TimerIntent, WakeCause
from orchestrator.run_loop.journal import MemoryJournal
from orchestrator.run_loop.ledger import Ledger
from orchestrator.run_loop.loop import RunLoop, RunSettings
from orchestrator.run_loop.summary import RunSummary
from orchestrator.run_loop.take_triggers import TakeTriggers
from orchestrator.storage.journal_file import JournalFile
from orchestrator.storage.journal_reader import JournalTail, read_journal
from orchestrator.storage.records import EventWritten, IntentWritten, JournalRecord, OrderRecalled
from orchestrator.storage.replayed import ReplayedSession
from sim.clock import EventClock
from sim.feed.replay_feed import ReplayFeed
from tests.orchestrator.replay.market_lines import START_NS
from tests.orchestrator.run_loop.worlds import (
    MS,
    Scripted,
    ScriptedGateway,
    World,
    decision,
    fill_event,
    world,
)

REMEMBERED_NS = 100
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["new", "event", "event", "event", "ask", "again", "look"]),
        st.integers(0, 5),
        st.integers(0, 40),
    ),
    min_size=20,
    max_size=120,
)


def intent(number: int) -> OrderIntent:
    return OrderIntent(
        cause=Cause(strategy="ab"[number % 2], origin=Origin.DECISION, epoch=1, number=number, leg=number % 3),
        decided_ns=number,
        instrument=0,
        venue=number % 2,
        side=Side.BUY if number % 3 else Side.SELL,
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        quantity=12,
        limit_price=100 + number,
    )


def event(order: Order, kind: int, time_ns: int) -> OrderEvent:
    """One that often ends an order, and often comes after its end."""
    if kind == 0:
        return Sent(time_ns=time_ns)
    if kind == 1:
        return Acknowledged(time_ns=time_ns, venue_order_id="7")
    if kind == 2:
        return Expired(time_ns=time_ns, reason="over")
    if kind == 3:
        return Refused(time_ns=time_ns, reason="no")
    return fill_event(order, time_ns, f"f{time_ns % 4}", part=3 if kind == 4 else 1)


@dataclass
class Told:
    """A ledger and all that was seen of it."""

    ledger: Ledger
    journal: JournalFile | None = None
    seen: list[object] = field(default_factory=list)
    born: list[OrderIntent] = field(default_factory=list)

    def step(self, what: str, which: int, kind: int, now_ns: int) -> None:
        try:
            self.seen.append(self._step(what, which, kind, now_ns))
        except Rejected as refusal:
            self.seen.append(str(refusal))

    def _step(self, what: str, which: int, kind: int, now_ns: int) -> object:
        if what == "look":
            self.ledger.forget(now_ns)
            return None
        if what == "new" or not self.born:
            wanted = intent(len(self.born) + 1)
            self.born.append(wanted)
            return self._add(wanted)
        wanted = self.born[which % len(self.born)]
        if what == "again":
            return self.ledger.knows(wanted), self._add(wanted)
        name = wanted.client_order_id
        if what == "ask":
            return self.ledger.order(name)
        found = self.ledger.order(name)
        assert found is not None
        happened = event(found, kind, now_ns)
        applied = self.ledger.apply(name, happened)
        if self.journal is not None and applied[0] is not applied[1]:
            self.journal.event(name, happened)
        return applied

    def _add(self, wanted: OrderIntent) -> Order:
        added = self.ledger.add(wanted)
        if self.journal is not None:
            self.journal.intent(wanted)
        return added


def everything(ledger: Ledger) -> tuple[object, ...]:
    held = ledger.positions, ledger.positions_by_strategy
    return (*held, ledger.totals, ledger.working(), ledger.working("a"), ledger.working("b"))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(steps=STEPS)
def test_whatever_happens_a_ledger_that_forgets_says_the_same(steps: Sequence[tuple[str, int, int]]) -> None:
    with TemporaryDirectory() as folder:
        journal = JournalFile(Path(folder) / "j", 1, Durability.PROCESS)
        sides = [
            Told(Ledger()),
            Told(Ledger(MemoryJournal(), REMEMBERED_NS)),
            Told(Ledger(journal, REMEMBERED_NS), journal),
        ]
        for turn, (what, kind, which) in enumerate(steps):
            for side in sides:
                side.step(what, which, kind, 23 * turn)
            assert sides[0].seen[-1] == sides[1].seen[-1] == sides[2].seen[-1]
            assert everything(sides[0].ledger) == everything(sides[1].ledger) == everything(sides[2].ledger)
        journal.close()
        replayed = ReplayedSession()
        replayed.take_all(read_journal(journal.path).records)
        assert replayed.ledger.orders == sides[2].ledger.orders
        assert replayed.ledger.positions == sides[0].ledger.positions
        ended = [order for order in sides[0].ledger.orders if order.state.is_terminal]
        long_ago = [order for order in ended if order.ended_ns < 23 * len(steps) - 2 * REMEMBERED_NS]
        sides[1].ledger.forget(23 * len(steps) + 10 * REMEMBERED_NS)
        assert len(sides[1].ledger.orders) == len(sides[0].ledger.orders) - len(ended)
        for order in long_ago:
            assert sides[1].ledger.order(order.client_order_id) == order


def test_what_is_recalled_is_remembered_as_long_again(tmp_path: Path) -> None:
    journal = JournalFile(tmp_path / "j", 1, Durability.PROCESS)
    ledger = Ledger(journal, REMEMBERED_NS)
    name = ledger.add(intent(1)).client_order_id
    ledger.apply(name, Refused(time_ns=5, reason="no"))
    for now_ns in (104, 114):
        ledger.forget(now_ns)
        assert len(ledger.orders) == 1
    ledger.forget(115)
    assert not ledger.orders
    assert ledger.totals.states == {OrderState.REJECTED: 1}
    for _ in range(2):
        found = ledger.order(name)
        assert found is not None
        assert (found.state, found.reason) == (OrderState.REJECTED, "no")
    ledger.forget(115 + REMEMBERED_NS)
    assert len(ledger.orders) == 1
    ledger.forget(115 + REMEMBERED_NS + REMEMBERED_NS // 10)
    assert not ledger.orders
    journal.close()
    assert sum(isinstance(record, OrderRecalled) for record in read_journal(journal.path).records) == 1


def grown_bytes(ledger: Ledger, replayed: ReplayedSession, journal: JournalFile | None) -> float:
    """Memory that each of a thousand orders adds, to a run's ledger and to the one that fills the database."""

    def trade(first: int) -> None:
        for number in range(first, first + 1_000):
            wanted = intent(number)
            records: list[JournalRecord] = [IntentWritten(intent=wanted)]
            name = ledger.add(wanted).client_order_id
            for event_ in (Sent(time_ns=number), fill_event(new_order(wanted), number, f"f{number}")):
                ledger.apply(name, event_)
                records.append(EventWritten(client_order_id=name, event=event_))
            ledger.forget(number)
            replayed.take_all(records)
            if tail is not None:
                replayed.take_all(tail.read(1_000))

    tail = JournalTail(journal.path) if journal is not None else None
    trade(1)
    tracemalloc.start()
    try:
        trade(1_001)
        return tracemalloc.get_traced_memory()[0] / 1_000
    finally:
        tracemalloc.stop()


def test_an_order_that_is_forgotten_takes_a_few_bytes(tmp_path: Path) -> None:
    journal = JournalFile(tmp_path / "j", 1, Durability.PROCESS)
    assert grown_bytes(Ledger(), ReplayedSession(), None) > 800
    assert grown_bytes(Ledger(journal, REMEMBERED_NS), ReplayedSession(), journal) < 200


def test_many_are_forgotten_a_part_with_each_heartbeat() -> None:
    journal = MemoryJournal()
    ledger = Ledger(journal, REMEMBERED_NS)
    for number in range(1, 601):
        ledger.apply(ledger.add(intent(number)).client_order_id, Refused(time_ns=number % 3, reason="no"))
    left: list[int] = []
    for now_ns in range(150, 154):
        ledger.forget(now_ns)
        left.append(len(ledger.orders))
    assert left == [600 - 256, 600 - 512, 0, 0]
    assert ledger.totals.states == {OrderState.REJECTED: 600}
    assert len(journal.forgotten) == 600


def test_nobody_looks_for_orders_that_cannot_have_been_forgotten() -> None:
    asked: list[str] = []

    class Asked(MemoryJournal):
        def recall(self, client_order_id: str) -> Order | None:
            asked.append(client_order_id)
            return super().recall(client_order_id)

    ledger = Ledger(Asked(), REMEMBERED_NS)
    for number in (2, 4):
        ledger.apply(ledger.add(intent(number)).client_order_id, Refused(time_ns=0, reason="no"))
    ledger.forget(1_000)
    assert ledger.order("somebody else") is None
    assert ledger.order(intent(1).client_order_id) is None
    assert ledger.order(intent(6).client_order_id) is None
    ledger.add(intent(8))
    assert asked == []
    assert ledger.order(intent(4).client_order_id) is not None
    assert len(asked) == 1


def busy(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
    """Orders at the start; looked at, cancelled and placed again when they have long ended."""
    if isinstance(cause, Started):
        for number in range(1, 4):
            yield decision(view, number, quantity="0.01")
        yield TimerIntent(at_ns=START_NS + 450 * MS, number=1)
    elif isinstance(cause, TimerFired):
        first = view.order(f"script-d{view.epoch}-1-0")
        if first is not None and first.state is OrderState.EXPIRED and first.filled:
            yield decision(view, 7, quantity="0.02")
        yield CancelIntent(client_order_id=f"script-d{view.epoch}-2-0")
        yield decision(view, 3, quantity="0.01")


def late(order: Order) -> Sequence[tuple[int, Callable[[int], OrderEvent]]]:
    """An end at once; half of it is filled later, and told twice."""

    def part(time_ns: int) -> OrderEvent:
        return fill_event(order, time_ns, part=2)

    return [(1, lambda t: Expired(time_ns=t)), (200, part), (300, part), (320, lambda t: Cancelled(time_ns=t))]


def run(small: World, remembered_ns: int) -> tuple[RunSummary, MemoryJournal, Scripted, RunLoop]:
    journal, strategy, clock = MemoryJournal(), Scripted(busy), EventClock()
    loop = RunLoop(
        feed=ReplayFeed(small.plan.sources).open(),
        clock=clock,
        gateway=ScriptedGateway(clock, late),
        engine=small.engine,
        catalogue=small.catalogue,
        strategies=[strategy, TakeTriggers()],
        settings=RunSettings(small.plan.tables, heartbeat_every_ns=10 * MS, remembered_ns=remembered_ns),
        journal=journal,
        archive=journal,
    )
    return loop.run(), journal, strategy, loop


@pytest.mark.parametrize("remembered_ms", [1, 30, 250])
def test_a_run_that_forgets_decides_and_books_the_same(tmp_path: Path, remembered_ms: int) -> None:
    small = world(tmp_path)
    summary, journal, strategy, _ = run(small, FOREVER)
    other, its_journal, its_strategy, loop = run(small, remembered_ms * MS)
    assert len(other.orders) < len(summary.orders)
    assert its_journal.forgotten
    assert strategy.woken == its_strategy.woken
    assert (journal.intents, journal.events, journal.reports) == (
        its_journal.intents,
        its_journal.events,
        its_journal.reports,
    )
    assert (summary.decision_hash, summary.parity, summary.counts) == (other.decision_hash, other.parity, other.counts)
    assert (summary.positions, summary.totals, summary.counters) == (other.positions, other.totals, other.counters)
    assert summary.counts.repeated == 1
    assert summary.counts.late_fills == 5
    for order in summary.orders:
        assert loop.access.view.order(order.client_order_id) == order
