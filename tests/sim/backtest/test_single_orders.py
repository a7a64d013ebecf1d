"""Where the feed states every order, an own order gets what the matching engine itself gives it, to the unit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from market.errors import MissingInput
from sim.backtest.core import BacktestCore, MatchModel
from sim.backtest.layout import TAPE_KIND, Report, Slippage, TapeKind
from sim.backtest.tape import Tape
from sim.matching.book import MatchingBook
from sim.matching.layout import ASK, BID, CommandKind, Event, EventKind, Prevention, Term
from sim.replay.capture_format import CaptureFormat
from tests.sim.backtest.single_orders import (
    CAPACITY,
    FORMS,
    MIDDLE,
    OWNER,
    STEP_NS,
    TICKS,
    Crowd,
    Publisher,
    command,
    passive_book,
)

OWN = 1 << 40
STEPS = 80
HYPOTHESIS = settings(
    derandomize=True, deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
Fill = tuple[int, int, int, bool]
"""After how many commands, at which price, lots, and whether our order rested."""


@dataclass(frozen=True)
class Case:
    """A market's commands at 1, 2 ... STEP_NS, its tape, and one own order between two of them."""

    commands: list[list[int]]
    tape: Tape
    side: int
    price: int
    lots: int
    after: int
    cancelled: int


def case(form: CaptureFormat, seed: int, path: Path) -> Case:
    chance = np.random.default_rng(seed)
    side, price = int(chance.integers(2)), MIDDLE + int(chance.integers(-5, 6))
    publisher = Publisher(form, chance)
    commands = passive_book(publisher, 1)
    for number, row in enumerate(commands, 1):
        publisher.do(row, number * STEP_NS)
    crowd = Crowd(publisher, side, price, identifier=1_000)
    for _ in range(STEPS):
        following = crowd.next()
        if following is not None:
            commands.append(following)
            publisher.do(following, len(commands) * STEP_NS)
    after = int(chance.integers(10, 40))
    cancelled = after + int(chance.integers(1, 80))
    return Case(commands, publisher.tape(path), side, price, int(chance.integers(1, 30)), after, cancelled)


def by_engine(given: Case) -> tuple[list[Fill], int]:
    """The fills of the own order in the engine itself, and what of it was cancelled."""
    book = MatchingBook(CAPACITY)
    fills: list[Fill] = []
    left = 0

    def hear(step: int, events: list[list[int]]) -> None:
        fills.extend(
            (step, event[Event.PRICE], event[Event.LOTS], event[Event.OTHER] == OWN)
            for event in events
            if event[Event.KIND] == EventKind.TRADED and OWN in (event[Event.ID], event[Event.OTHER])
        )

    for step, row in enumerate(given.commands, 1):
        hear(step, book.submit(np.array([row], dtype=np.int64)).tolist())
        if step == given.after:
            hear(step, book.place(OWN, OWNER, given.side, given.price, given.lots))
        if step == given.cancelled:
            events = book.cancel(OWN, OWNER)
            left = events[0][Event.LOTS] if events[0][Event.KIND] == EventKind.CANCELLED else 0
    return fills, left


def by_backtest(given: Case, model: MatchModel | None = None) -> tuple[list[Fill], int]:
    """The same in a backtest over what the market published."""
    core = BacktestCore(given.tape, [model or MatchModel()], capacity=8)
    core.advance(given.after * STEP_NS)
    core.order(0, OWN, given.side, given.price * TICKS, given.lots)
    if given.cancelled <= len(given.commands):
        core.advance(given.cancelled * STEP_NS)
        core.cancel(0, OWN)
    core.advance()
    fills: list[Fill] = []
    left = 0
    for report in core.reports(0).tolist():
        if report[Report.KIND] == EventKind.TRADED:
            step, price = report[Report.EXCHANGE_NS] // STEP_NS, report[Report.PRICE]
            fills.append((step, price // TICKS, report[Report.LOTS], report[Report.LIQUIDITY] == 1))
        elif report[Report.KIND] == EventKind.CANCELLED:
            left = report[Report.LOTS]
    return fills, left


def together(fills: list[Fill]) -> dict[tuple[int, int, bool], int]:
    """Lots by command, price and kind: orders that came to rest come in one piece here."""
    lots: dict[tuple[int, int, bool], int] = {}
    for step, price, filled, rested in fills:
        lots[step, price, rested] = lots.get((step, price, rested), 0) + filled
    return lots


@pytest.mark.parametrize("form", FORMS)
@HYPOTHESIS
@given(seed=st.integers(0, 2**32))
def test_an_own_order_gets_what_the_engine_gives_it(form: CaptureFormat, seed: int, tmp_path: Path) -> None:
    given = case(form, seed, tmp_path / "orders.pcap")
    expected, found = by_engine(given), by_backtest(given)
    assert (together(found[0]), found[1]) == (together(expected[0]), expected[1])


@pytest.mark.parametrize("form", FORMS)
def test_the_strategy_receives_the_best_prices_that_the_engine_has(form: CaptureFormat, tmp_path: Path) -> None:
    given = case(form, 3, tmp_path / "orders.pcap")
    book, core = MatchingBook(CAPACITY), BacktestCore(given.tape, [MatchModel()], capacity=8)
    for step, row in enumerate(given.commands, 1):
        book.submit(np.array([row], dtype=np.int64))
        core.advance(step * STEP_NS)
        expected = [best[:2] if (best := book.best(side)) else (None, 0) for side in (BID, ASK)]
        top = core.top(0)
        found = [(price // TICKS if lots else None, lots) for price, lots in (top[:2], top[2:])]
        assert found == expected, step


def sell(publisher: Publisher, identifier: int, lots: int, time_ns: int) -> None:
    publisher.do(command(CommandKind.LIMIT, identifier, ASK, MIDDLE, lots, Term.IOC), time_ns)


def bid(publisher: Publisher, identifier: int, lots: int, time_ns: int, *, lost: bool = False) -> None:
    publisher.do(command(CommandKind.LIMIT, identifier, BID, MIDDLE, lots), time_ns, lost=lost)


@pytest.mark.parametrize("form", FORMS)
def test_a_place_outlives_a_loss_as_orders_are_known_by_their_ids(form: CaptureFormat, tmp_path: Path) -> None:
    publisher = Publisher(form, np.random.default_rng(0))
    bid(publisher, 1, 5, 1_000)
    bid(publisher, 2, 4, 2_000)
    bid(publisher, 3, 7, 4_000)
    publisher.do(command(CommandKind.CANCEL, 1), 5_000, lost=True)
    bid(publisher, 4, 6, 6_000, lost=True)
    bid(publisher, 5, 2, 7_000)
    publisher.snapshot(8_000)
    sell(publisher, 6, 6, 9_000)
    bid(publisher, 7, 1, 10_000)
    core = BacktestCore(publisher.tape(tmp_path / "orders.pcap"), [MatchModel()], capacity=8)
    core.advance(3_000)
    core.order(0, OWN, BID, MIDDLE * TICKS, 10)
    core.advance(7_500)
    core.order(0, OWN + 1, BID, MIDDLE * TICKS, 1)
    core.advance()
    reports = [(EventKind(row[Report.KIND]), row[Report.ID] - OWN, row[Report.LOTS], row[Report.EXCHANGE_NS])
               for row in core.reports(0).tolist()]  # fmt: skip
    # While the book is not known no order is taken in. Then 4 lots stand ahead, not the 9 of before.
    assert reports[2:] == [(EventKind.REJECTED, 1, 1, 7_500), (EventKind.TRADED, 0, 2, 9_000)]
    assert core.tape.rows[:, TAPE_KIND].tolist().count(TapeKind.GAP) == 1


def test_what_traded_while_the_book_was_not_known_counts_once(tmp_path: Path) -> None:
    publisher = Publisher(CaptureFormat.STARBASE, np.random.default_rng(0))
    bid(publisher, 1, 5, 1_000)
    bid(publisher, 2, 4, 2_000)
    publisher.do(command(CommandKind.LIMIT, 3, BID, MIDDLE - 9, 1), 4_000, lost=True)
    sell(publisher, 4, 6, 5_000)
    publisher.snapshot(6_000)
    sell(publisher, 5, 3, 7_000)
    bid(publisher, 6, 8, 8_000)
    publisher.do(command(CommandKind.CANCEL, 6), 9_000)
    bid(publisher, 7, 8, 10_000)
    sell(publisher, 8, 5, 11_000)
    core = BacktestCore(publisher.tape(tmp_path / "orders.pcap"), [MatchModel()], capacity=8)
    core.advance(3_000)
    core.order(0, OWN, BID, MIDDLE * TICKS, 10)
    core.advance()
    fills = [(row[Report.LOTS], row[Report.EXCHANGE_NS]) for row in core.reports(0).tolist() if row[Report.KIND] == 2]
    assert fills == [(5, 11_000)]


@dataclass(frozen=True)
class Wish:
    """An order at a step, cancelled after some others."""

    step: int
    side: int
    price: int
    lots: int
    term: Term


WISHES = st.lists(
    st.builds(
        Wish,
        step=st.integers(8, 90),
        side=st.sampled_from([BID, ASK]),
        price=st.integers(MIDDLE - 6, MIDDLE + 6),
        lots=st.integers(1, 30),
        term=st.sampled_from(list(Term)),
    ),
    min_size=1,
    max_size=12,
).map(lambda wishes: sorted(wishes, key=lambda wish: wish.step))


@HYPOTHESIS
@given(
    seed=st.integers(0, 30),
    wishes=WISHES,
    partial=st.booleans(),
    impact=st.booleans(),
    prevention=st.sampled_from(list(Prevention)),
)
def test_money_and_lots_balance_with_many_own_orders(
    seed: int, wishes: list[Wish], partial: bool, impact: bool, prevention: Prevention, tmp_path: Path
) -> None:
    tape = case(CaptureFormat.STARBASE, seed, tmp_path / "orders.pcap").tape
    model = MatchModel(
        partial=partial,
        impact=impact,
        maker_ppb=-2 * 10**5,
        taker_ppb=5 * 10**5,
        slippage=Slippage.FIXED,
        slippage_ppb=10**6,
    )
    core = BacktestCore(tape, [model], capacity=32)
    left = {}
    for number, wish in enumerate(wishes):
        core.advance(wish.step * STEP_NS)
        price = wish.price * TICKS
        core.order(0, number, wish.side, price, wish.lots, term=wish.term, prevention=prevention)
        left[number] = wish.lots
    core.advance()
    position = cash = fees = 0
    for row in core.reports(0).tolist():
        if row[Report.KIND] == EventKind.TRADED:
            sign, worth = (1 if row[Report.SIDE] == BID else -1), row[Report.PRICE] * row[Report.LOTS]
            rate = model.maker_ppb if row[Report.LIQUIDITY] == 1 else model.taker_ppb
            assert row[Report.FEE] == -(-worth * rate // 10**9)
            position, cash, fees = position + sign * row[Report.LOTS], cash - sign * worth, fees + row[Report.FEE]
            left[row[Report.ID]] -= row[Report.LOTS]
            assert left[row[Report.ID]] == row[Report.LEFT] >= 0
        assert [row[Report.POSITION], row[Report.CASH], row[Report.FEES]] == [position, cash, fees]


def test_a_capture_without_a_snapshot_is_refused_by_its_name(tmp_path: Path) -> None:
    publisher = Publisher(CaptureFormat.STARBASE, np.random.default_rng(0))
    del publisher.packets[1:]
    bid(publisher, 1, 5, 1_000)
    with pytest.raises(MissingInput, match=r"orders\.pcap holds no snapshot"):
        publisher.tape(tmp_path / "orders.pcap")
