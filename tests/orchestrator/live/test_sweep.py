"""Runs under every fault, alone and together: what must hold in each, and that it is noticed when it does not."""

from __future__ import annotations

import pytest

from market.orders.kinds import Side
from orchestrator.live.sweep import main, run_seed, text_of
from orchestrator.live.sweep_world import ACCOUNT, FAR, MS, NEAR, START_NS, SYMBOL, sweep_plan
from orchestrator.live.virtual_run import VirtualRun
from orchestrator.run_loop.journal import MemoryJournal
from sim.exchange.venue.kinds import OrderKind
from sim.exchange.venue.requests import PlaceRequest
from sim.exchange.venue.venue import SimulatedVenue
from sim.faults.plan import Channel, Fault, FaultKind, FaultPlan

SEEDS = 40
CALM = FaultPlan()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_all_holds_under_the_faults_of_a_seed(seed: int) -> None:
    """The first seeds have each kind of fault alone, the others random combinations."""
    result = run_seed(seed)
    assert not result.violations, text_of(result)
    assert result.summary.counts.placed


@pytest.mark.long
@pytest.mark.parametrize("first", range(SEEDS, 560, 40))
def test_all_holds_under_the_faults_of_five_hundred_seeds(first: int) -> None:
    for seed in range(first, first + 40):
        result = run_seed(seed)
        assert not result.violations, text_of(result)


def test_the_first_seeds_have_every_kind_of_fault_alone() -> None:
    alone = [{fault.kind for fault in sweep_plan(seed, 10**9).faults} for seed in range(len(FaultKind))]
    assert alone == [{kind} for kind in FaultKind]


def test_a_seed_is_the_same_run_every_time() -> None:
    first, second = MemoryJournal(), MemoryJournal()
    assert run_seed(17, journal=first).summary == run_seed(17, journal=second).summary
    assert (first.intents, first.events, first.payloads) == (second.intents, second.events, second.payloads)


def test_a_calm_run_trades_on_both_venues_and_both_strategies_fill() -> None:
    summary = run_seed(3, CALM).summary
    filled = {(order.intent.cause.strategy, order.intent.venue) for order in summary.orders if order.fills}
    assert filled >= {("arb", 0), ("arb", 1), ("maker", 0)}
    assert summary.counts.data_gaps == 0


def test_an_order_on_an_old_book_would_be_noticed() -> None:
    result = run_seed(3, CALM, staleness_ns=0)
    assert any("was sent on a book that was" in violation for violation in result.violations)


def test_money_that_the_ledger_does_not_know_would_be_noticed() -> None:
    def steal(run: VirtualRun) -> None:
        venue = run.lines[FAR].venue
        run.clock.at(START_NS + 900 * MS, lambda: venue.deposit(ACCOUNT, "USDT", -1, run.clock.now_ns()))

    result = run_seed(3, CALM, prepare=steal)
    assert any("the ledger says" in violation for violation in result.violations)


def test_an_order_that_the_ledger_does_not_know_would_be_noticed() -> None:
    request = PlaceRequest(
        account=ACCOUNT,
        symbol=SYMBOL,
        side=Side.BUY,
        kind=OrderKind.LIMIT,
        quantity_lots=100,
        price_ticks=6_000_000,
        client_order_id="maker-d1-zzz-0",
    )

    def place(venue: SimulatedVenue, now_ns: int) -> None:
        venue.place(request, now_ns)

    def prepare(run: VirtualRun) -> None:
        run.clock.at(START_NS + 900 * MS, lambda: run.lines[NEAR].act(place))

    result = run_seed(3, CALM, prepare=prepare)
    assert any("is there and not in the ledger" in violation for violation in result.violations)
    assert any("still works at the end" in violation for violation in result.violations)


def test_a_run_that_is_never_told_of_its_fills_learns_of_them_by_asking() -> None:
    plan = FaultPlan(
        faults=(
            Fault(kind=FaultKind.DROP, channel=Channel.USER, duration_ns=4_000 * MS),
            Fault(kind=FaultKind.LOST_ANSWER, duration_ns=4_000 * MS, permille=500),
        )
    )
    result = run_seed(3, plan)
    assert not result.violations, text_of(result)


def test_the_command_replays_a_seed_and_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "11"]) == 0
    out = capsys.readouterr().out
    assert "python -m orchestrator.live.sweep --seed 11" in out
    assert "half-open" in out
    assert "1 runs, 0 failed" in out
