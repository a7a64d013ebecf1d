"""Generated sessions: the same bytes for a seed, sound streams, and the shapes that were asked for."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from config.scenarios import CASCADE, CrashShape, ScenarioKind, ScenarioSettings
from market.book.book import QUOTED, SYNCHRONISED, TOP_ASK, TOP_BID
from market.errors import Fatal
from market.wire.records import (
    ASK_PRICE,
    BID_PRICE,
    DIFF,
    FIRST_ID,
    LAST_ID,
    PREVIOUS_ID,
    PRICE,
    QUANTITY,
    QUOTE,
    RECEIVE_NS,
    REJECTED,
    SNAPSHOT,
    TRADE,
)
from sim.scenarios.layout import STEP_NS
from sim.scenarios.plan import draw_plan
from sim.scenarios.recording import session_lines
from tests.sim.scenarios.sessions import SHORT, plan_of, read, text_of

QUIET, VOLATILE, POCKET = ScenarioKind.QUIET, ScenarioKind.VOLATILE, ScenarioKind.AIR_POCKET
KINDS = (QUIET, POCKET)
SECOND = 10**9
FIRST_SESSION = "63483e791b9f152e4da3e32a1d2c54b1bf0d389880ee225b6492710c112c0a92"
"""SHA-256 of the lines of two quiet minutes of seed 1."""


def test_a_seed_is_the_same_market_and_another_is_another() -> None:
    again = b"".join(session_lines(draw_plan(SHORT, POCKET, 5)))
    assert hashlib.sha256(again).digest() == hashlib.sha256(text_of(POCKET)).digest()
    other = next(session_lines(draw_plan(SHORT, POCKET, 6)))
    assert other[:2_000] != again[:2_000]


def test_the_bytes_do_not_depend_on_the_machine() -> None:
    text = b"".join(session_lines(draw_plan(SHORT.model_copy(update={"duration_s": 120}), QUIET, 1)))
    assert hashlib.sha256(text).hexdigest() == FIRST_SESSION


@pytest.mark.parametrize("kind", KINDS)
def test_every_line_is_a_message_of_the_venue(kind: ScenarioKind) -> None:
    lines = text_of(kind).splitlines()
    for line in lines[:200] + lines[-200:]:
        time, _, message = line.partition(b" ")
        content = json.loads(message)
        assert int(time) > 10**18
        assert "lastUpdateId" in content or content["data"]["s"] == "BTCUSDT"
    session = read(kind)
    assert not len(session.of(REJECTED))
    assert len(session.records) == len(lines)
    assert (np.diff(session.records[:, RECEIVE_NS]) > 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_stream_never_loses_its_book_and_ends_with_the_last_quote(kind: ScenarioKind) -> None:
    session = read(kind)
    diffs, quotes = session.of(DIFF), session.of(QUOTE)
    assert (diffs[1:, PREVIOUS_ID] == diffs[:-1, LAST_ID]).all()
    assert (diffs[:, FIRST_ID] <= diffs[:, LAST_ID]).all()
    assert len(session.of(SNAPSHOT)) == SHORT.duration_s // 30
    assert session.book[SYNCHRONISED]
    assert session.book[QUOTED]
    assert session.book[TOP_BID] == quotes[-1, BID_PRICE]
    assert session.book[TOP_ASK] == quotes[-1, ASK_PRICE]


def test_prices_are_sound() -> None:
    assert not len(plan_of(QUIET).faults)
    quotes, trades = read(QUIET).of(QUOTE), read(QUIET).of(TRADE)
    assert (quotes[:, ASK_PRICE] > quotes[:, BID_PRICE]).all()
    assert (trades[:, QUANTITY] > 0).all()


def test_a_crash_falls_as_far_as_it_says_and_comes_back() -> None:
    plan, quotes = plan_of(POCKET), read(POCKET).of(QUOTE)
    assert plan.crash is not None
    middle = (quotes[:, BID_PRICE] + quotes[:, ASK_PRICE]) / 2
    elapsed_ms = (quotes[:, RECEIVE_NS] - plan.start_ns) / STEP_NS
    before = middle[elapsed_ms < plan.crash.begin_ms][-1]
    lowest = middle[(elapsed_ms > plan.crash.begin_ms) & (elapsed_ms < plan.crash.end_ms)].min()
    fall = 1 - lowest / before
    assert plan.crash.drop * 0.8 < fall < plan.crash.drop * 1.2 + 0.02
    assert middle[-1] > lowest * (1 + fall / 4)


def test_in_a_crash_trading_and_spreads_are_many_times_the_usual() -> None:
    plan, session = plan_of(POCKET), read(POCKET)
    assert plan.crash is not None
    begin, end = (plan.start_ns + at * STEP_NS for at in (plan.crash.begin_ms, plan.crash.bottom_ms + 5_000))

    def within(rows: NDArray[np.int64], first: int, last: int) -> NDArray[np.int64]:
        return rows[(rows[:, RECEIVE_NS] >= first) & (rows[:, RECEIVE_NS] < last)]

    quotes, trades = session.of(QUOTE), session.of(TRADE)
    calm_first = plan.start_ns + 10 * SECOND
    spread = [
        float(np.median(part[:, ASK_PRICE] - part[:, BID_PRICE]))
        for part in (within(quotes, calm_first, begin), within(quotes, begin, end))
    ]
    volume = [
        part[:, QUANTITY].sum() / (last - first)
        for first, last in ((calm_first, begin), (begin, end))
        for part in (within(trades, first, last),)
    ]
    assert spread[1] > 10 * spread[0]
    assert volume[1] > 3 * volume[0]
    assert within(trades, begin, end)[:, PRICE].min() < quotes[0, BID_PRICE]


def test_a_stuck_feed_says_nothing_and_then_everything() -> None:
    settings = ScenarioSettings(duration_s=1_800)
    plan = draw_plan(settings, ScenarioKind.SELL_PROGRAM_2010, 2)
    assert plan.crash is not None
    assert [row[0] for row in plan.faults.tolist() if row[1] - row[0] == 5_000] == [plan.crash.bottom_ms]


@pytest.mark.parametrize("kind", [*ScenarioKind])
def test_plans_stay_within_their_shapes(kind: ScenarioKind) -> None:
    settings = ScenarioSettings()
    for seed in range(60):
        plan = draw_plan(settings, kind, seed)
        for knots in (plan.path, plan.regime, plan.panic):
            assert (np.diff(knots[:, 0]) > 0).all()
        assert (plan.path[:, 1] > 0).all()
        if plan.crash is None:
            continue
        shape = settings.shape(kind)
        assert shape.least_drop_pct <= 100 * plan.crash.drop <= shape.most_drop_pct
        assert shape.least_fall_s <= (plan.crash.bottom_ms - plan.crash.begin_ms) / 1_000 <= shape.most_fall_s
        assert plan.path[:, 1].min() == pytest.approx((1 - plan.crash.drop) * 1e9, abs=2)


def test_a_crash_that_has_no_room_is_refused() -> None:
    with pytest.raises(Fatal, match="make it longer"):
        draw_plan(SHORT, ScenarioKind.CAPITULATION_2021, 1)


def test_shapes_and_seeds_are_checked() -> None:
    with pytest.raises(ValidationError, match="least_fall_s was 900: must be at most most_fall_s"):
        CrashShape(**(CASCADE.model_dump() | {"least_fall_s": 900}))
    with pytest.raises(ValidationError, match="must be at least sessions"):
        ScenarioSettings(tuning_seed=1, evaluation_seed=500)
