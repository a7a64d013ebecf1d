"""Places in a queue against the formulas, reckoned in whole fractions and plain floats."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.wire.records import AGGRESSOR_SELL
from sim.backtest.core import BacktestCore, MatchModel
from sim.backtest.layout import QUEUE_UNIT, QueueModel, Report
from sim.matching.layout import BID, EventKind
from tests.sim.backtest.tapes import TapeWriter

HYPOTHESIS = settings(derandomize=True, deadline=None, max_examples=200)
POWERS = (QueueModel.POWER, QueueModel.POWER_2, QueueModel.POWER_3)


def share(model: MatchModel, ahead: float, behind: float) -> float:
    """The share that stood behind, straight from ``QueueModel``."""
    if ahead + behind == 0:
        return 1.0
    unit = model.lots_per_unit
    if model.queue in POWERS:
        fraction = Fraction(behind) / (Fraction(ahead) + Fraction(behind))
        front, back = math.pow(float(1 - fraction), model.exponent), math.pow(float(fraction), model.exponent)
        if model.queue is QueueModel.POWER:
            return back / (back + front)
        return back if model.queue is QueueModel.POWER_2 else 1 - front
    front, back = math.log(1 + ahead / unit), math.log(1 + behind / unit)
    return back / (back + front) if model.queue is QueueModel.LOG else back / math.log(1 + (ahead + behind) / unit)


class Place:
    """A place in the queue, the slow way."""

    def __init__(self, model: MatchModel, displayed: int) -> None:
        self._model = model
        self._displayed = displayed
        self._traded = 0
        self.ahead = float(displayed)

    def trade(self, lots: int) -> int:
        """Lots that reach the order."""
        self._traded += lots
        self.ahead -= lots
        reached = math.floor(-self.ahead + 0.5)
        if reached > 0:
            self.ahead = 0.0
        return max(reached, 0)

    def show(self, lots: int) -> None:
        """The level displays another quantity."""
        before, self._displayed = self._displayed, lots
        lost, self._traded = before - lots - self._traded, 0
        if self._model.queue is QueueModel.RISK_AVERSE or lost < 0:
            self.ahead = min(self.ahead, lots)
            return
        ahead, behind = max(self.ahead, 0.0), max(before - self.ahead, 0.0)
        part = share(self._model, ahead, behind)
        left = ahead - (1 - part) * lost + min(behind - part * lost, 0.0)
        self.ahead = min(max(left, 0.0), lots)


@HYPOTHESIS
@given(
    st.sampled_from(list(QueueModel)),
    st.sampled_from([0.5, 1.0, 1.5, 2.0, 3.0, 11.0]),
    st.integers(1, 1000),
    st.lists(st.tuples(st.booleans(), st.integers(0, 60)), max_size=30),
)
def test_places_follow_the_formulas(
    queue: QueueModel, exponent: float, unit: int, steps: list[tuple[bool, int]]
) -> None:
    model = MatchModel(queue=queue, exponent=exponent, lots_per_unit=unit)
    tape = TapeWriter().snapshot(1, [(100, 50)], [(110, 1)])
    for time_ns, (trades, lots) in enumerate(steps, start=20):
        if trades:
            tape.trade(time_ns, 100, lots + 1, AGGRESSOR_SELL)
        else:
            tape.book(time_ns, bids=[(100, lots)])
    core = BacktestCore(tape.tape(), [model])
    core.advance(5)
    core.order(0, 1, BID, 100, 1 << 30)
    core.advance()
    found = {
        report[Report.EXCHANGE_NS]: report[Report.LOTS]
        for report in core.reports(0, 1 << 60).tolist()
        if report[Report.KIND] == EventKind.TRADED
    }
    place = Place(model, 50)
    for time_ns, (trades, lots) in enumerate(steps, start=20):
        if not trades:
            place.show(lots)
            continue
        # Where half a lot decides, one unit of the last place may go either way.
        near = abs((-(place.ahead - lots - 1) + 0.5) % 1) < len(steps) * 4 / QUEUE_UNIT
        reached = place.trade(lots + 1)
        if near and found.get(time_ns, 0) != reached:
            return
        assert found.get(time_ns, 0) == reached


@pytest.mark.parametrize("queue", list(QueueModel))
def test_an_order_that_is_the_last_of_its_level_has_everything_ahead(queue: QueueModel) -> None:
    tape = TapeWriter().snapshot(1, [(100, 50)], [(110, 1)]).book(20, bids=[(100, 20)])
    core = BacktestCore(tape.trade(30, 100, 21, AGGRESSOR_SELL).tape(), [MatchModel(queue=queue)])
    core.advance(5)
    core.order(0, 1, BID, 100, 7)
    core.advance()
    traded = [report for report in core.reports(0, 1 << 60).tolist() if report[Report.KIND] == EventKind.TRADED]
    assert [report[Report.LOTS] for report in traded] == [1]
