"""A price dislocation becomes a trigger, two fills and a booked profit, reckoned by hand to the last unit."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from market.orders.kinds import OrderState, Side
from orchestrator.live.sweep_world import (
    ACCOUNT,
    BASE_UNITS,
    FAR,
    MS,
    NEAR,
    QUOTE_UNITS,
    SECOND_NS,
    START_NS,
    SYMBOL,
    sweep_model,
)
from orchestrator.live.virtual_run import VirtualRun, VirtualRunModel
from orchestrator.run_loop.summary import RunSummary
from orchestrator.strategies.arbitrage import Arbitrage
from orchestrator.strategies.arbitrage_metrics import Skip
from orchestrator.strategies.assembly import arbitrage_parameters
from orchestrator.strategies.two_leg_plan import Outcome
from sim.exchange.venue.venue import SimulatedVenue
from sim.faults.plan import FaultPlan

USDT = 10**18
"""Notional counts of one."""


def quiet() -> VirtualRunModel:
    """Two venues where nobody trades."""
    model = sweep_model(1, SECOND_NS, 0, FaultPlan())
    venues = tuple(
        replace(venue, model=replace(venue.model, symbols=tuple(
            replace(symbol, background=None) for symbol in venue.model.symbols
        )))
        for venue in model.venues
    )  # fmt: skip
    return replace(model, venues=venues)


def book(venue: SimulatedVenue, now_ns: int) -> None:
    """0.04 BTC to buy at 61,700.00, as many to sell at 61,690.00."""
    venue.inject(SYMBOL, Side.BUY, 6_169_000, 4_000, now_ns)
    venue.inject(SYMBOL, Side.SELL, 6_170_000, 4_000, now_ns)


def dislocate(venue: SimulatedVenue, now_ns: int) -> None:
    """0.03 BTC are bid for at 61,800.00."""
    venue.dislocate(SYMBOL, 6_180_001, 3_000, now_ns)


def run(shadow_ns: int = 0) -> tuple[VirtualRun, Arbitrage, RunSummary]:
    made = VirtualRun(quiet())
    for line in made.lines.values():
        made.clock.at(START_NS + 400 * MS, lambda line=line: line.act(book))  # type: ignore[misc]
    made.clock.at(START_NS + 700 * MS, lambda: made.lines[FAR].act(dislocate))
    parameters = replace(arbitrage_parameters(made.model.settings), shadow_ns=shadow_ns)
    strategy = Arbitrage(parameters)
    return made, strategy, made.run([strategy])


def test_the_profit_is_the_one_reckoned_by_hand() -> None:
    """Sold 0.03 at 61,800 for 1,854 less 0.02 %, bought 0.03 at 61,700 for 1,851 less 0.01 % of the bitcoin."""
    made, strategy, summary = run()
    assert summary.counts.triggers == 1
    sale, purchase = summary.orders
    assert (sale.state, purchase.state) == (OrderState.FILLED, OrderState.FILLED)
    assert [(fill.price, fill.quantity) for fill in sale.fills] == [(61_800 * 10**9, 30_000_000)]
    assert [(fill.price, fill.quantity) for fill in purchase.fills] == [(61_700 * 10**9, 30_000_000)]
    assert sale.fee == Decimal("0.3708") * USDT
    assert purchase.fee == Decimal("0.1851") * USDT
    assert purchase.fills[0].fee_base == 3_000
    profit = Decimal("3") - Decimal("0.3708") - Decimal("0.1851")
    assert strategy.metrics.profit[0] == profit * USDT == 2_444_100_000_000_000_000
    assert strategy.metrics.outcomes == {Outcome.COMPLETE: 1}
    positions = summary.positions
    assert (positions[0, 0].quantity, positions[0, 1].quantity) == (29_997_000, -30_000_000)
    mark = 61_700 * 10**9
    both = positions[0, 0].equity(mark) + positions[0, 1].equity(mark)
    assert both == profit * USDT
    near, far = (
        {held.asset: held.total_units for held in made.lines[name].venue.account(ACCOUNT).balances}
        for name in (NEAR, FAR)
    )
    assert near == {"BTC": BASE_UNITS + 2_999_700, "USDT": QUOTE_UNITS - 185_100_000_000}
    assert far == {"BTC": BASE_UNITS - 3_000_000, "USDT": QUOTE_UNITS + 185_400_000_000 - 37_080_000}


def test_both_legs_leave_in_the_moment_of_the_trigger() -> None:
    """The dislocation is heard of after 3 ms, the way from the far venue; the answers come after 4 and 6 ms."""
    _, strategy, summary = run()
    assert [order.sent_ns - START_NS for order in summary.orders] == [703 * MS, 703 * MS]
    assert [order.ended_ns - order.sent_ns for order in summary.orders] == [6 * MS, 4 * MS]
    assert strategy.metrics.sent_delays.longest_ns == 0
    assert strategy.metrics.filled_delays.longest_ns == 2 * MS


def test_the_shadow_mode_sees_the_same_and_sends_nothing() -> None:
    _, strategy, summary = run(shadow_ns=6 * MS)
    assert summary.orders == ()
    (attempt,) = strategy.metrics.shadows
    assert (attempt.quantity, attempt.is_hit) == (30_000_000, True)
    assert strategy.metrics.hit_rate == 1.0
    assert not strategy.metrics.skipped[Skip.STOCK]
