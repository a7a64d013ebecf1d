"""Rows of events for tests, and streams of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from hypothesis import strategies as st

from market.detector.events import EventKind
from market.detector.layout import EVENT_WIDTH, Rows
from market.detector.settings import SECOND_NS, DetectorSettings

BUY: Final = 1
SELL: Final = 2
START: Final = 1_700_000_000 * SECOND_NS
SMALL: Final = DetectorSettings(
    minimum_liquidity=50_000,
    volatility_seconds=3,
    baseline_seconds=6,
    liquidity_seconds=4,
    warm_up_seconds=3,
    volatility_multiplier=2.0,
    acceleration=-0.001,
    imbalance=-0.3,
    spread_multiplier=1.5,
    volume_sigmas=1.0,
    message_multiplier=1.4,
    violent_range=0.01,
    debounce_ns=SECOND_NS // 4,
    break_ns=0,
    left_out_seconds=0,
)
"""Short windows and low thresholds, so that short streams reach everything."""
LOOSE: Final = replace(SMALL, confirm_ns=3 * SECOND_NS // 2, recovery_ns=SECOND_NS, break_ns=SECOND_NS // 2)
LEAVING: Final = replace(LOOSE, left_out_seconds=3)
"""Seconds of events are left out of the baselines."""
Row = list[int]


def row(kind: EventKind, time_ns: int, *values: int, number: int = -1) -> Row:
    return [int(kind), time_ns, number, *values, *[0] * (EVENT_WIDTH - 3 - len(values))]


def top(time_ns: int, bid: int, ask: int, number: int = -1) -> Row:
    return row(EventKind.TOP, time_ns, bid, 1, ask, 1, number=number)


def trade(time_ns: int, price: int, quantity: int, aggressor: int = SELL, number: int = -1) -> Row:
    return row(EventKind.TRADE, time_ns, price, quantity, aggressor, number=number)


def book(time_ns: int, bid: int, ask: int, lots: tuple[int, int] = (100, 100), worth: int = 10**6) -> Row:
    return row(EventKind.BOOK, time_ns, bid, 1, ask, 1, *lots, worth, worth, 0, 0)


def at(time_ns: int) -> Row:
    return row(EventKind.TIME, time_ns)


def array(rows: list[Row]) -> Rows:
    return np.array(rows, dtype=np.int64).reshape(-1, EVENT_WIDTH)


@st.composite
def clean_streams(draw: st.DrawFn, most: int = 160) -> list[Row]:
    """Messages that come in order and without a silence, from a believed start on."""
    now, price = START, 10_000
    rows = [at(START), book(START, price, price + 2)]
    steps = st.sampled_from([0, 1, 40_000_000, 130_000_000, 400_000_000, 999_999_999, 1_200_000_000])
    for _ in range(draw(st.integers(1, most))):
        now += draw(steps)
        price = max(price + draw(st.sampled_from([-90, -30, -5, 0, 0, 4, 25])), 100)
        kind = draw(st.sampled_from(["top", "trade", "book"]))
        spread = draw(st.sampled_from([1, 2, 2, 9]))
        if kind == "top":
            rows.append(top(now, price, price + spread))
        elif kind == "trade":
            side = draw(st.sampled_from([BUY, SELL, SELL, 0]))
            rows.append(trade(now, price + draw(st.integers(-40, 40)), draw(st.integers(1, 60)), side))
        else:
            lots = (draw(st.integers(0, 90)), draw(st.integers(0, 90)))
            worth = (draw(st.integers(0, 60_000)), draw(st.integers(0, 60_000)))
            rows.append(row(EventKind.BOOK, now, price, 1, price + spread, 1, *lots, *worth, 2, 3))
    return rows


def crash(seconds: int = 30, calm: int = 80, fall: float = 0.004, messages: int = 20) -> list[Row]:
    """A quiet market that falls faster and faster from ``calm`` seconds on for five, then stands still."""
    chance = np.random.Generator(np.random.PCG64(5))
    price, rows = 1_000_000.0, [at(START)]
    for step in range((calm + seconds) * messages):
        second = step // messages
        now = START + step * SECOND_NS // messages
        falling = calm <= second < calm + 5
        price *= 1 - fall * (second - calm + 1) / messages if falling else 1 + 1e-6 * int(chance.integers(-2, 3))
        bid = int(price)
        depth = (10, 100) if falling else (100, 100)
        rows.append(book(now, bid, bid + (400 if falling else 10), depth, 10**9))
        sides = [SELL] * 5 if falling else [int(chance.integers(1, 3))]
        rows += [trade(now, bid, int(chance.integers(1, 9)), side) for side in sides]
    return rows
