"""When trading pauses and halts by itself, and how everything is taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from market.errors import Rejected
from market.orders.kinds import OrderState, OrderType, Side
from market.orders.order import OrderIntent
from market.protocols import FOREVER, Started, TimerFired, TimerIntent
from orchestrator.risk.assembly import Risk, assemble_risk
from orchestrator.risk.equity import LossState
from orchestrator.risk.guard import EVERYWHERE, GuardState, Reason, Scope
from orchestrator.risk.readings import FeedReading, GatewayReading, HostReading
from orchestrator.risk.supervisor import GuardChange, RiskState
from tests.orchestrator.risk.floor import BTC, FUTURES, MS, SECOND, SPOT, START_NS, Floor, floor, settings_with
from tests.orchestrator.risk.test_limits_hold import FloorClock, Silent

DAY = 86_400 * SECOND


@dataclass
class Instruments:
    """Readings that a test sets."""

    feed: list[FeedReading] = field(default_factory=list)
    gateway: list[GatewayReading] = field(default_factory=list)
    machine: HostReading = field(default_factory=lambda: HostReading(1_000, 0))
    looks: int = 0

    def feeds(self) -> Sequence[FeedReading]:
        return self.feed

    def gateways(self) -> Sequence[GatewayReading]:
        return self.gateway

    def host(self) -> HostReading:
        self.looks += 1
        return self.machine


@dataclass
class Run:
    """A floor under supervision."""

    small: Floor
    risk: Risk
    probe: Instruments
    changes: list[GuardChange]

    @property
    def stage(self) -> str:
        return self.risk.supervisor.stage.name

    @property
    def state(self) -> str:
        return self.risk.supervisor.guard.state.name

    @property
    def reasons(self) -> list[Reason]:
        return [reason for reason, _ in self.risk.supervisor.guard.pauses]

    def look(self, after_ns: int = 100 * MS) -> None:
        """Let time pass, with fresh quotes, and look."""
        self.small.now_ns += after_ns
        for quote in self.small.quotes.values():
            self.small.quotes[quote.instrument, quote.venue] = msgspec.structs.replace(quote, time_ns=self.small.now_ns)
        self.risk.supervisor.look(self.small.access, self.small.now_ns)

    def close(self) -> list[str]:
        """Let the closer look once, and place what it wants; returns the orders."""
        wanted = self.risk.strategies[0].wake(TimerFired(number=1, time_ns=self.small.now_ns), self.small)
        orders = [intent for intent in wanted if isinstance(intent, OrderIntent)]
        return [self.small.place(intent).client_order_id for intent in orders]


def run(state: RiskState | None = None, **risk: Any) -> Run:
    small = floor(**risk)
    probe, changes = Instruments(), list[GuardChange]()
    made = assemble_risk(
        small.settings, small.catalogue, Silent(), FloorClock(small), probe=probe, on_change=changes.append, state=state
    )
    small.checks = made.checks
    return Run(small, made, probe, changes)


def test_late_data_pauses_its_venue_and_trading_goes_on_when_it_is_in_time_again() -> None:
    watched = run()
    watched.probe.feed = [FeedReading(SPOT, True, 500 * MS, FOREVER)]
    watched.look()
    assert watched.state == "RUNNING"
    watched.probe.feed = [FeedReading(SPOT, True, 500 * MS + 1, FOREVER)]
    watched.look()
    assert watched.reasons == [Reason.FEED_LATENCY]
    assert "paused for feed-latency" in watched.small.place(watched.small.intent()).reason
    assert watched.small.place(watched.small.intent(key=(BTC, FUTURES))).is_working
    watched.probe.feed = [FeedReading(SPOT, True, MS, FOREVER)]
    watched.look()
    watched.look(1_999 * MS)
    assert watched.state == "PAUSED"
    watched.look(MS)
    assert watched.state == "RUNNING"
    assert [(change.before, change.after) for change in watched.changes] == [
        (GuardState.RUNNING, GuardState.PAUSED),
        (GuardState.PAUSED, GuardState.RUNNING),
    ]
    assert watched.changes[1].reason == "feed-latency has passed"


def test_lost_connections_silence_and_open_breakers_pause() -> None:
    watched = run()
    now_ns = watched.small.now_ns + 100 * MS
    watched.probe.feed = [FeedReading(SPOT, False, None, now_ns - SECOND - 1)]
    watched.probe.gateway = [GatewayReading(FUTURES, True, "5 of 5 requests failed")]
    watched.look()
    assert set(watched.risk.supervisor.guard.pauses) == {
        (Reason.DISCONNECTED, Scope(SPOT)),
        (Reason.FEED_SILENCE, Scope(SPOT)),
        (Reason.CIRCUIT_BREAKER, Scope(FUTURES)),
    }
    watched.probe.gateway = [GatewayReading(FUTURES, False)]
    watched.look()
    pause = watched.risk.supervisor.guard.pauses[Reason.CIRCUIT_BREAKER, Scope(FUTURES)]
    assert pause.detail == "5 of 5 requests failed", "why it began"


def test_a_spread_of_more_than_ten_times_its_mean_pauses_its_market() -> None:
    watched = run()
    for _ in range(400):
        watched.look()
    watched.small.set_quote("61700", "61701")
    watched.look()
    assert watched.state == "RUNNING", "exactly ten times"
    watched.small.set_quote("61700", "61701.2")
    watched.look()
    assert list(watched.risk.supervisor.guard.pauses) == [(Reason.SPREAD, Scope(SPOT, BTC))]


def test_a_spread_is_not_judged_before_its_mean_is_known() -> None:
    watched = run()
    watched.look()
    watched.small.set_quote("61700", "61799")
    watched.look()
    assert watched.state == "RUNNING"


def test_an_order_without_an_answer_pauses_its_venue() -> None:
    watched = run()
    order = watched.small.place(watched.small.intent())
    watched.look(5 * SECOND)
    assert watched.state == "RUNNING"
    watched.look(MS)
    assert watched.reasons == [Reason.ORDER_LATENCY]
    watched.small.acknowledge(order)
    watched.look()
    watched.look(2 * SECOND)
    assert watched.state == "RUNNING"


def test_the_watchdog_looks_every_ten_seconds() -> None:
    watched = run(watchdog={"memory_warm_up_s": 0})
    for _ in range(101):
        watched.look()
    assert watched.probe.looks == 2
    watched.probe.machine = HostReading(2_001, 251 * MS)
    watched.look(10 * SECOND)
    assert set(watched.reasons) == {Reason.CLOCK_DRIFT, Reason.MEMORY}
    watched.probe.machine = HostReading(2_000, None)
    watched.look(10 * SECOND)
    watched.look(10 * SECOND)
    assert watched.state == "RUNNING"


def lose(watched: Run, amount: str) -> None:
    """Trade at a loss: sell and buy back one hundredth at prices that are ``amount`` apart."""
    price = Decimal(61_700)
    loss = Decimal(amount) / Decimal("0.01")
    watched.small.hold("0.01", price=f"{price + loss:f}")
    watched.small.hold("0.01", side=Side.SELL, price=f"{price:f}")


def test_a_loss_of_a_day_pauses_until_the_next() -> None:
    watched = run()
    watched.look()
    lose(watched, "100")
    watched.look()
    assert watched.state == "RUNNING", "exactly one percent"
    lose(watched, "0.01")
    watched.look()
    assert watched.reasons == [Reason.DAILY_LOSS]
    with pytest.raises(Rejected, match="expected a halt or a pause that waits for a person"):
        watched.risk.supervisor.resume(watched.small.now_ns)
    watched.look(DAY)
    watched.look(2 * SECOND)
    assert watched.state == "RUNNING"


def test_the_kill_switch_waits_for_a_person() -> None:
    watched = run(loss={"maximum_loss_quote": 50, "daily_loss_pct": 100})
    watched.look()
    lose(watched, "50.01")
    watched.look()
    watched.look(DAY)
    assert watched.reasons == [Reason.LOSS]
    assert "the run had lost 50.01" in watched.changes[-1].reason
    watched.risk.supervisor.resume(watched.small.now_ns)
    watched.look()
    assert watched.state == "RUNNING", "what was lost is accepted"


def test_a_drawdown_of_a_month_halts_and_closes() -> None:
    watched = run(loss={"daily_loss_pct": 100, "maximum_loss_quote": 9_999})
    watched.look()
    lose(watched, "500.01")
    watched.small.hold("0.02")
    watched.look()
    assert watched.state == "HALTED"
    assert watched.stage == "CLOSING"
    assert len(watched.close()) == 1


def test_a_restart_forgives_neither_the_month_nor_a_halt() -> None:
    first = run(loss={"daily_loss_pct": 100, "maximum_loss_quote": 9_999})
    first.look()
    lose(first, "400")
    first.look()
    first.risk.supervisor.pause("lunch", first.small.now_ns)
    first.risk.supervisor.halt("enough", first.small.now_ns)
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(first.risk.supervisor.state), type=RiskState)
    second = run(state, loss={"daily_loss_pct": 100, "maximum_loss_quote": 9_999})
    second.look()
    assert (second.state, second.reasons) == ("HALTED", [Reason.OPERATOR])
    assert not second.small.place(second.small.intent()).is_working
    second.risk.supervisor.resume(second.small.now_ns)
    assert second.small.place(second.small.intent()).is_working
    lose(second, "100.01")
    second.look()
    assert second.state == "RUNNING", "a new run begins with new capital, 4 % above the fall"
    later = run(msgspec.structs.replace(state, halted="", paused={}, losses=_peak_of(state, 1_000)))
    later.look()
    assert later.state == "HALTED"


def _peak_of(state: RiskState, more: int) -> LossState:
    """The same month with a higher peak."""
    assert state.losses is not None
    return msgspec.structs.replace(state.losses, month_peak=str(int(state.losses.month_peak) + more * 10**60))


def test_a_halt_cancels_what_works_and_leaves_positions() -> None:
    watched = run()
    watched.small.hold("0.02")
    orders = [watched.small.place(watched.small.intent(price=price)) for price in ("61699", "61698")]
    watched.risk.supervisor.halt("stop", watched.small.now_ns)
    watched.look()
    assert watched.small.cancelled == [order.client_order_id for order in orders]
    watched.look()
    assert len(watched.small.cancelled) == 2, "not again at once"
    watched.look(SECOND)
    assert len(watched.small.cancelled) == 4, "but when nothing came of it"
    for order in orders:
        watched.small.end(order)
    watched.look()
    assert watched.stage == "DONE"
    assert watched.close() == []


def test_closing_waits_for_cancellations_and_then_takes_the_way_of_all_orders() -> None:
    watched = run()
    watched.small.hold("0.06")
    watched.small.hold("0.05", side=Side.SELL, key=(BTC, FUTURES))
    order = watched.small.place(watched.small.intent(price="61699"))
    watched.risk.supervisor.close_all("stop", watched.small.now_ns)
    watched.look()
    assert watched.close() == []
    watched.small.end(order)
    watched.look()
    spot, futures = (watched.small.order(name) for name in watched.close())
    assert spot is not None
    assert futures is not None
    assert (spot.intent.side, spot.intent.type, spot.intent.reduce_only) == (Side.SELL, OrderType.MARKET, False)
    assert (futures.intent.side, futures.intent.reduce_only) == (Side.BUY, True)
    assert spot.state is futures.state is OrderState.SENT
    watched.look()
    assert watched.close() == [], "one at a time"
    watched.small.fill(spot, quantity=spot.intent.quantity // 3)
    watched.small.end(spot)
    watched.small.fill(futures)
    watched.look()
    assert watched.close() == [], "the rest after a while"
    watched.look(SECOND)
    (again,) = watched.close()
    watched.small.fill(watched.small.order(again) or spot)
    watched.look()
    watched.close()
    assert watched.stage == "DONE"
    assert all(not watched.small.position(BTC, venue).quantity for venue in (SPOT, FUTURES))


def test_a_late_fill_after_everything_was_closed_is_closed_too() -> None:
    watched = run()
    order = watched.small.place(watched.small.intent(price="61700"))
    watched.risk.supervisor.close_all("stop", watched.small.now_ns)
    watched.look()
    watched.small.end(order)
    watched.look()
    watched.close()
    assert watched.stage == "DONE"
    watched.small.fill(order)
    watched.look()
    assert len(watched.close()) == 1
    assert watched.stage == "CLOSING"


def test_an_order_that_cannot_be_cancelled_does_not_keep_positions_open() -> None:
    watched = run()
    watched.small.hold("0.02")
    watched.small.place(watched.small.intent(price="61699"))
    watched.risk.supervisor.close_all("stop", watched.small.now_ns)
    watched.look(2_999 * MS)
    assert watched.close() == []
    watched.look(MS)
    assert len(watched.close()) == 1


def test_a_position_waits_for_a_sound_book_but_not_for_ever() -> None:
    watched = run()
    watched.small.hold("0.02")
    del watched.small.quotes[BTC, SPOT]
    watched.risk.supervisor.close_all("stop", watched.small.now_ns)
    watched.look()
    assert watched.close() == []
    watched.look(3 * SECOND)
    assert len(watched.close()) == 1


def test_what_is_too_small_for_the_venue_is_left_and_said() -> None:
    watched = run()
    watched.small.hold("0.02")
    key = (BTC, SPOT)
    limits = watched.risk.limits.markets[key]
    object.__setattr__(limits.listing, "minimum_quantity", 10**18)
    watched.risk.supervisor.close_all("stop", watched.small.now_ns)
    watched.look()
    assert watched.close() == []
    assert watched.stage == "DONE"


def test_resuming_ends_closing_and_lets_orders_pass() -> None:
    watched = run()
    watched.risk.supervisor.close_all("stop", watched.small.now_ns)
    watched.look()
    assert not watched.small.place(watched.small.intent()).is_working
    watched.risk.supervisor.resume(watched.small.now_ns)
    watched.look()
    assert (watched.state, watched.stage) == ("RUNNING", "IDLE")
    assert watched.small.place(watched.small.intent()).is_working


def test_a_critical_error_closes_only_if_the_settings_say_so() -> None:
    for closes in (True, False):
        watched = run(loss={"close_on_halt": closes})
        watched.small.hold("0.02")
        watched.risk.supervisor.critical("the database is gone", watched.small.now_ns)
        watched.look()
        assert watched.state == "HALTED"
        assert len(watched.close()) == closes


def test_the_closer_keeps_looking() -> None:
    watched = run()
    (timer,) = watched.risk.strategies[0].wake(Started(time_ns=START_NS), watched.small)
    assert isinstance(timer, TimerIntent)
    assert timer.at_ns == START_NS + 100 * MS
    assert watched.risk.supervisor.guard.pauses.get((Reason.OPERATOR, EVERYWHERE)) is None


def test_limits_are_read_anew_while_the_run_goes_on() -> None:
    watched = run()
    watched.look()
    lose(watched, "60")
    watched.look()
    assert watched.small.place(watched.small.intent(quantity="0.02")).is_working
    assert watched.state == "RUNNING"
    watched.risk.reload(
        settings_with(
            limits={"maximum_order_notional_quote": 1_000, "messages_per_s": 1},
            loss={"maximum_loss_quote": 50},
            guards={"maximum_feed_latency_ms": 10},
        )
    )
    assert "notional was" in watched.small.place(watched.small.intent(quantity="0.02")).reason
    assert watched.small.place(watched.small.intent(quantity="0.01")).is_working
    watched.probe.feed = [FeedReading(SPOT, True, 11 * MS, FOREVER)]
    watched.look()
    assert watched.reasons == [Reason.FEED_LATENCY, Reason.LOSS]
