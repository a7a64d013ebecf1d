"""Limits hold whatever strategies want, and however orders are acknowledged, filled, cancelled and filled late."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from config.settings import Settings
from market.orders.kinds import OrderState, Side
from market.orders.order import Order
from market.orders.reports import GatewayReport
from orchestrator.risk.assembly import Risk, assemble_risk
from orchestrator.risk.checks.self_trade import SelfTradePrevention
from orchestrator.risk.guard import GuardState
from tests.orchestrator.risk.floor import BTC, FUTURES, MS, SPOT, Floor, floor

ETH = 1
MARKETS = ((BTC, SPOT), (BTC, FUTURES), (ETH, SPOT), (ETH, FUTURES))
LIMITS = {
    "maximum_instrument_exposure_quote": 6_000,
    "maximum_exposure_quote": 8_000,
    "maximum_order_notional_quote": 3_100,
    "maximum_open_orders": 6,
    "late_fill_ms": 250,
    "messages_per_s": 40,
}
PRICES = {BTC: ("61700", "61700.1"), ETH: ("2600", "2600.1")}
QUANTITIES = {BTC: ["0.05", "0.03", "0.04"], ETH: ["0.1", "0.5", "1"]}
POSITIONS = {BTC: Decimal("0.06"), ETH: Decimal("2")}


@dataclass
class Silent:
    """A gateway that takes everything; what comes of it is up to the test."""

    submitted: list[str] = field(default_factory=list)
    waiting: list[GatewayReport] = field(default_factory=list)

    def submit(self, order: Order) -> None:
        self.submitted.append(order.client_order_id)

    def cancel(self, order: Order) -> None:
        """Heard."""

    def query(self, order: Order) -> None:
        """Heard."""

    def request_open_orders(self, venue: int) -> None:
        """Heard."""

    def request_balances(self, venue: int) -> None:
        """Heard."""

    def submit_oco(self, limit: Order, stop: Order) -> None:
        """Heard."""

    def request_positions(self, venue: int) -> None:
        """Heard."""

    def next_ns(self) -> int | None:
        return None

    def take(self, until_ns: int) -> list[GatewayReport]:
        reports, self.waiting = self.waiting, []
        return reports


@dataclass
class FloorClock:
    """The time of a floor."""

    small: Floor

    def now_ns(self) -> int:
        return self.small.now_ns

    def wait_until(self, time_ns: int) -> int:
        return self.small.now_ns


def supervised() -> tuple[Floor, Risk, Silent]:
    """A floor with all rules, and a position limit below what the exposures allow."""
    small = floor(limits=LIMITS)
    raw = small.settings.model_dump()
    for name, number in (("BTC", BTC), ("ETH", ETH)):
        raw["instruments"][name]["position_limit"] = POSITIONS[number]
    small.settings = Settings.model_validate(raw)
    for key in MARKETS:
        small.set_quote(*PRICES[key[0]], key=key)
    gateway = Silent()
    risk = assemble_risk(small.settings, small.catalogue, gateway, FloorClock(small))
    small.checks = risk.checks
    return small, risk, gateway


def place(small: Floor, risk: Risk, market: tuple[int, int], side: Side, quantity: str, step: int) -> Order:
    """An order some ticks behind the market, or at it, sent through the watched gateway if the rules let it pass."""
    bid, ask = PRICES[market[0]]
    scale, tick = small.listing(*market).instrument.price_scale, small.listing(*market).tick * 10
    price = scale.count(ask) + step * tick if side is Side.SELL else scale.count(bid) - step * tick
    order = small.place(small.intent(side, quantity, scale.text(price), key=market))
    if order.is_working:
        risk.gateway.submit(order)
    return order


def worst_position(small: Floor, key: tuple[int, int], side: Side) -> int:
    """The position if everything that works on a side is filled."""
    orders = [order for order in small.working_orders() if (order.intent.instrument, order.intent.venue) == key]
    return small.position(*key).quantity + sum(
        side.sign * order.remaining for order in orders if order.intent.side is side
    )


def check(small: Floor, risk: Risk) -> None:
    """Every limit, against what is held and pending."""
    worth: dict[int, Decimal] = {}
    for key in MARKETS:
        scales = small.listing(*key).instrument
        worst = max(abs(worst_position(small, key, side)) for side in Side)
        assert scales.quantity_scale.decimal(worst) <= POSITIONS[key[0]], key
        mid = (Decimal(PRICES[key[0]][0]) + Decimal(PRICES[key[0]][1])) / 2
        worth[key[0]] = worth.get(key[0], Decimal(0)) + scales.quantity_scale.decimal(worst) * mid
    assert all(value <= LIMITS["maximum_instrument_exposure_quote"] for value in worth.values()), worth
    assert sum(worth.values()) <= LIMITS["maximum_exposure_quote"], worth
    working = small.working_orders()
    assert len(working) <= LIMITS["maximum_open_orders"]
    for order in working:
        SelfTradePrevention()(order.intent, small)


NUMBERS = st.integers(0, 30)
MARKET_NUMBERS = st.sampled_from([0, 0, 0, 1, 1, 2, 3])
PLACE = st.tuples(st.just("place"), MARKET_NUMBERS, st.integers(0, 8), st.sampled_from([-1, -1, 0, 2]))
FILL = st.tuples(st.just("fill"), NUMBERS, st.sampled_from([1, 2, 4, 4]), st.just(0))
ACTIONS = st.one_of(
    PLACE,
    PLACE,
    PLACE,
    FILL,
    FILL,
    st.tuples(st.just("acknowledge"), NUMBERS, st.just(0), st.just(0)),
    st.tuples(st.just("end"), NUMBERS, st.just(0), st.just(0)),
    st.tuples(st.just("cancel"), NUMBERS, st.just(0), st.just(0)),
    st.tuples(st.just("wait"), st.integers(1, 400), st.just(0), st.just(0)),
)


def act(small: Floor, risk: Risk, action: tuple[str, int, int, int]) -> None:
    """One thing that a strategy, a venue or time does."""
    what, number, size, step = action
    if what == "wait":
        small.now_ns += number * MS
        for key in MARKETS:
            small.set_quote(*PRICES[key[0]], key=key)
        return
    if what == "place":
        market = MARKETS[number]
        place(small, risk, market, Side.SELL if size > 5 else Side.BUY, QUANTITIES[market[0]][size % 3], step)
        return
    orders = [order for order in small.orders if order.client_order_id in small.sent and order.remaining]
    if not orders:
        return
    order = orders[-1 - number % len(orders)]
    if what == "acknowledge" and order.is_working:
        small.acknowledge(order)
    elif what == "cancel" and order.is_working:
        small.cancel(order.client_order_id)
        risk.gateway.cancel(order)
    elif what == "end" and order.is_working:
        small.end(order)
    elif what == "fill" and order.remaining:
        late_ns = small.now_ns - order.ended_ns
        if order.is_working or (order.state is OrderState.CANCELLED and late_ns < 250 * MS):
            small.fill(order, quantity=min(order.remaining, size * order.intent.quantity // 4))


def hears(risk: Risk, gateway: Silent, small: Floor) -> None:
    """Reports pass through the watched gateway before they are booked."""

    def hear(report: GatewayReport) -> None:
        gateway.waiting.append(report)
        assert risk.gateway.take(small.now_ns) == [report]

    small.on_report = hear


@settings(derandomize=True, deadline=None, max_examples=80)
@given(st.lists(ACTIONS, min_size=10, max_size=60))
def test_limits_are_never_exceeded(actions: list[tuple[str, int, int, int]]) -> None:
    small, risk, gateway = supervised()
    hears(risk, gateway, small)
    for action in actions:
        act(small, risk, action)
        check(small, risk)
    assert gateway.submitted == small.sent


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.lists(ACTIONS, max_size=30), st.lists(ACTIONS, min_size=5, max_size=30))
def test_nothing_is_sent_after_a_halt(
    before: list[tuple[str, int, int, int]], after: list[tuple[str, int, int, int]]
) -> None:
    small, risk, gateway = supervised()
    for action in before:
        act(small, risk, action)
    risk.supervisor.halt("stop", small.now_ns)
    sent = len(gateway.submitted)
    for action in after:
        act(small, risk, action)
        risk.supervisor.look(small.access, small.now_ns)
    assert len(gateway.submitted) == sent
    assert risk.supervisor.guard.state is GuardState.HALTED
    asked = set(small.cancelled)
    assert all(order.client_order_id in asked for order in small.working_orders())
