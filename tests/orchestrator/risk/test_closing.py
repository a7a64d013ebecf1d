"""After a halt: orders are cancelled, and what is held is sold if that was asked for."""

from __future__ import annotations

from market.orders.kinds import OrderState, OrderType, Side
from market.protocols import Started, TimerIntent
from orchestrator.risk.guard import EVERYWHERE, Reason
from tests.orchestrator.risk.floor import BTC, FUTURES, MS, SECOND, SPOT, START_NS
from tests.orchestrator.risk.supervised import run


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
