"""What holds of every tape and all orders: money, lots, time, and nothing seen before its time."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from market.wire.records import AGGRESSOR_BUY, AGGRESSOR_SELL
from sim.backtest.core import BacktestCore, MatchModel
from sim.backtest.latency import Latency
from sim.backtest.layout import FOREVER, FUNDED, Outcome, QueueModel, Report, Slippage, TapeKind
from sim.backtest.tape import Tape
from sim.matching.layout import ASK, BID, EventKind, Prevention, Term
from tests.sim.backtest.tapes import TapeWriter

HYPOTHESIS = settings(derandomize=True, deadline=None, max_examples=150)
ENDS = (EventKind.CANCELLED, EventKind.EXPIRED, EventKind.REJECTED)


@dataclass(frozen=True)
class Wish:
    """An order or, with ``cancels``, the cancellation of the order before it."""

    time_ns: int
    cancels: bool
    side: int
    price: int
    lots: int
    term: Term
    prevention: Prevention


PRICES = st.integers(90, 110)
TOPS = st.tuples(PRICES, st.integers(0, 30))
LEVELS = st.lists(st.tuples(PRICES, st.integers(0, 30)), max_size=4)


@st.composite
def tapes(draw: st.DrawFn) -> Tape:
    """Updates, trades, gaps and snapshots of a narrow market; books may cross."""
    writer = TapeWriter().snapshot(1, [(99, 10), (98, 5)], [(101, 10), (102, 5)])
    time_ns = 1
    for _ in range(draw(st.integers(1, 25))):
        time_ns += draw(st.integers(0, 6))
        writer.feed_ns = draw(st.integers(0, 9))
        what = draw(st.integers(0, 13))
        if what > 11:
            writer.funding(time_ns, draw(st.integers(-(10**7), 10**7)), draw(st.sampled_from([0, 199, 201])))
        elif what < 5:
            writer.book(time_ns, draw(LEVELS), draw(LEVELS))
        elif what > 9:
            writer.quote(time_ns, draw(TOPS), draw(TOPS))
            time_ns += 1
            writer.book(time_ns, draw(LEVELS), draw(LEVELS), kind=TapeKind.OLDER_DIFF)
        elif what < 8:
            aggressor = draw(st.sampled_from([0, AGGRESSOR_BUY, AGGRESSOR_SELL]))
            writer.trade(time_ns, draw(PRICES), draw(st.integers(1, 20)), aggressor)
        elif what < 9:
            writer.snapshot(time_ns, draw(LEVELS), draw(LEVELS))
        else:
            writer.gap(time_ns)
    return writer.tape()


WISHES = st.lists(
    st.builds(
        Wish,
        time_ns=st.integers(1, 120),
        cancels=st.booleans(),
        side=st.sampled_from([BID, ASK]),
        price=PRICES,
        lots=st.integers(1, 25),
        term=st.sampled_from(list(Term)),
        prevention=st.sampled_from(list(Prevention)),
    ),
    max_size=12,
).map(lambda wishes: sorted(wishes, key=lambda wish: wish.time_ns))
MODELS = st.builds(
    MatchModel,
    queue=st.sampled_from(list(QueueModel)),
    exponent=st.sampled_from([0.5, 1.0, 2.0, 3.0]),
    partial=st.booleans(),
    shared=st.booleans(),
    impact=st.booleans(),
    maker_ppb=st.integers(-(10**8), 10**8),
    taker_ppb=st.integers(0, 10**8),
    slippage=st.sampled_from(list(Slippage)),
    slippage_ppb=st.integers(0, 5 * 10**7),
    slippage_worth=st.sampled_from([1.0, 500.0, 10.0**6]),
    latency=st.builds(Latency, entry_ns=st.integers(0, 9), response_ns=st.integers(0, 9)),
)


def played(tape: Tape, model: MatchModel, wishes: list[Wish], until_ns: int = FOREVER) -> list[list[int]]:
    """All reports of a run in which the wishes are sent at their times."""
    core = BacktestCore(tape, [model], capacity=32)
    for number, wish in enumerate(wishes):
        if wish.time_ns > until_ns:
            break
        core.advance(wish.time_ns)
        if wish.cancels:
            core.cancel(0, number - 1)
        else:
            price = wish.price if wish.term is not Term.IOC or wish.price % 2 else 0
            core.order(0, number, wish.side, price, wish.lots, term=wish.term, prevention=wish.prevention)
    outcome = core.advance(until_ns)
    assert outcome is (Outcome.END if until_ns == FOREVER else Outcome.TIME)
    reports: list[list[int]] = core.reports(0, until_ns).tolist()
    return reports


@HYPOTHESIS
@given(tapes(), MODELS, WISHES)
def test_cash_inventory_and_fees_balance_at_every_report(tape: Tape, model: MatchModel, wishes: list[Wish]) -> None:
    position = cash = fees = 0
    for report in played(tape, model, wishes):
        if report[Report.KIND] == FUNDED:
            assert report[Report.LOTS] == position != 0
            rates = [row[4] for row in tape.rows.tolist() if row[0] == 8 and row[2] == report[Report.EXCHANGE_NS]]
            worth = position * report[Report.PRICE]
            assert report[Report.FEE] in [-(-worth * rate // (2 * 10**9)) for rate in rates]
        if report[Report.KIND] == EventKind.TRADED:
            sign = 1 if report[Report.SIDE] == BID else -1
            worth = report[Report.PRICE] * report[Report.LOTS]
            rate = model.maker_ppb if report[Report.LIQUIDITY] == 1 else model.taker_ppb
            assert report[Report.FEE] == -(-worth * rate // 10**9)
            position, cash, fees = position + sign * report[Report.LOTS], cash - sign * worth, fees + report[Report.FEE]
        assert [report[Report.POSITION], report[Report.CASH], report[Report.FEES]] == [position, cash, fees]


@HYPOTHESIS
@given(tapes(), MODELS, WISHES)
def test_every_lot_of_an_order_is_accounted_for(tape: Tape, model: MatchModel, wishes: list[Wish]) -> None:
    left: dict[int, int] = {}
    working: set[int] = set()
    for report in played(tape, model, wishes):
        if report[Report.KIND] == FUNDED:
            continue
        kind, identifier = EventKind(report[Report.KIND]), report[Report.ID]
        if kind is EventKind.ACCEPTED:
            left[identifier] = report[Report.LOTS]
            working.add(identifier)
        elif kind is EventKind.TRADED:
            assert identifier in working
            left[identifier] -= report[Report.LOTS]
            assert report[Report.LEFT] == left[identifier] >= 0
        elif kind is EventKind.RESTED or (kind in ENDS and identifier in working and not report[Report.AHEAD]):
            assert report[Report.LOTS] == left[identifier] > 0
        if kind in ENDS and not report[Report.AHEAD]:
            working.discard(identifier)
        if left.get(identifier) == 0:
            working.discard(identifier)


@HYPOTHESIS
@given(tapes(), MODELS, WISHES)
def test_reports_keep_their_order_and_their_latency(tape: Tape, model: MatchModel, wishes: list[Wish]) -> None:
    reports = played(tape, model, wishes)
    times = [report[Report.RECEIVE_NS] for report in reports]
    assert times == sorted(times)
    assert all(
        report[Report.RECEIVE_NS] - report[Report.EXCHANGE_NS] >= model.latency.response_ns for report in reports
    )


@HYPOTHESIS
@given(tapes(), MODELS, WISHES, st.integers(1, 150))
def test_the_future_changes_nothing_that_was_heard(
    tape: Tape, model: MatchModel, wishes: list[Wish], cut_ns: int
) -> None:
    assert played(tape.until(cut_ns + 1), model, wishes, cut_ns) == played(tape, model, wishes, cut_ns)


@HYPOTHESIS
@given(tapes(), MODELS, WISHES, st.integers(1, 150))
def test_the_received_book_holds_what_was_received_and_nothing_else(
    tape: Tape, model: MatchModel, wishes: list[Wish], cut_ns: int
) -> None:
    whole, cut = BacktestCore(tape, [model]), BacktestCore(tape.until(cut_ns + 1), [model])
    whole.advance(cut_ns)
    cut.advance(cut_ns)
    assert whole.top(0) == cut.top(0)


@HYPOTHESIS
@given(tapes(), MODELS, WISHES, st.lists(st.integers(1, 200), max_size=10))
def test_stopping_on_the_way_changes_nothing(
    tape: Tape, model: MatchModel, wishes: list[Wish], stops: list[int]
) -> None:
    core = BacktestCore(tape, [model], capacity=32)
    number = 0
    found: list[list[int]] = []
    for time_ns in sorted([*stops, *(wish.time_ns for wish in wishes)]):
        core.advance(time_ns)
        found += core.reports(0).tolist()
        while number < len(wishes) and wishes[number].time_ns <= time_ns:
            wish = replace(wishes[number], cancels=False, term=Term.GTC)
            core.order(0, number, wish.side, wish.price, wish.lots)
            number += 1
    core.advance()
    found += core.reports(0, FOREVER).tolist()
    plain = [replace(wish, cancels=False, term=Term.GTC, prevention=Prevention.NONE) for wish in wishes]
    assert found == played(tape, model, plain)


@HYPOTHESIS
@given(tapes(), MODELS, WISHES)
def test_a_shared_trade_gives_no_more_than_it_was(tape: Tape, model: MatchModel, wishes: list[Wish]) -> None:
    """At the price of a trade; one that goes through an order, or a best price that comes to it, fills it whole."""
    model = replace(model, partial=True, shared=True)
    trades = {(row[2], row[4]): 0 for row in tape.rows.tolist() if row[0] == 3}
    for row in tape.rows.tolist():
        if row[0] == 3:
            trades[row[2], row[4]] += row[5]
    books = {row[2] for row in tape.rows.tolist() if row[0] != 3}
    filled: dict[tuple[int, int], int] = {}
    for report in played(tape, model, wishes):
        if report[Report.KIND] == EventKind.TRADED and report[Report.LIQUIDITY] == 1:
            key = report[Report.EXCHANGE_NS], report[Report.PRICE]
            filled[key] = filled.get(key, 0) + report[Report.LOTS]
    for (time_ns, price), lots in filled.items():
        through = any(at == time_ns and traded != price for at, traded in trades)
        if time_ns not in books and not through:
            assert lots <= trades[time_ns, price]
