"""Funding in the comparison of a run with its backtest: the same payments, each on what was held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import ceil
from pathlib import Path

import msgspec
import pytest

from config.backtest import FundingSettings
from config.strategies import StrategyName
from config.venues import VenueName
from market.orders.cause import Cause, Origin
from market.orders.events import Filled
from market.orders.kinds import Liquidity, OrderType, Side, TimeInForce
from market.orders.order import Fill, OrderIntent, new_order
from market.risk.position import Position
from orchestrator.backtest.plan import Plan, read_plan, tape_clock
from orchestrator.backtest.run import run_backtest
from orchestrator.diff.funding import Payment, funding_of, payments_of, with_payments
from orchestrator.diff.story import Line, StoryJournal, Told
from orchestrator.replay.plan import SourceFile
from sim.backtest.layout import RECEIVE_NS
from sim.backtest.tape import read_tape
from sim.generator.recording import write_recordings
from sim.generator.settings import SECOND_NS, Coin, GeneratorSettings
from sim.replay.source import SourceSettings
from tests.orchestrator.backtest.market import settings_of

KEY = (0, 1)
MINUTE_NS = 60 * SECOND_NS


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """Market making over eight seconds, one of which begins a minute, when one per cent is paid."""
    settings = settings_of(
        StrategyName.MARKET_MAKING, funding=FundingSettings(rate_bps=Decimal(100), interval_minutes=1)
    )
    market = GeneratorSettings(
        coins=(Coin.BTC,), duration_ns=8 * SECOND_NS, start_ns=30_000_000 * MINUTE_NS - 6 * SECOND_NS
    )
    files = write_recordings(market, 11, tmp_path_factory.mktemp("market"))
    path = next(file.path for file in files if file.venue is VenueName.BINANCE_USDM)
    bare = read_plan(settings, [SourceFile(VenueName.BINANCE_USDM, path)])
    sources = [source for source in bare.sources if isinstance(source, SourceSettings)]
    return with_payments(replace(bare, tape=read_tape(sources, tape_clock(settings), quotes=True)))


def test_payments_are_at_the_middle_of_the_book_then(plan: Plan) -> None:
    [payment] = [payment for payment in payments_of(plan) if payment.key == KEY]
    ahead = dict(plan.tape.ahead_ns)["binance-usdm"]
    assert (payment.time_ns + ahead) % MINUTE_NS == 0
    assert payment.rate_ppb == 10_000_000
    assert 61_000 < payment.mark_doubled / 20 < 62_500
    assert plan.tape.first_ns < payment.time_ns <= plan.tape.last_ns


def test_a_backtest_s_funding_is_what_its_exchanges_took(plan: Plan, tmp_path: Path) -> None:
    journal = StoryJournal(plan.tape.rows[plan.tape.received, RECEIVE_NS])
    run = run_backtest(plan, journal=journal, watched=journal.watched, passes_unwatched=False)
    taken = sum(paid.amount for paid in run.funding if paid.key == KEY)
    assert funding_of(journal.story().orders, {}, payments_of(plan), {}).get(KEY, 0) == taken != 0


def told(side: Side, *fills: tuple[int, int]) -> Told:
    """An order with fills of (venue time, quantity)."""
    intent = OrderIntent(
        cause=Cause(strategy="t", origin=Origin.DECISION, epoch=1, number=1),
        decided_ns=1,
        instrument=0,
        venue=1,
        side=side,
        type=OrderType.MARKET,
        time_in_force=TimeInForce.IOC,
        quantity=sum(quantity for _, quantity in fills),
    )
    made = tuple(
        Fill(
            fill_id=str(number),
            price=100,
            quantity=quantity,
            fee=0,
            liquidity=Liquidity.TAKER,
            venue_ns=venue_ns,
            receive_ns=venue_ns + 5,
        )
        for number, (venue_ns, quantity) in enumerate(fills)
    )
    lines = [Line(0, 0, Filled(fill=fill)) for fill in made]
    return Told(msgspec.structs.replace(new_order(intent), fills=made), 0, 0, lines)


def paid(orders: Sequence[Told], before: int, payment: Payment, ahead_ns: int = 0) -> int:
    held = {KEY: Position(quantity=before)} if before else {}
    return funding_of(orders, held, [payment], {1: ahead_ns}).get(KEY, 0)


def test_what_is_held_at_the_moment_of_the_payment_pays() -> None:
    payment = Payment(KEY, 1_000, 100_000_000, 200, tick=3, lot=10)
    expected = ceil(Fraction(40 // 10 * 200 * 100_000_000, 2 * 10**9)) * 30
    assert paid([told(Side.BUY, (900, 40), (1_001, 50))], 0, payment) == expected
    assert paid([told(Side.BUY, (1_000, 40))], 0, payment) == expected
    assert paid([told(Side.SELL, (900, 40))], 40, payment) == 0
    assert paid([told(Side.SELL, (900, 40))], 80, payment) == expected
    # A venue's clock that is ahead stamps its fills later than they were.
    assert paid([told(Side.BUY, (1_100, 40))], 0, payment, ahead_ns=100) == expected
    short = ceil(Fraction(-40 // 10 * 200 * 100_000_000, 2 * 10**9)) * 30
    assert paid([told(Side.SELL, (900, 40))], 0, payment) == short < 0


def test_nobody_pays_where_nobody_knows_a_price() -> None:
    assert paid([told(Side.BUY, (900, 40))], 0, Payment(KEY, 1_000, 100_000_000, 0, tick=1, lot=1)) == 0
