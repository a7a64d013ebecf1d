"""What becomes of own orders at the exchange."""

from __future__ import annotations

import pytest

from market.errors import Rejected
from market.wire.records import AGGRESSOR_BUY, AGGRESSOR_SELL
from sim.backtest.core import BacktestCore, MatchModel
from sim.backtest.latency import Latency
from sim.backtest.layout import Outcome, QueueModel, Report, TapeKind
from sim.matching.layout import ASK, BID, EventKind, Prevention, Reason, Term
from tests.sim.backtest.tapes import TapeWriter, reason, told

ACCEPTED, RESTED, TRADED = EventKind.ACCEPTED, EventKind.RESTED, EventKind.TRADED
CANCELLED, EXPIRED, REJECTED = EventKind.CANCELLED, EventKind.EXPIRED, EventKind.REJECTED
BIDS = ((100, 10), (99, 20))
ASKS = ((102, 10), (103, 20))


def opened(writer: TapeWriter, model: MatchModel | None = None, *, capacity: int = 8) -> BacktestCore:
    """A backtest at time 10, after the first row of a tape."""
    core = BacktestCore(writer.tape(), [model or MatchModel()], capacity=capacity)
    core.advance(10)
    return core


def book() -> TapeWriter:
    return TapeWriter().snapshot(1, BIDS, ASKS)


def test_an_order_waits_for_what_was_ahead_of_it() -> None:
    core = opened(book().trade(20, 100, 10, AGGRESSOR_SELL).trade(30, 100, 3, AGGRESSOR_SELL))
    core.order(0, 7, BID, 100, 5)
    core.advance(29)
    assert told(core) == [(ACCEPTED, 7, 100, 5), (RESTED, 7, 100, 5)]
    core.advance(30)
    assert told(core) == [(TRADED, 7, 100, 3)]
    assert core.account(0)[:2] == (3, -300)


def test_the_last_lot_of_an_order_ends_it() -> None:
    core = opened(book().trade(20, 102, 14, AGGRESSOR_BUY).trade(30, 102, 9, AGGRESSOR_BUY))
    core.order(0, 7, ASK, 102, 5)
    assert core.advance(wakes_on_report=True) is Outcome.REPORT
    assert [line[0] for line in told(core)] == [ACCEPTED, RESTED]
    core.advance(40)
    assert told(core) == [(TRADED, 7, 102, 4), (TRADED, 7, 102, 1)]


def test_without_partial_fills_what_reaches_an_order_fills_it_whole() -> None:
    core = opened(book().trade(20, 100, 11, AGGRESSOR_SELL), MatchModel(partial=False))
    core.order(0, 7, BID, 100, 500)
    core.advance(30)
    assert told(core)[-1] == (TRADED, 7, 100, 500)


def test_a_trade_through_an_order_fills_it_whole_at_its_own_price() -> None:
    core = opened(book().trade(20, 99, 1, AGGRESSOR_SELL))
    core.order(0, 7, BID, 100, 500)
    core.advance(30)
    assert told(core)[-1] == (TRADED, 7, 100, 500)


def test_the_other_sides_best_price_that_comes_to_an_order_fills_it() -> None:
    core = opened(book().book(20, asks=((100, 1),)))
    core.order(0, 7, BID, 100, 5)
    core.advance(30)
    assert told(core)[-1] == (TRADED, 7, 100, 5)


def test_a_trade_of_the_other_side_does_nothing() -> None:
    core = opened(book().trade(20, 100, 50, AGGRESSOR_BUY))
    core.order(0, 7, BID, 100, 5)
    core.advance(30)
    assert told(core)[-1] == (RESTED, 7, 100, 5)


def test_a_level_never_has_more_ahead_than_it_displays() -> None:
    core = opened(book().book(20, bids=((100, 2),)).book(21, bids=((100, 30),)).trade(22, 100, 3, AGGRESSOR_SELL))
    core.order(0, 7, BID, 100, 5)
    core.advance(30)
    assert told(core)[-1] == (TRADED, 7, 100, 1)


@pytest.mark.parametrize(("shared", "filled"), [(True, [(1, 4)]), (False, [(1, 4), (2, 4)])])
def test_own_orders_at_one_price_share_a_trade(shared: bool, filled: list[tuple[int, int]]) -> None:
    core = opened(book().trade(20, 100, 14, AGGRESSOR_SELL), MatchModel(shared=shared))
    core.order(0, 1, BID, 100, 5)
    core.order(0, 2, BID, 100, 5)
    core.advance(30)
    assert [(identifier, lots) for kind, identifier, _, lots in told(core) if kind is TRADED] == filled


def test_what_an_older_own_order_leaves_of_a_trade_reaches_the_next() -> None:
    core = opened(book().trade(20, 100, 17, AGGRESSOR_SELL))
    core.order(0, 1, BID, 100, 5)
    core.order(0, 2, BID, 100, 5)
    core.advance(30)
    assert told(core)[-2:] == [(TRADED, 1, 100, 5), (TRADED, 2, 100, 2)]


def test_a_taker_trades_with_what_the_book_displays_and_rests_with_what_is_left() -> None:
    core = opened(book())
    core.order(0, 7, BID, 103, 35)
    core.advance(30)
    assert told(core)[1:] == [(TRADED, 7, 102, 10), (TRADED, 7, 103, 20), (RESTED, 7, 103, 5)]


@pytest.mark.parametrize(("impact", "prices"), [(True, [102, 103]), (False, [102, 102])])
def test_what_was_taken_is_gone_until_the_level_is_stated_again(impact: bool, prices: list[int]) -> None:
    core = opened(book().book(40, asks=((102, 8),)), MatchModel(impact=impact))
    for identifier in (1, 2):
        core.order(0, identifier, BID, 0, 10, term=Term.IOC)
        core.advance(20 + identifier)
    assert [price for kind, _, price, _ in told(core) if kind is TRADED] == prices
    core.advance(40)
    core.order(0, 3, BID, 0, 1, term=Term.IOC)
    core.advance(50)
    assert told(core)[-1] == (TRADED, 3, 102, 1)


def test_immediate_orders_expire_with_what_they_cannot_trade() -> None:
    core = opened(book())
    core.order(0, 1, BID, 102, 15, term=Term.IOC)
    core.order(0, 2, ASK, 99, 31, term=Term.FOK)
    core.order(0, 3, ASK, 99, 30, term=Term.FOK)
    core.advance(20)
    assert told(core) == [
        (ACCEPTED, 1, 102, 15),
        (TRADED, 1, 102, 10),
        (EXPIRED, 1, 102, 5),
        (ACCEPTED, 2, 99, 31),
        (EXPIRED, 2, 99, 31),
        (ACCEPTED, 3, 99, 30),
        (TRADED, 3, 100, 10),
        (TRADED, 3, 99, 20),
    ]


def test_a_post_only_order_that_would_trade_is_refused() -> None:
    core = opened(book())
    core.order(0, 1, BID, 102, 1, term=Term.POST_ONLY)
    core.advance(20)
    assert reason(core) is Reason.WOULD_TRADE


def test_cancellations_take_their_way_too() -> None:
    tape = book().trade(40, 99, 1, AGGRESSOR_SELL)
    core = opened(tape, MatchModel(latency=Latency(entry_ns=20, response_ns=7)))
    core.order(0, 1, BID, 100, 5)
    core.advance(25)
    core.cancel(0, 1)
    core.advance(60)
    reports = core.reports(0).tolist()
    assert [(report[Report.KIND], report[Report.EXCHANGE_NS], report[Report.RECEIVE_NS]) for report in reports] == [
        (ACCEPTED, 30, 37),
        (RESTED, 30, 37),
        (TRADED, 40, 47),
        (REJECTED, 45, 52),
    ]
    assert reports[-1][Report.REASON] == Reason.UNKNOWN


def test_a_cancelled_order_is_not_filled() -> None:
    core = opened(book().trade(40, 99, 1, AGGRESSOR_SELL))
    core.order(0, 1, BID, 100, 5)
    core.advance(20)
    core.cancel(0, 1)
    core.advance(50)
    assert told(core)[-1] == (CANCELLED, 1, 100, 5)


def test_orders_that_cannot_be_are_refused() -> None:
    core = opened(book(), capacity=2)
    core.order(0, 1, BID, 100, 0)
    core.order(0, 2, 9, 100, 1)
    core.advance(11)
    assert told(core) == [(REJECTED, 1, 100, 0), (REJECTED, 2, 100, 1)]
    core.order(0, 3, BID, 90, 1)
    core.order(0, 4, BID, 91, 1)
    core.advance(12)
    core.order(0, 4, BID, 91, 1)
    core.advance(13)
    assert reason(core) is Reason.DUPLICATE
    core.order(0, 5, BID, 91, 1)
    core.advance(14)
    assert reason(core) is Reason.FULL


@pytest.mark.parametrize(
    ("prevention", "ended"),
    [
        (Prevention.EXPIRE_TAKER, [(EXPIRED, 2, 100, 4)]),
        (Prevention.EXPIRE_MAKER, [(EXPIRED, 1, 101, 3), (TRADED, 2, 100, 4)]),
        (Prevention.EXPIRE_BOTH, [(EXPIRED, 1, 101, 3), (EXPIRED, 2, 100, 4)]),
    ],
)
def test_own_orders_do_not_meet(prevention: Prevention, ended: list[tuple[EventKind, int, int, int]]) -> None:
    core = opened(book())
    core.order(0, 1, BID, 101, 3)
    core.advance(20)
    told(core)
    core.order(0, 2, ASK, 100, 4, prevention=prevention)
    core.advance(30)
    assert told(core)[1:] == ended


def test_nothing_is_taken_in_while_the_book_is_not_known() -> None:
    core = opened(book().gap(20).snapshot(40, BIDS, ASKS))
    core.advance(30)
    core.order(0, 1, BID, 100, 1)
    core.advance(35)
    assert reason(core) is Reason.UNFILLED
    core.advance(41)
    core.order(0, 2, BID, 100, 1)
    core.advance(50)
    assert told(core)[-1] == (RESTED, 2, 100, 1)


def test_a_snapshot_moves_places_and_fills_what_it_reaches() -> None:
    tape = book().gap(20).snapshot(30, ((100, 3), (95, 1)), ((101, 4),)).trade(40, 100, 4, AGGRESSOR_SELL)
    core = opened(tape)
    core.order(0, 1, BID, 100, 5)
    core.order(0, 2, ASK, 102, 5)
    core.order(0, 3, BID, 101, 5)
    core.advance(50)
    assert told(core)[-2:] == [(TRADED, 3, 101, 5), (TRADED, 1, 100, 1)]


def test_a_newer_quote_is_what_an_order_meets() -> None:
    tape = book().quote(20, (100, 4), (103, 7)).book(40, asks=((102, 9),), kind=TapeKind.OLDER_DIFF)
    core = opened(tape.book(60, asks=((102, 3), (103, 8))))
    core.advance(25)
    core.order(0, 1, BID, 0, 20, term=Term.IOC)
    core.advance(50)
    core.order(0, 2, BID, 102, 1, term=Term.POST_ONLY)
    core.advance(55)
    core.order(0, 3, ASK, 103, 1)
    core.order(0, 4, BID, 100, 1)
    core.advance(59)
    rested = {report[Report.ID]: report[Report.AHEAD] for report in core.reports(0).tolist() if report[Report.AHEAD]}
    assert rested == {4: 4}
    core.advance(65)
    core.order(0, 5, BID, 0, 4, term=Term.IOC)
    core.advance(70)
    assert [line for line in told(core) if line[0] is TRADED] == [(TRADED, 5, 102, 3), (TRADED, 5, 103, 1)]


def test_what_was_taken_of_a_quote_is_gone() -> None:
    core = opened(book().quote(20, (100, 4), (102, 3)).book(90))
    core.advance(25)
    for identifier in (1, 2):
        core.order(0, identifier, BID, 0, 5, term=Term.IOC)
        core.advance(30 + identifier)
    assert [line for line in told(core) if line[0] is TRADED] == [
        (TRADED, 1, 102, 3),
        (TRADED, 1, 103, 2),
        (TRADED, 2, 103, 5),
    ]


def test_a_quote_that_comes_to_an_order_fills_it_and_an_older_update_does_not() -> None:
    tape = book().book(20, asks=((100, 1),), kind=TapeKind.OLDER_DIFF).quote(40, (98, 1), (100, 2))
    core = opened(tape)
    core.order(0, 7, BID, 100, 5)
    core.advance(30)
    assert told(core)[-1] == (RESTED, 7, 100, 5)
    core.advance(50)
    assert told(core)[-1] == (TRADED, 7, 100, 5)


def test_fees_are_rounded_up_and_rebates_are_negative() -> None:
    tape = book().trade(20, 99, 1, AGGRESSOR_SELL)
    core = opened(tape, MatchModel(maker_ppb=-10_000_000, taker_ppb=20_000_000))
    core.order(0, 1, BID, 100, 5)
    core.order(0, 2, BID, 102, 1)
    core.advance(30)
    fees = {report[Report.ID]: report[Report.FEE] for report in core.reports(0).tolist() if report[Report.FEE]}
    assert fees == {1: -5, 2: 3}
    assert core.account(0).fees == -2


def test_models_that_cannot_be_are_refused() -> None:
    with pytest.raises(Rejected, match="exponent"):
        MatchModel(queue=QueueModel.POWER, exponent=-1)
    with pytest.raises(Rejected, match="fees"):
        MatchModel(maker_ppb=10**10)
    with pytest.raises(Rejected, match="per unit"):
        MatchModel(lots_per_unit=0)
