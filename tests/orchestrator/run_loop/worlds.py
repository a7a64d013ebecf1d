"""Small worlds for the run loop: one spot market by hand, scripted strategies, gateways and feeds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from config.loading import load_settings
from config.settings import Settings
from config.venues import VenueName
from market.errors import DataGap, Retry
from market.fastpath.engine import CpuEngine
from market.instruments import Catalogue
from market.orders.cause import Cause, Origin
from market.orders.events import Filled, OrderEvent
from market.orders.kinds import Liquidity, OrderType, Side, TimeInForce
from market.orders.order import Fill, Order, OrderIntent
from market.orders.reports import GatewayReport, OrderUpdate
from market.protocols import (
    Clock,
    Feed,
    Gateway,
    Intent,
    MarketView,
    PreTradeCheck,
    Strategy,
    WakeCause,
    Wakes,
)
from orchestrator.replay.plan import SourceFile, session_settings
from orchestrator.run_loop.catalogue import catalogue
from orchestrator.run_loop.journal import MemoryJournal
from orchestrator.run_loop.loop import RunLoop, RunSettings
from sim.clock import EventClock
from sim.feed.replay_feed import ReplayFeed
from sim.gateway.settling import SettleMode, SettlingGateway, SettlingSettings
from sim.replay.session import SessionSettings
from tests.orchestrator.replay.market_lines import (
    START_NS,
    line,
    spot_diff,
    spot_quote,
    spot_snapshot,
    spot_trade,
    write,
)

MS: Final = 1_000_000
BTC: Final = 0
SPOT: Final = 0
PROFILE: Final = """
extends = "demo"
[instruments.BTC]
kinds = ["imbalance"]
imbalance_threshold = 0.9
cooldown_ms = 50
"""


def balanced(offset_ms: int, update: int) -> str:
    return line(offset_ms, spot_quote(update, "61700.00", "61700.01", "1"))


def leaning(offset_ms: int, update: int) -> str:
    """A quote with a hundred times more to buy than to sell: the fast loop buys 0.01 at 61,700.01."""
    quote = spot_quote(update, "61700.00", "61700.01", "1").replace('"A":"1"', '"A":"0.01"')
    return line(offset_ms, quote)


def opening() -> list[str]:
    """A snapshot and the update that continues it, at 0 and 1 ms."""
    return [line(0, spot_diff(1, 5)), line(1, spot_snapshot(5, "61700.00", "61700.01"))]


def three_triggers() -> list[str]:
    """Triggers at 100, 300 and 500 ms, and a trade at 550 ms."""
    quotes = [(leaning if turn % 2 else balanced)(100 * turn, 6 + turn) for turn in range(1, 6)]
    return [*opening(), *quotes, line(550, spot_trade(1)), balanced(600, 20)]


@dataclass
class World:
    """One recording with its settings, and the parts of a run over it."""

    settings: Settings
    plan: SessionSettings
    catalogue: Catalogue
    clock: EventClock = field(default_factory=EventClock)
    journal: MemoryJournal = field(default_factory=MemoryJournal)

    @property
    def engine(self) -> CpuEngine:
        """A new engine."""
        return CpuEngine(self.plan.sizes)

    def gateway(self, mode: SettleMode = SettleMode.UNFILLED, latency_ms: int = 1) -> SettlingGateway:
        return SettlingGateway(SettlingSettings(mode, latency_ms * MS), self.clock, self.catalogue)

    def loop(
        self,
        strategies: Sequence[Strategy],
        gateway: Gateway | None = None,
        *,
        feed: Feed | None = None,
        clock: Clock | None = None,
        engine: CpuEngine | None = None,
        checks: Sequence[PreTradeCheck] = (),
    ) -> RunLoop:
        return RunLoop(
            feed=feed or ReplayFeed(self.plan.sources).open(),
            clock=clock or self.clock,
            gateway=gateway or self.gateway(),
            engine=engine or self.engine,
            catalogue=self.catalogue,
            strategies=strategies,
            settings=RunSettings(self.plan.tables, heartbeat_every_ns=self.plan.heartbeat_every_ns),
            checks=checks,
            journal=self.journal,
        )


def world(folder: Path, lines: Sequence[str] | None = None, profile: str = PROFILE) -> World:
    (folder / "profile.toml").write_text(profile, encoding="utf-8")
    settings = load_settings(folder / "profile.toml")
    path = write(folder / "spot.txt", list(three_triggers() if lines is None else lines))
    plan = session_settings(settings, [SourceFile(VenueName.BINANCE_SPOT, path)])
    return World(settings, plan, catalogue(settings))


@dataclass
class Scripted:
    """A strategy that does what a function says and remembers when it woke for what."""

    answer: Callable[[WakeCause, MarketView], Iterable[Intent]]
    wakes: Wakes = field(default_factory=Wakes)
    tag: str = "script"
    woken: list[tuple[int, WakeCause]] = field(default_factory=list)

    def wake(self, cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        self.woken.append((view.now_ns - START_NS, cause))
        return self.answer(cause, view)

    def times_ms(self, kind: type[object]) -> list[float]:
        return [time_ns / MS for time_ns, cause in self.woken if isinstance(cause, kind)]


def decision(view: MarketView, number: int, *, side: Side = Side.BUY, quantity: str = "0.1", tag: str = "script",
             price: str = "61700.00", time_in_force: TimeInForce = TimeInForce.GTC) -> OrderIntent:  # fmt: skip
    """A strategy's own limit order on the spot market."""
    instrument = view.listing(BTC, SPOT).instrument
    return OrderIntent(
        cause=Cause(strategy=tag, origin=Origin.DECISION, epoch=view.epoch, number=number),
        decided_ns=view.now_ns,
        instrument=BTC,
        venue=SPOT,
        side=side,
        type=OrderType.LIMIT,
        time_in_force=time_in_force,
        quantity=instrument.quantity_scale.count(quantity),
        limit_price=instrument.price_scale.count(price),
    )


def fill_event(order: Order, time_ns: int, fill_id: str = "1", part: int = 1, fee_base: int = 0) -> Filled:
    """A fill of one over ``part`` of an order, with a commission in base."""
    return Filled(
        fill=Fill(
            fill_id=fill_id,
            price=order.intent.limit_price,
            quantity=order.intent.quantity // part,
            fee=fee_base * order.intent.limit_price,
            fee_base=fee_base,
            liquidity=Liquidity.TAKER,
            venue_ns=time_ns,
            receive_ns=time_ns,
        )
    )


@dataclass
class ScriptedGateway:
    """A gateway whose reports, from an order's arrival on, are made by a function; it remembers what it was asked.

    The function gives (delay in ms, event) pairs, the event a function of the time at which it is reported; a DataGap
    in its place is raised at that time.
    """

    clock: Clock
    script: Callable[[Order], Sequence[tuple[int, Callable[[int], OrderEvent] | DataGap]]]
    on_query: Callable[[Order, int], OrderEvent] | None = None
    refusal: Exception | None = None
    query_refusals: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)
    waiting: list[tuple[int, str, OrderEvent | DataGap]] = field(default_factory=list)

    def submit(self, order: Order) -> None:
        self.asked.append(("submit", order.client_order_id))
        if self.refusal is not None:
            raise self.refusal
        for delay_ms, made in self.script(order):
            time_ns = self.clock.now_ns() + delay_ms * MS
            event = made if isinstance(made, DataGap) else made(time_ns)
            self.waiting.append((time_ns, order.client_order_id, event))
        self.waiting.sort(key=lambda item: item[0])

    def cancel(self, order: Order) -> None:
        self.asked.append(("cancel", order.client_order_id))
        if self.refusal is not None:
            raise self.refusal

    def query(self, order: Order) -> None:
        self.asked.append(("query", order.client_order_id))
        if self.query_refusals:
            self.query_refusals -= 1
            raise Retry("the limit of requests was reached")
        if self.on_query is not None:
            time_ns = self.clock.now_ns() + MS
            self.waiting.append((time_ns, order.client_order_id, self.on_query(order, time_ns)))

    def request_open_orders(self, venue: int) -> None:
        self.asked.append(("open orders", str(venue)))

    def request_balances(self, venue: int) -> None:
        self.asked.append(("balances", str(venue)))

    def submit_oco(self, limit: Order, stop: Order) -> None:
        self.submit(limit)
        self.submit(stop)

    def request_positions(self, venue: int) -> None:
        self.asked.append(("positions", str(venue)))

    def next_ns(self) -> int | None:
        return self.waiting[0][0] if self.waiting else None

    def take(self, until_ns: int) -> Sequence[GatewayReport]:
        reports: list[GatewayReport] = []
        while self.waiting and self.waiting[0][0] <= until_ns:
            event = self.waiting[0][2]
            if isinstance(event, DataGap) and reports:
                break
            _, name, _ = self.waiting.pop(0)
            if isinstance(event, DataGap):
                raise event
            reports.append(OrderUpdate(client_order_id=name, event=event))
        return reports
