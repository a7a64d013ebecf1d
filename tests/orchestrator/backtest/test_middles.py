"""Candles of middles and markouts of fills, against numbers reckoned by hand."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from market.orders.kinds import Liquidity, Side
from orchestrator.backtest.middles import HORIZONS_NS, Middles, candle_rows, markout_bps, markouts
from tests.orchestrator.backtest.test_performance import LISTING, LISTINGS, ORDERS, order

MS = 1_000_000
SECOND = 1_000 * MS


def middles(*points: tuple[int, int]) -> Middles:
    """Middles from times and doubled prices."""
    times, doubled = zip(*points, strict=True)
    return Middles(np.array(times, dtype=np.int64), np.array(doubled, dtype=np.int64))


def test_a_middle_holds_until_the_next_and_not_after_the_last() -> None:
    known = middles((10, 201), (20, 203))
    assert [known.at(time_ns) for time_ns in (9, 10, 19, 20, 21)] == [None, 100.5, 100.5, 101.5, None]


def test_candles_are_those_of_whole_seconds() -> None:
    known = middles((SECOND, 20), (SECOND + 1, 26), (2 * SECOND - 1, 18), (3 * SECOND + 5, 21))
    first, second = candle_rows({(0, 0): known}, LISTINGS)
    assert first == {"time_ns": SECOND, "market": str(LISTING), "open": 10, "high": 13, "low": 9, "close": 9}
    assert (second["time_ns"], second["open"], second["close"]) == (3 * SECOND, Decimal("10.5"), Decimal("10.5"))


def test_a_markout_is_the_move_in_the_fills_favour() -> None:
    known = middles((0, 400), (10 * MS, 404), (50 * MS, 390))
    bought = order(1, Side.BUY, 200, 1, 0, Liquidity.MAKER).fills[0]
    sold = order(1, Side.SELL, 201, 1, 0, Liquidity.TAKER).fills[0]
    assert markout_bps(bought, 1, known, 0) == 0
    assert markout_bps(bought, 1, known, 10 * MS) == pytest.approx((202 - 200) / 200 * 10_000)
    assert markout_bps(sold, -1, known, 10 * MS) == pytest.approx((201 - 202) / 201 * 10_000)
    assert markout_bps(sold, -1, known, 50 * MS) is None


def test_markouts_are_means_by_quantity_of_what_has_a_middle() -> None:
    known = middles((0, 190), (100 * MS, 210), (2_000 * MS, 210))
    rows = markouts(ORDERS, {(0, 0): known}, LISTINGS)
    assert [row["horizon_ms"] * MS for row in rows if row["liquidity"] == "MAKER"] == list(HORIZONS_NS)
    found = {(row["liquidity"], row["horizon_ms"]): (row["bps"], row["fills"]) for row in rows}
    # Bought 2 at 100 and 1 at 80; the middle is 95 at once, 105 after 100 ms.
    assert found["MAKER", 0] == (pytest.approx((2 * -500 + 1 * 1_875) / 3, abs=1e-6), 2)
    assert found["MAKER", 100] == (pytest.approx((2 * 500 + 1 * 3_125) / 3, abs=1e-6), 2)
    # Sold 1 at 110 and 2 at 90.
    taken = (1 * (110 - 105) / 110 + 2 * (90 - 105) / 90) / 3 * 10_000
    assert found["TAKER", 1_000] == (pytest.approx(taken, abs=1e-6), 2)
    assert found["TAKER", 10_000] == (None, 0)


def test_a_market_without_middles_has_no_markout() -> None:
    assert {row["bps"] for row in markouts(ORDERS, {}, LISTINGS)} == {None}
