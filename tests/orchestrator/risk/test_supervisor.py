"""When trading pauses and halts by itself."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from market.errors import Rejected
from market.orders.kinds import Side
from market.protocols import FOREVER
from orchestrator.risk.equity import LossState
from orchestrator.risk.guard import GuardState, Reason, Scope
from orchestrator.risk.readings import FeedReading, GatewayReading, HostReading
from orchestrator.risk.supervisor import RiskState
from tests.orchestrator.risk.floor import BTC, FUTURES, MS, SECOND, SPOT, settings_with
from tests.orchestrator.risk.supervised import Run, run

DAY = 86_400 * SECOND


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
