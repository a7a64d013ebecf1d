"""A run in event time that is commanded as over the bus, and its books on the data channel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.bus import BusSettings
from market.book.book import LAST_ID, SYNCHRONISED
from market.errors import Rejected, Retry
from orchestrator.bus import messages
from orchestrator.bus.book_feed import BookFeed, BookMirror
from orchestrator.bus.messages import Answer, DataMessage, Error, OrderBookSnapshot, OrderBookUpdate
from orchestrator.bus.operator import answer
from orchestrator.bus.records import BusOrderType, BusSide, NewOrder
from orchestrator.bus.run_operator import OperatorOrders, RunOperator
from orchestrator.bus.telemetry import Executions
from orchestrator.risk.assembly import assemble_risk
from orchestrator.run_loop.access import PeriodicTask, RunAccess
from orchestrator.run_loop.loop import RunLoop, RunSettings
from orchestrator.run_loop.summary import RunSummary
from sim.feed.replay_feed import ReplayFeed
from tests.orchestrator.bus.parts import NEW_ORDER
from tests.orchestrator.replay.market_lines import START_NS
from tests.orchestrator.risk.floor import floor
from tests.orchestrator.risk.test_in_the_loop import PlainVenue
from tests.orchestrator.risk.test_own_orders import KEY, book_of, rows
from tests.orchestrator.run_loop.worlds import MS, balanced, opening, world

ORDER = msgspec.structs.replace(NEW_ORDER, price=Decimal("61699.5"), venue="binance-spot")
MARKET = NewOrder(
    symbol="BTCUSDT", venue="binance-spot", side=BusSide.BUY, order_type=BusOrderType.MARKET, quantity=Decimal("0.02")
)


@dataclass
class Commanded:
    """A run with an operator; ``at`` says what is asked at which milliseconds."""

    folder: Path
    at: dict[int, list[Callable[[], messages.CommandMessage]]] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    executions: list[messages.OrderExecution] = field(default_factory=list)
    count: int = 0

    def ask(self, offset_ms: int, kind: Callable[..., messages.CommandMessage], **fields: Any) -> str:
        """Have a command sent; returns its id."""
        self.count += 1
        name = f"c{self.count}"
        self.at.setdefault(offset_ms, []).append(lambda: kind(command_id=name, **fields))
        return name

    def run(self) -> RunSummary:
        lines = [*opening(), *(balanced(offset, 6 + offset) for offset in range(10, 1_000, 10))]
        small = world(self.folder, lines, 'extends = "demo"\n[risk.guards]\nminimum_liquidity_quote = 0\n')
        self.venue = PlainVenue(small.clock)
        executions = Executions(small.catalogue, self.executions.append)
        risk = assemble_risk(small.settings, small.catalogue, self.venue, small.clock, fills=(executions,))
        orders = OperatorOrders(small.catalogue)
        self.published: list[DataMessage] = []
        books = BookFeed(risk.limits.markets, small.settings.bus, self.published.append)
        operator = RunOperator(
            mode="backtest",
            catalogue=small.catalogue,
            limits=risk.limits,
            supervisor=risk.supervisor,
            orders=orders,
            snapshot=books.publish_snapshot,
            details=lambda: {"orders sent": len(self.venue.submitted)},
        )
        with pytest.raises(Retry, match="has not started yet"):
            operator.report()

        def command(run: RunAccess, now_ns: int) -> None:
            for due in [due for due in self.at if START_NS + due * MS <= now_ns]:
                for make in self.at.pop(due):
                    answer(make(), operator, now_ns, self.keep)

        return RunLoop(
            feed=ReplayFeed(small.plan.sources).open(),
            clock=small.clock,
            gateway=risk.gateway,
            engine=small.engine,
            catalogue=small.catalogue,
            strategies=(*risk.strategies, orders),
            settings=RunSettings(small.plan.tables, heartbeat_every_ns=small.plan.heartbeat_every_ns),
            checks=risk.checks,
            periodic=(*risk.tasks, operator.task, PeriodicTask("test", 10 * MS, command), books.task, executions.task),
            listeners=risk.listeners,
        ).run()

    def keep(self, found: Answer) -> None:
        assert found.command_id not in self.answers
        self.answers[found.command_id] = found


def error(commanded: Commanded, name: str) -> str:
    found = commanded.answers[name]
    assert isinstance(found, Error)
    return found.message


def test_an_operator_can_do_everything(tmp_path: Path) -> None:
    run = Commanded(tmp_path)
    place = run.ask(100, messages.PlaceOrder, order=ORDER)
    bought = run.ask(100, messages.PlaceOrder, order=MARKET)
    listed = run.ask(200, messages.QueryOpenOrders)
    others = run.ask(200, messages.QueryOpenOrders, symbol="ETHUSDT")
    held = run.ask(200, messages.QueryPositions)
    status = run.ask(200, messages.QueryStatus)
    cancel = run.ask(300, messages.CancelOrder, client_order_id="operator-d1-1-0", symbol="BTCUSDT")
    query = run.ask(400, messages.QueryOrder, client_order_id="operator-d1-1-0")
    close = run.ask(500, messages.CloseAll, reason="storm")
    refused = run.ask(600, messages.PlaceOrder, order=ORDER)
    resume = run.ask(700, messages.Resume)
    again = run.ask(750, messages.Resume)
    snapshot = run.ask(800, messages.RequestSnapshot, symbol="BTCUSDT", venue="binance-spot")
    reload = run.ask(800, messages.ReloadConfig)
    end = run.ask(900, messages.Shutdown)
    summary = run.run()
    answers = run.answers
    assert answers[place] == messages.OrderPlaced(
        command_id=place, client_order_id="operator-d1-1-0", timestamp_ns=START_NS + 100 * MS
    )
    assert isinstance(answers[bought], messages.OrderPlaced)
    found = answers[listed]
    assert isinstance(found, messages.OpenOrders)
    assert [(order.client_order_id, order.price, order.status) for order in found.orders] == [
        ("operator-d1-1-0", Decimal("61699.5"), "open")
    ]
    assert answers[others] == messages.OpenOrders(command_id=others, orders=())
    positions = answers[held]
    assert isinstance(positions, messages.Positions)
    (position,) = positions.positions
    assert (position.quantity, position.average_price, position.mark_price) == (
        Decimal("0.02"), Decimal(61700), Decimal("61700.005"),
    )  # fmt: skip
    assert position.unrealised == Decimal("0.0001")
    report = answers[status]
    assert isinstance(report, messages.RunStatus)
    assert (report.state, report.working_orders, report.open_positions) == ("running", 1, 1)
    assert (report.equity, report.details) == (Decimal("10000.0001"), {"orders sent": 2})
    assert isinstance(answers[cancel], messages.OrderCanceled)
    order = answers[query]
    assert isinstance(order, messages.OrderStatus)
    assert order.order.status == "cancelled"
    said = answers[close]
    assert isinstance(said, messages.Success)
    assert said.message == "halted; cancelling 0 orders, then closing 1 positions"
    assert "trading was halted, storm" in error(run, refused)
    assert answers[resume] == messages.Success(
        command_id=resume, message="trading is running", timestamp_ns=START_NS + 700 * MS
    )
    assert "expected a halt or a pause that waits for a person" in error(run, again)
    assert isinstance(answers[snapshot], messages.Success)
    assert "cannot be read anew" in error(run, reload)
    assert isinstance(answers[end], messages.Success)
    assert all(not position.quantity for position in summary.positions.values())
    assert [(told.client_order_id, told.status, told.filled_quantity, told.price) for told in run.executions] == [
        ("operator-d1-2-0", "filled", Decimal("0.02"), Decimal(61700)),
        ("risk-d1-1-0", "filled", Decimal("0.02"), Decimal(61700)),
    ]


@pytest.mark.parametrize(
    ("kind", "fields", "problem"),
    [
        (messages.QueryOrder, {"client_order_id": "x"}, "order 'x' was asked for; expected one of this run"),
        (messages.CancelOrder, {"client_order_id": "x"}, "expected one of this run"),
        (messages.PlaceOrder, {"order": msgspec.structs.replace(ORDER, venue="")}, "names 2 markets"),
        (messages.PlaceOrder, {"order": msgspec.structs.replace(ORDER, symbol="X")}, "names 0 markets"),
        (messages.PlaceOrder, {"order": msgspec.structs.replace(ORDER, price=None)}, "limit_price was 0"),
        (messages.PlaceOrder, {"order": msgspec.structs.replace(ORDER, quantity=Decimal("1E-30"))}, "more digits"),
        (messages.PlaceOrder, {"order": msgspec.structs.replace(ORDER, quantity=Decimal("1E+999999"))}, "beyond int64"),
        (messages.PlaceOrder, {"order": msgspec.structs.replace(ORDER, quantity=Decimal(3))}, "quantity was 3"),
        (messages.PlaceOrder, {"order": msgspec.structs.replace(ORDER, client_order_id="a-d1-1-0")}, "operator-d"),
        (messages.PlaceOrder, {"order": msgspec.structs.replace(ORDER, client_order_id="me")}, "expected one of ours"),
        (messages.RequestSnapshot, {"symbol": "ETHUSDT", "venue": "binance-spot"}, "was not synchronised"),
    ],
)
def test_what_makes_no_sense_is_refused(
    tmp_path: Path, kind: Callable[..., messages.CommandMessage], fields: dict[str, Any], problem: str
) -> None:
    run = Commanded(tmp_path)
    name = run.ask(100, kind, **fields)
    run.run()
    assert problem in error(run, name)
    assert run.venue.submitted == []


def test_an_order_with_an_id_is_sent_once(tmp_path: Path) -> None:
    run = Commanded(tmp_path)
    named = msgspec.structs.replace(ORDER, client_order_id="operator-d1-5-0")
    first = run.ask(100, messages.PlaceOrder, order=named)
    at_once = run.ask(100, messages.PlaceOrder, order=named)
    later = run.ask(200, messages.PlaceOrder, order=named)
    following = run.ask(300, messages.PlaceOrder, order=ORDER)
    run.run()
    assert run.venue.submitted == ["operator-d1-5-0", "operator-d1-6-0"]
    assert "is on its way already" in error(run, at_once)
    for name in (first, later, following):
        assert isinstance(run.answers[name], messages.OrderPlaced)


def books(published: Sequence[DataMessage]) -> list[OrderBookSnapshot | OrderBookUpdate]:
    return [message for message in published if isinstance(message, OrderBookSnapshot | OrderBookUpdate)]


def test_a_subscriber_follows_a_book_by_its_changes() -> None:
    small, published = floor(), list[DataMessage]()
    feed = BookFeed(small.limits.markets, BusSettings(book_levels=3), published.append)
    mirror = BookMirror()
    shapes = [
        [("61700", "0.5"), ("61699", "1")],
        [("61700", "0.4"), ("61699", "1"), ("61698", "2")],
        [("61699", "1"), ("61698", "2"), ("61697", "3"), ("61696", "4")],
        [("61701", "0.1"), ("61699", "1"), ("61698", "2"), ("61697", "3")],
    ]
    for number, bids in enumerate(shapes, start=1):
        book = book_of(rows(*bids), rows(("61702", "1")))
        book[LAST_ID] = number
        small.books[KEY] = book
        small.now_ns += 100 * MS
        feed.task.action(small.access, small.now_ns)
        message = books(published)[-1]
        assert isinstance(message, OrderBookSnapshot if number == 1 else OrderBookUpdate)
        assert mirror.take(message)
        expected = {Decimal(price): Decimal(size) for price, size in bids[:3]}
        assert (mirror.bids, mirror.asks) == (expected, {Decimal("61702"): Decimal(1)})
    feed.task.action(small.access, small.now_ns)
    assert len(published) == 4, "no change, no message"


def test_a_subscriber_that_missed_a_change_knows_it() -> None:
    small, published = floor(), list[DataMessage]()
    feed = BookFeed(small.limits.markets, BusSettings(snapshot_interval_s=1), published.append)
    for number in range(1, 13):
        small.books[KEY] = book_of(rows(("61700", str(number))), rows(("61702", "1")))
        small.books[KEY][LAST_ID] = number
        small.now_ns += 100 * MS
        feed.task.action(small.access, small.now_ns)
    snapshot, *updates = books(published)
    mirror = BookMirror()
    assert not mirror.take(updates[0]), "nothing is known yet"
    assert mirror.take(snapshot)
    assert mirror.take(updates[0])
    assert not mirror.take(updates[2])
    assert mirror.last_update_id == -1
    (later,) = [message for message in updates if isinstance(message, OrderBookSnapshot)]
    assert mirror.take(later)
    assert mirror.bids == {Decimal(61700): Decimal(11)}


def test_a_book_that_is_lost_begins_anew_with_a_snapshot() -> None:
    small, published = floor(), list[DataMessage]()
    feed = BookFeed(small.limits.markets, BusSettings(), published.append)
    small.books[KEY] = book_of(rows(("61700", "1")), rows(("61702", "1")))
    feed.task.action(small.access, small.now_ns)
    small.books[KEY][SYNCHRONISED] = 0
    feed.task.action(small.access, small.now_ns)
    with pytest.raises(Rejected, match="was not synchronised"):
        feed.publish_snapshot(KEY, small)
    small.books[KEY][SYNCHRONISED] = 1
    feed.task.action(small.access, small.now_ns)
    assert [type(message) for message in published] == [OrderBookSnapshot, OrderBookSnapshot]
