"""A stage gives every market of a source its detector, fed with that market's records alone."""

from __future__ import annotations

import numpy as np

from market.detector.detector import Detector
from market.detector.settings import SECOND_NS
from market.detector.stage import DetectorStage
from market.detector.states import Counter, Reading, State
from market.wire.records import GAP, IGNORED, REJECTED
from tests.market.detector.streams import SMALL, START, Row, array, top, trade
from tests.market.pipeline.markets import BUY, SELL, Market, Route, Source, batch_of, quote, record
from tests.market.pipeline.markets import trade as traded


def test_records_are_the_events_of_their_market() -> None:
    stage = DetectorStage(Source(), {(0, 0): SMALL, (1, 0): SMALL})
    first = [quote(START, 10, 12), quote(START + 1, 10, 12), quote(START + 2, 50, 60, market=1)]
    assert stage.take(batch_of(first)) == []
    stage.take(batch_of([traded(START + SECOND_NS, 11, 5, SELL, number=7), record(IGNORED, START + SECOND_NS)]))
    expected = Detector(SMALL)
    expected.update(array([top(START, 10, 12), top(START + 1, 10, 12), trade(START + SECOND_NS, 11, 5, number=7)]))
    assert repr(stage.detectors[0, 0].read()) == repr(expected.read())
    assert stage.detectors[0, 0].counters() == expected.counters()
    assert stage.detectors[1, 0].counters()[Counter.MESSAGES] == 0


def test_a_gap_of_the_feed_is_one_of_the_detector() -> None:
    stage = DetectorStage(Source(), {(0, 0): SMALL})
    stage.take(batch_of([quote(START, 10, 12), quote(START + 1, 10, 12), record(GAP, START + 2)]))
    assert stage.detectors[0, 0].counters()[Counter.GAPS] == 1
    assert np.isnan(stage.detectors[0, 0].read()[Reading.PRICE])


def test_markets_without_a_route_or_settings_have_no_detector() -> None:
    source = Source((Market("AB"), Market("CD"), Market("EF")), (None, Route(7), Route(1)))
    stage = DetectorStage(source, {(1, 0): SMALL})
    stage.take(batch_of([*(quote(START, 10, 12, market=market) for market in range(3)), record(REJECTED, 0)]))
    assert list(stage.detectors) == [(1, 0)]


def test_transitions_come_with_their_market() -> None:
    records, rows, price = [], list[Row](), 100_000
    for step in range(200):
        now, falling = START + step * SECOND_NS // 10, step >= 140
        price -= 10 * (step - 130) if falling else (-1) ** step
        ask = price + (90 if falling else 2)
        side = SELL if falling or step % 2 else BUY
        records += [quote(now + 1, price, ask, market=1), traded(now + 1, price, 5, side, market=1, number=step)]
        rows += [top(now + 1, price, ask), trade(now + 1, price, 5, side, number=step)]
    stage = DetectorStage(Source(), {(0, 0): SMALL, (1, 0): SMALL})
    passed = stage.take(batch_of(records[:150])) + stage.take(batch_of(records[150:]))
    _, transitions = Detector(SMALL).update(array(rows))
    assert [transition.after for transition in transitions][:2] == [State.ALERT, State.ACTIVE]
    assert repr(passed) == repr([((1, 0), transition) for transition in transitions])
