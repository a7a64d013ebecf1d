"""Sources as the compiled loops read them."""

from __future__ import annotations

import numpy as np
import pytest

from market.errors import Fatal
from market.pipeline import layout
from market.pipeline.loop import collect_events
from market.pipeline.sources import Sources
from market.wire.records import REJECTED
from tests.market.pipeline.markets import Market, Route, Source, batch_of, quote, record


def test_a_source_is_finished_until_it_is_given_a_batch() -> None:
    sources = Sources([Source()])
    assert sources.row(0)[layout.FINISHED] == 1
    sources.give(0, batch_of([quote(5, 1, 2)]))
    assert sources.row(0)[[layout.FINISHED, layout.COUNT, layout.POSITION]].tolist() == [0, 1, 0]
    sources.give(0, None)
    assert sources.row(0)[[layout.FINISHED, layout.COUNT, layout.POSITION]].tolist() == [1, 0, 0]


def test_the_start_is_the_first_readable_record_of_all() -> None:
    sources = Sources([Source(), Source(), Source()])
    assert sources.start_ns() is None
    sources.give(0, batch_of([record(REJECTED, 1), quote(9, 1, 2)]))
    sources.give(1, batch_of([quote(7, 1, 2), quote(8, 1, 2)]))
    assert sources.start_ns() == 7


def test_the_last_market_is_that_of_the_record_taken_last() -> None:
    sources = Sources([Source()])
    assert sources.last_market(0) is None
    sources.give(0, batch_of([quote(5, 1, 2, market=1), quote(6, 1, 2)]))
    assert sources.last_market(0) is None
    sources.row(0)[layout.POSITION] = 1
    assert sources.last_market(0) == 1


def test_routes_turn_ticks_and_lots_into_mantissas() -> None:
    source = Source((Market("AB", 2, 3), Market("CD")), (Route(5, 2, -4, -8), None))
    sources = Sources([source])
    sources.give(0, batch_of([quote(6, 61, 62, lots=7), quote(7, 61, 62, market=1)]))
    events = np.zeros((9, layout.EVENT_WORDS), dtype=np.int64)
    assert collect_events(sources.words, 1, events, 8) == 1
    names = (layout.EVENT_INSTRUMENT, layout.EVENT_VENUE, layout.EVENT_BID_PRICE, layout.EVENT_BID_QUANTITY)
    assert events[0, names].tolist() == [5, 2, 6_100, 700_000]


def test_exponents_that_cannot_carry_a_market_are_refused() -> None:
    source = Source((Market("AB", 5, 1),), (Route(0),))
    with pytest.raises(Fatal, match=r"here AB: exponents were -4 and -4; expected at most -5 and -1"):
        Sources([source])
