"""Several markets on one tape: each as if it were alone."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim.backtest import layout
from sim.backtest.core import BacktestCore, MatchModel
from sim.backtest.layout import FOREVER, TapeKind
from sim.backtest.tape import Tape
from tests.sim.backtest.test_properties import HYPOTHESIS, MODELS, WISHES, Wish, tapes


def side_by_side(first: Tape, second: Tape) -> Tape:
    """Two tapes of one market as one of two."""
    other = second.rows.copy()
    other[:, layout.TAPE_MARKET] = 1
    in_book = ~np.isin(other[:, layout.TAPE_KIND], (TapeKind.TRADE, TapeKind.QUOTE))
    other[in_book, layout.BIDS_START] += len(first.bids)
    other[in_book, layout.ASKS_START] += len(first.asks)
    rows = np.concatenate((first.rows, other))
    rows = np.ascontiguousarray(rows[np.argsort(rows[:, layout.EXCHANGE_NS], kind="stable")])
    received = np.argsort(rows[:, layout.RECEIVE_NS], kind="stable")
    bids, asks = np.concatenate((first.bids, second.bids)), np.concatenate((first.asks, second.asks))
    return Tape(rows, received, bids, asks, first.markets + second.markets, ())


def send(core: BacktestCore, market: int, number: int, wish: Wish) -> None:
    if wish.cancels:
        core.cancel(market, number - 1)
    else:
        core.order(market, number, wish.side, wish.price, wish.lots, term=wish.term, prevention=wish.prevention)


@HYPOTHESIS
@given(st.tuples(tapes(), tapes()), st.tuples(MODELS, MODELS), st.tuples(WISHES, WISHES))
def test_markets_do_not_touch_each_other(
    both: tuple[Tape, Tape], models: tuple[MatchModel, MatchModel], wishes: tuple[list[Wish], list[Wish]]
) -> None:
    together = BacktestCore(side_by_side(*both), models, capacity=32)
    numbered = [(wish.time_ns, market, number, wish) for market in (0, 1) for number, wish in enumerate(wishes[market])]
    for time_ns, market, number, wish in sorted(numbered, key=lambda each: each[:3]):
        together.advance(time_ns)
        send(together, market, number, wish)
    together.advance()
    for market in (0, 1):
        alone = BacktestCore(both[market], [models[market]], capacity=32)
        for number, wish in enumerate(wishes[market]):
            alone.advance(wish.time_ns)
            send(alone, 0, number, wish)
        alone.advance()
        assert alone.reports(0, FOREVER).tolist() == together.reports(market, FOREVER).tolist()
        assert alone.account(0) == together.account(market)
        assert alone.top(0) == together.top(market)
