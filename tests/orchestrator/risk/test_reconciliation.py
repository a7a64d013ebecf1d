"""What is found when the venues' lists are compared with the ledger, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from market.errors import Retry
from market.orders.kinds import Side
from market.orders.order import Order
from market.orders.reports import Balance, Balances, OpenOrders, VenueOrder, VenuePositions
from orchestrator.risk.comparison import Difference, DifferenceKind
from orchestrator.risk.guard import GuardState, Reason
from orchestrator.risk.reconciliation import Reconciliation
from orchestrator.run_loop.ledger import Ledger
from tests.orchestrator.risk.floor import BTC, FUTURES, MS, SECOND, SPOT, Floor, floor
from tests.orchestrator.risk.supervised import run
from tests.orchestrator.risk.test_limits_hold import Silent

K = DifferenceKind


@dataclass
class Asked(Silent):
    """A gateway that remembers which lists it was asked for."""

    questions: list[tuple[str, int]] = field(default_factory=list)
    refuses: bool = False

    def request_open_orders(self, venue: int) -> None:
        if self.refuses:
            raise Retry("rate limit")
        self.questions.append(("orders", venue))

    def request_balances(self, venue: int) -> None:
        self.questions.append(("balances", venue))

    def request_positions(self, venue: int) -> None:
        self.questions.append(("positions", venue))


@dataclass
class Books:
    """A floor whose ledger is compared."""

    small: Floor
    gateway: Asked
    reconciliation: Reconciliation
    found: list[tuple[Difference, int]]

    def ask(self, after_ns: int = SECOND) -> None:
        self.small.now_ns += after_ns
        self.reconciliation.task.action(self.small.access, self.small.now_ns)

    def listed(self, *orders: VenueOrder, venue: int = SPOT) -> list[tuple[K, str]]:
        """The venue's open orders; returns what was found."""
        self.found.clear()
        report = OpenOrders(time_ns=self.small.now_ns, venue=venue, orders=orders)
        self.reconciliation.listen(self.small.access, report)
        return [(difference.kind, difference.subject) for difference, _ in self.found]

    def hold(self, venue: int = SPOT, **assets: str) -> list[str]:
        """The venue's balances; returns what was found."""
        self.found.clear()
        kept = tuple(Balance(asset=name, free=Decimal(free), locked=Decimal(0)) for name, free in assets.items())
        report = Balances(time_ns=self.small.now_ns, venue=venue, balances=kept)
        self.reconciliation.listen(self.small.access, report)
        return [difference.detail for difference, _ in self.found]

    def carry(self, quantity: int) -> list[str]:
        """The position in BTC on the futures venue, in counts; returns what was found."""
        self.found.clear()
        report = VenuePositions(
            time_ns=self.small.now_ns, venue=FUTURES, quantities={BTC: quantity} if quantity else {}
        )
        self.reconciliation.listen(self.small.access, report)
        return [difference.detail for difference, _ in self.found]


def books() -> Books:
    small, gateway = floor(assets=True), Asked()
    found: list[tuple[Difference, int]] = []
    made = Reconciliation(small.limits, gateway, lambda difference, times: found.append((difference, times)))
    return Books(small, gateway, made, found)


def at_venue(order: Order, filled: int | None = None) -> VenueOrder:
    intent = order.intent
    return VenueOrder(
        client_order_id=order.client_order_id,
        venue_order_id="7",
        instrument=intent.instrument,
        side=intent.side,
        limit_price=intent.limit_price,
        quantity=intent.quantity,
        filled=order.filled if filled is None else filled,
    )


def test_every_venue_is_asked_every_thirty_seconds() -> None:
    kept = books()
    assert kept.reconciliation.task.every_ns == 30 * SECOND
    kept.ask()
    of_all = ["orders", "balances"]
    expected = [(what, venue) for venue in (0, 1, 2) for what in (*of_all, *(["positions"] if venue else []))]
    assert kept.gateway.questions == expected
    kept.gateway.refuses = True
    kept.ask()
    assert kept.reconciliation.failures == 3
    assert len(kept.gateway.questions) == 13


def test_orders_that_agree_are_no_news() -> None:
    kept = books()
    order = kept.small.acknowledge(kept.small.place(kept.small.intent()))
    kept.ask()
    assert kept.listed(at_venue(order)) == []
    assert kept.listed(venue=FUTURES) == []
    assert kept.small.doubted == []


def test_an_order_that_the_venue_does_not_list_is_asked_about() -> None:
    kept = books()
    order = kept.small.acknowledge(kept.small.place(kept.small.intent()))
    kept.ask()
    assert kept.listed() == [(K.ORDER_MISSING, order.client_order_id)]
    assert kept.small.doubted == [(order.client_order_id, f"{order.client_order_id} works here and not at the venue")]


def test_an_order_that_has_ended_here_and_works_there_is_asked_about() -> None:
    kept = books()
    order = kept.small.end(kept.small.place(kept.small.intent()))
    kept.ask()
    assert kept.listed(at_venue(order)) == [(K.ORDER_ENDED, order.client_order_id)]
    assert [name for name, _ in kept.small.doubted] == [order.client_order_id]


def test_what_changed_after_the_question_is_left_out() -> None:
    kept = books()
    ended = kept.small.place(kept.small.intent())
    kept.ask()
    kept.small.now_ns += MS
    kept.small.end(ended)
    kept.small.acknowledge(kept.small.place(kept.small.intent()))
    kept.small.place(kept.small.intent())
    assert kept.listed(at_venue(ended)) == []


def test_fills_that_were_not_heard_of_are_asked_about() -> None:
    kept = books()
    order = kept.small.acknowledge(kept.small.place(kept.small.intent()))
    kept.ask()
    assert kept.listed(at_venue(order, filled=5)) == [(K.ORDER_FILLED, order.client_order_id)]
    assert "had 0 counts filled here and 5 at the venue" in kept.small.doubted[0][1]


def test_orders_of_others_and_lost_ones_are_told_apart() -> None:
    kept = books()
    order = kept.small.place(kept.small.intent())
    foreign = VenueOrder(
        client_order_id="web_5", venue_order_id="8", instrument=0, side=Side.BUY, limit_price=1, quantity=1, filled=0
    )
    kept.small.ledger = Ledger()
    kept.ask()
    assert kept.listed(foreign, at_venue(order)) == [
        (K.FOREIGN_ORDER, "web_5"),
        (K.ORDER_LOST, order.client_order_id),
    ]
    assert kept.small.doubted == []
    kept.listed(foreign, at_venue(order))
    assert [difference.kind for difference in kept.reconciliation.persisting] == [K.ORDER_LOST]


def test_balances_must_change_by_what_was_traded() -> None:
    kept = books()
    assert kept.hold(BTC="1", USDT="5000", BNB="3") == []
    kept.small.hold("0.01", price="61700")
    assert kept.hold(BTC="1.01", USDT="4383", BNB="2") == []
    assert kept.hold(BTC="1.01", USDT="4382.99") == ["USDT was 4382.99 at the venue; expected 4383"]
    assert kept.hold(BTC="1", USDT="5000") == [
        "BTC was 1 at the venue; expected 1.01",
        "USDT was 5000 at the venue; expected 4383",
    ]


def test_positions_of_derivatives_are_compared() -> None:
    kept = books()
    kept.small.hold("0.05", side=Side.SELL, key=(BTC, FUTURES))
    held = kept.small.position(BTC, FUTURES).quantity
    kept.ask()
    assert kept.carry(held) == []
    assert kept.carry(0) == ["the position in BTCUSDT on binance-usdm was 0 there; expected -0.05"]
    assert kept.hold(venue=FUTURES, USDT="1") == kept.hold(venue=FUTURES, USDT="2") == []


def test_a_position_that_differs_is_the_same_difference_while_trading_goes_on() -> None:
    kept = books()
    kept.ask()
    assert kept.carry(7)
    kept.small.hold("0.05", key=(BTC, FUTURES))
    held = kept.small.position(BTC, FUTURES).quantity
    assert kept.carry(7) == [], "it was traded after the question: the answer may be of before"
    kept.ask()
    assert kept.carry(held + 7)
    (persisting,) = kept.reconciliation.persisting
    assert (persisting.subject, persisting.excess) == ("BTCUSDT", 7)


def test_what_a_person_has_accepted_is_the_venues_own() -> None:
    kept = books()
    for _ in range(2):
        kept.ask()
        kept.carry(7)
    assert kept.reconciliation.persisting
    kept.reconciliation.accept()
    assert not kept.reconciliation.persisting
    assert kept.carry(7) == []
    assert kept.carry(8) == ["the position in BTCUSDT on binance-usdm was 0.000000008 there; expected 0.000000007"]


def test_only_the_same_difference_again_persists() -> None:
    kept = books()
    kept.hold(USDT="100")
    kept.hold(USDT="99")
    kept.hold(USDT="98")
    assert kept.reconciliation.persisting == []
    kept.hold(USDT="98")
    assert [difference.detail for difference in kept.reconciliation.persisting] == [
        "USDT was 98 at the venue; expected 100"
    ]
    assert kept.found[-1][1] == 2
    kept.listed()
    assert kept.reconciliation.persisting, "a list of orders says nothing about balances"
    kept.hold(USDT="100")
    assert kept.reconciliation.persisting == []


def test_a_difference_that_persists_pauses_until_a_person_accepts_it() -> None:
    watched = run()
    small = watched.small
    order = small.acknowledge(small.place(small.intent()))
    for times in range(1, 3):
        small.now_ns += 30 * SECOND
        watched.risk.tasks[1].action(small.access, small.now_ns)
        for listen in watched.risk.listeners:
            listen(small.access, OpenOrders(time_ns=small.now_ns, venue=SPOT, orders=()))
        watched.look()
        paused = watched.risk.supervisor.guard.state is GuardState.PAUSED
        assert paused is (times == 2)
    assert watched.reasons == [Reason.RECONCILIATION]
    assert order.client_order_id in watched.changes[-1].reason
    small.end(order)
    watched.risk.supervisor.resume(small.now_ns)
    watched.look()
    assert watched.state == "RUNNING"


@pytest.mark.parametrize("venue", [SPOT, FUTURES])
def test_an_order_on_another_venue_is_not_missed(venue: int) -> None:
    kept = books()
    order = kept.small.acknowledge(kept.small.place(kept.small.intent(key=(BTC, venue))))
    kept.ask()
    assert kept.listed(venue=SPOT + FUTURES - venue) == []
    assert kept.listed(venue=venue) == [(K.ORDER_MISSING, order.client_order_id)]
