"""Slippage and funding, beside what exact arithmetic says, and their place in the account."""

from __future__ import annotations

from decimal import ROUND_CEILING, Context, Decimal
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Rejected
from sim.backtest.core import BacktestCore, MatchModel
from sim.backtest.layout import FUNDED, Report, Slippage
from sim.matching.layout import ASK, BID, EventKind, Term
from tests.sim.backtest.tapes import TapeWriter

HYPOTHESIS = settings(derandomize=True, deadline=None, max_examples=200)
EXACT = Context(prec=60)
PPB = 10**9


def expected_slippage(model: MatchModel, best: int, spread: int, lots: int) -> int:
    """Ticks, rounded up, of the definitions in ``layout.Slippage``."""
    share = Fraction(model.slippage_ppb, PPB)
    if model.slippage is Slippage.FIXED:
        return ceil(best * share)
    if model.slippage is Slippage.SPREAD:
        return ceil(spread * share)
    if model.slippage is Slippage.SQUARE_ROOT:
        # The reference's root is a whole number.
        reference = Decimal(round(model.slippage_worth**0.5)) ** 2
        root = EXACT.sqrt(EXACT.divide(Decimal(best * lots), reference))
        ticks = EXACT.multiply(EXACT.divide(Decimal(best * model.slippage_ppb), Decimal(PPB)), root)
        return int((ticks - Decimal("1e-9")).to_integral_value(ROUND_CEILING))
    return 0


@HYPOTHESIS
@given(
    model=st.builds(
        MatchModel,
        slippage=st.sampled_from(list(Slippage)),
        slippage_ppb=st.integers(0, 10**9),
        slippage_worth=st.integers(1, 10**7).map(lambda root: float(root**2)),
    ),
    bid=st.integers(10_000, 10**9),
    spread=st.integers(1, 5_000),
    lots=st.integers(1, 10**6),
    side=st.sampled_from([BID, ASK]),
)
def test_slippage_is_what_its_definition_says(model: MatchModel, bid: int, spread: int, lots: int, side: int) -> None:
    ask = bid + spread
    core = BacktestCore(TapeWriter().snapshot(1, [(bid, 10**7)], [(ask, 10**7)]).tape(), [model], capacity=4)
    core.advance(2)
    core.order(0, 1, side, 0, lots, term=Term.IOC)
    core.advance()
    (fill,) = [row for row in core.reports(0).tolist() if row[Report.KIND] == EventKind.TRADED]
    best = ask if side == BID else bid
    worse = expected_slippage(model, best, spread, lots)
    assert fill[Report.PRICE] == (best + worse if side == BID else max(best - worse, 1))
    assert core.account(0).cash == (-1 if side == BID else 1) * fill[Report.PRICE] * lots


def book() -> TapeWriter:
    return TapeWriter().snapshot(1, [(100, 5), (99, 5)], [(102, 5), (103, 5)])


def filled(writer: TapeWriter, model: MatchModel, side: int, price: int, lots: int, term: Term) -> list[list[int]]:
    """Prices, lots and liquidity of the fills of one order."""
    core = BacktestCore(writer.tape(), [model], capacity=4)
    core.advance(2)
    core.order(0, 1, side, price, lots, term=term)
    core.advance()
    rows = core.reports(0).tolist()
    return [[row[Report.PRICE], row[Report.LOTS], row[Report.LIQUIDITY]] for row in rows if row[Report.KIND] == 2]


def test_every_level_that_an_order_takes_slips_by_the_same() -> None:
    model = MatchModel(slippage=Slippage.SPREAD, slippage_ppb=PPB)
    assert filled(book(), model, BID, 0, 8, Term.IOC) == [[104, 5, 2], [105, 3, 2]]
    assert filled(book(), model, ASK, 0, 8, Term.IOC) == [[98, 5, 2], [97, 3, 2]]


def test_no_fill_is_beyond_the_limit_of_its_order() -> None:
    model = MatchModel(slippage=Slippage.FIXED, slippage_ppb=PPB // 20)
    assert filled(book(), model, BID, 103, 8, Term.IOC) == [[103, 5, 2], [103, 3, 2]]
    assert filled(book(), model, ASK, 99, 8, Term.IOC) == [[99, 5, 2], [99, 3, 2]]


def test_an_order_that_rests_does_not_slip() -> None:
    model = MatchModel(slippage=Slippage.FIXED, slippage_ppb=PPB // 2)
    writer = book().trade(50, 98, 3, 2)
    assert filled(writer, model, BID, 100, 3, Term.POST_ONLY) == [[100, 3, 1]]


@pytest.mark.parametrize(("ppb", "worth"), [(-1, 1.0), (PPB + 1, 1.0), (1, 0.5), (1, float("nan"))])
def test_slippage_that_cannot_be_is_refused(ppb: int, worth: float) -> None:
    with pytest.raises(Rejected, match="slippage was"):
        MatchModel(slippage_ppb=ppb, slippage_worth=worth)


@HYPOTHESIS
@given(
    side=st.sampled_from([BID, ASK]),
    lots=st.integers(1, 10**9),
    rate_ppb=st.integers(-(10**9), 10**9),
    mark_doubled=st.integers(1, 10**9),
)
def test_funding_is_the_worth_times_the_rate_rounded_against_us(
    side: int, lots: int, rate_ppb: int, mark_doubled: int
) -> None:
    writer = TapeWriter().snapshot(1, [(100, 10**9)], [(102, 10**9)]).funding(50, rate_ppb, mark_doubled)
    core = BacktestCore(writer.tape(), [MatchModel()], capacity=4)
    core.advance(2)
    core.order(0, 1, side, 0, lots, term=Term.IOC)
    core.advance()
    position = lots if side == BID else -lots
    paid = ceil(Fraction(position * mark_doubled * rate_ppb, 2 * PPB))
    report = core.reports(0).tolist()[-1]
    assert (report[Report.KIND], report[Report.LOTS], report[Report.FEE]) == (FUNDED, position, paid)
    assert core.account(0).funding == paid
    assert core.account(0).fees == 0


def test_without_a_mark_the_middle_counts_and_without_a_position_nothing_is_paid() -> None:
    writer = book().funding(20, 10**7).book(30, [(101, 1)]).funding(40, 10**7).book(50, [(100, 0), (101, 0)])
    core = BacktestCore(writer.tape(), [MatchModel()], capacity=4)
    core.advance(25)
    assert len(core.reports(0)) == 0
    core.order(0, 1, ASK, 0, 5, term=Term.IOC)
    core.advance()
    # Short at the middle of 101 and 102, doubled 203, at 1 %: received, rounded down.
    assert core.account(0).funding == -5
    assert core.reports(0).tolist()[-1][Report.PRICE] == 203
