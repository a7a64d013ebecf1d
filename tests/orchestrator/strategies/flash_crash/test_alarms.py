"""What ends a sleep beside the detector: the end of a second, the age of an order that waits, news of orders."""

from __future__ import annotations

from dataclasses import replace

from market.detector.layout import new_state
from market.detector.states import State
from market.orders.order import OrderIntent
from market.protocols import FOREVER
from orchestrator.strategies.flash_crash.parameters import EntryParameters
from orchestrator.strategies.flash_crash.sleeping import Sleeping
from tests.orchestrator.strategies.desk import MS, SECOND
from tests.orchestrator.strategies.flash_crash.rig import ENTRY, FORBIDDEN, SETTINGS, Rig, active


class Sleeper:
    """A trader that has gone to sleep behind an order to buy, in an event."""

    def __init__(self, entry: EntryParameters = ENTRY) -> None:
        self.rig: Rig = active(entry)
        self.rig.candle(10_000, 10_100)
        self.order: OrderIntent = self.rig.desk.asked[-1]
        self.bought_ns = self.rig.desk.now_ns
        self.sleep = Sleeping(self.rig.parameters, new_state(SETTINGS))
        self.sleep.wake.attach(0)
        self.rig.watch.sleep = self.sleep
        self.rig.desk.acknowledge(self.order)
        assert self.sleeps()

    def sleeps(self) -> bool:
        """Whether it hears nothing of the market."""
        return self.sleep.is_asleep

    @property
    def alarm_ns(self) -> int:
        """When the sleep ends at the latest."""
        number = self.rig.trader._timers
        return next((at_ns for at_ns, timer in self.rig.desk.timers if timer == number), FOREVER)


def test_it_wakes_when_the_second_ends_and_sleeps_on() -> None:
    sleeper = Sleeper(replace(ENTRY, lifetime_ns=5 * SECOND))
    for seconds in (1, 2, 3):
        assert sleeper.alarm_ns == sleeper.bought_ns + seconds * SECOND
        sleeper.rig.desk.pass_time(SECOND)
        assert sleeper.sleeps()
    assert sleeper.rig.desk.cancelled == []


def test_an_order_that_waited_for_long_enough_is_withdrawn() -> None:
    sleeper = Sleeper()
    sleeper.rig.desk.pass_time(ENTRY.lifetime_ns - 1)
    assert sleeper.rig.desk.cancelled == []
    sleeper.rig.desk.pass_time(1)
    assert sleeper.rig.desk.cancelled == [sleeper.order.client_order_id]
    assert not sleeper.sleeps()


def test_between_two_tenths_it_wakes_and_looks_at_the_next_as_one_that_is_awake() -> None:
    sleeper = Sleeper(replace(ENTRY, lifetime_ns=1_050 * MS))
    sleeper.rig.desk.pass_time(1_099 * MS)
    assert not sleeper.sleeps()
    assert sleeper.rig.desk.cancelled == []
    sleeper.rig.desk.pass_time(MS)
    assert sleeper.rig.desk.cancelled == [sleeper.order.client_order_id]


def test_what_is_bought_wakes_it_and_keeps_it_awake() -> None:
    sleeper = Sleeper()
    sleeper.rig.desk.pass_time(250 * MS)
    sleeper.rig.desk.fill(sleeper.order)
    assert not sleeper.sleeps()
    assert sleeper.alarm_ns == sleeper.bought_ns + 300 * MS
    sleeper.rig.bid(10_090)
    assert [sale.quantity for sale in sleeper.rig.sales] == [sleeper.order.quantity]


def test_a_fill_after_the_end_of_its_order_is_sold() -> None:
    sleeper = Sleeper()
    sleeper.rig.desk.cancel(sleeper.order)
    assert sleeper.sleeps()
    assert not sleeper.rig.trader.is_trading
    sleeper.rig.desk.fill(sleeper.order)
    assert not sleeper.sleeps()
    assert [sale.quantity for sale in sleeper.rig.sales] == [sleeper.order.quantity]


def test_where_entries_are_not_allowed_an_order_keeps_it_awake() -> None:
    sleeper = Sleeper()
    sleeper.rig.watch.permissions = FORBIDDEN
    sleeper.rig.desk.pass_time(SECOND)
    assert sleeper.rig.desk.cancelled == [sleeper.order.client_order_id]
    assert not sleeper.sleeps()


def test_after_the_event_only_the_detector_wakes_it() -> None:
    sleeper = Sleeper()
    sleeper.rig.desk.cancel(sleeper.order)
    sleeper.rig.watch.standing = State.SLEEP
    sleeper.rig.desk.pass_time(SECOND)
    assert sleeper.sleeps()
    assert sleeper.alarm_ns == FOREVER
