"""Sleep until chaos: over any path of events nothing is bought outside ACTIVE, and everything is out afterwards."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from market.detector.states import Permission, State
from market.orders.kinds import OrderType, Side, TimeInForce
from market.risk.position import Position
from orchestrator.strategies.flash_crash.parameters import ExitParameters
from tests.orchestrator.strategies.desk import MS, NEAR, SECOND
from tests.orchestrator.strategies.flash_crash.rig import ENTRY, KEY, Rig

OPTIMIZED = ExitParameters(
    stop_ppm=25_000,
    maximum_hold_ns=20 * SECOND,
    exits_bearish=True,
    gap_ppm=1_000,
    reversal_ppm=10_000,
    trailing_ppm=2_000,
    decay_after_ns=5 * SECOND,
)
EAGER = replace(ENTRY, cooldown_ns=0, loss_cooldown_ns=0, shift_ppm=50_000)
STEPS = st.one_of(
    st.tuples(st.just("state"), st.sampled_from(State), st.booleans()),
    st.tuples(st.just("active"), st.just(0), st.just(0)),
    st.tuples(st.just("candle"), st.integers(9_900, 10_100), st.integers(1, 100)),
    st.tuples(st.just("bid"), st.integers(9_700, 10_300), st.booleans()),
    st.tuples(st.just("time"), st.integers(1, 1_500), st.just(0)),
    st.tuples(st.just("fill"), st.integers(0, 9), st.booleans()),
    st.tuples(st.just("end"), st.integers(0, 9), st.sampled_from(["cancel", "refuse", "lose"])),
)


class Path:
    """Carries out steps and judges each order as it is asked for."""

    def __init__(self) -> None:
        self.rig = Rig(EAGER, OPTIMIZED)
        self.rig.begin()
        self.volume = 1
        self.judged = 0

    def do(self, name: str, first: int, second: object) -> None:
        rig, desk = self.rig, self.rig.desk
        may_buy = rig.watch.standing is State.ACTIVE and bool(rig.watch.permissions & Permission.ENTER)
        if name == "state":
            rig.watch.standing = State(first)
            rig.watch.permissions = Permission.ENTER if first == State.ACTIVE and second else Permission(0)
        elif name == "active":
            rig.activate()
        elif name == "candle":
            self.volume *= 3
            rig.candle(first, first + int(str(second)), quantity=self.volume)
        elif name == "bid":
            desk.set_quote(NEAR, first if second else 0, first + 2)
        elif name == "time":
            desk.pass_time(first * MS)
        else:
            self._answer(name, first, second)
        if name not in ("state", "active"):
            self._judge(may_buy)

    def _answer(self, name: str, which: int, how: object) -> None:
        working = [order for order in self.rig.desk.orders.values() if order.is_working]
        if not working:
            return
        order = working[which % len(working)]
        price = order.intent.limit_price or 9_900
        if name == "fill":
            self.rig.desk.fill(order, quantity=max(order.remaining // 2, 1) if how else order.remaining, price=price)
        elif how == "refuse" and (order.filled or order.acknowledged_ns):
            self.rig.desk.cancel(order)
        else:
            getattr(self.rig.desk, str(how))(order)

    def _judge(self, may_buy: bool) -> None:
        rig = self.rig
        for order in rig.desk.asked[self.judged :]:
            assert order.side is Side.SELL or may_buy
            assert order.limit_price % rig.desk.listing(*KEY).tick == 0
            if order.side is Side.SELL:
                assert order.time_in_force is TimeInForce.IOC
        self.judged = len(rig.desk.asked)
        selling = sum(order.remaining for order in rig.desk.working_orders() if order.intent.side is Side.SELL)
        held = rig.desk.positions.get(KEY, Position()).quantity
        assert held >= 0
        assert selling <= held
        buying = [order for order in rig.desk.working_orders() if order.intent.side is Side.BUY]
        assert len(buying) <= 3

    def leave(self) -> None:
        """The event ends, with a quote, and with a venue that answers."""
        rig = self.rig
        rig.end()
        rig.bid(9_900)
        for _ in range(40):
            for order in list(rig.desk.working_orders()):
                if order.intent.side is Side.BUY:
                    rig.desk.cancel(order)
                else:
                    rig.desk.fill(order, price=9_900)
            rig.desk.pass_time(200 * MS)
        assert not rig.desk.working_orders()
        assert rig.held == 0


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.lists(STEPS, max_size=40))
def test_nothing_is_bought_outside_active_and_nothing_is_left(steps: list[tuple[str, int, object]]) -> None:
    path = Path()
    for step in steps:
        path.do(*step)
    path.leave()


def test_such_paths_do_trade() -> None:
    path = Path()
    for step in [("active", 0, 0), ("candle", 10_000, 100), ("fill", 0, False), ("bid", 10_090, True)]:
        path.do(*step)
    assert [(order.side, order.type) for order in path.rig.desk.asked] == [
        (Side.BUY, OrderType.LIMIT),
        (Side.SELL, OrderType.LIMIT),
    ]
    path.leave()
