"""Golden test: signals of real Bitcoin recordings equal their recomputation from whole arrays, and are plausible."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from market.book.book import ask_side, bid_side, new_books
from market.book.continuity import Rule
from market.book.ladder import collect
from market.native.kernel import entry
from market.native.memory import address_of
from market.signals import layout, streaming
from market.signals.depth import Depth
from market.signals.flow import FlowSettings
from market.signals.layout import NAN, SECOND_NS, Rows, Values, Words
from market.signals.markouts import MISSING, MarkoutSettings, settled_moves
from market.signals.outputs import WIDTH, Output
from market.signals.profile import ProfileSettings
from market.signals.record_intake import take_signal_records
from market.signals.streaming import SignalSettings
from market.signals.vpin import VpinSettings, bucket_imbalances, imbalance_sums
from market.wire.binance_json import decode_lines
from market.wire.markets import Market, market_table
from market.wire.records import AGGRESSOR, CURSOR_POSITION, DIFF, KIND, PRICE, QUANTITY, RECEIVE_NS, TRADE, Batch

BUY, SELL = 1, 2
WINDOW_NS = 10 * SECOND_NS
MARKETS = {
    "spot_btcusdt": (Market("BTCUSDT", 2, 8), Rule.OVERLAPPING, 9757, 3448),
    "usdm_btcusdt": (Market("BTCUSDT", 1, 3), Rule.CHAINED_OVERLAP, 21313, 6545),
    "cm_btcusd_perp": (Market("BTCUSD_PERP", 1, 8, Decimal(100)), Rule.CHAINED_OVERLAP, 2286, 26822),
}


@entry("int64(int64[::1], int64, int64[:, ::1])")
def _levels(books: Words, side: int, rows: Rows) -> int:
    book = address_of(books)
    return collect(bid_side(book) if side == 0 else ask_side(book), rows)


@dataclass(frozen=True)
class Run:
    """One recording through the signals: a reading after each record."""

    settings: SignalSettings
    records: Rows
    readings: Values
    state: Words
    books: Words
    trades: int
    updates: int

    def at_trades(self) -> Rows:
        """Whether each record is a trade."""
        chosen: Rows = self.records[:, KIND] == TRADE
        return chosen

    def column(self, column: int) -> Words:
        """A record column of the trades."""
        values: Words = self.records[self.at_trades(), column]
        return values


@pytest.fixture(scope="module", params=MARKETS)
def run(request: pytest.FixtureRequest, data: Path) -> Run:
    market, rule, trades, updates = MARKETS[request.param]
    chosen = SignalSettings(
        vpin=VpinSettings(bucket_lots=10**market.quantity_decimals, buckets=20),
        flow=FlowSettings(window_ns=WINDOW_NS, capacity=1 << 15),
        markouts=MarkoutSettings(mean_over=512),
        profile=ProfileSettings(
            bands_bps=(1, 2, 5), notional=10 ** (5 + market.price_decimals + market.quantity_decimals)
        ),
    )
    block = gzip.decompress((data / "binance-20240808" / f"{request.param}_20240808.gz").read_bytes())
    table, batch, books, state = market_table([market]), Batch(), new_books([rule]), streaming.new_state(chosen)
    kept, readings = [], []
    batch.restart()
    while batch.cursor[CURSOR_POSITION] < len(block):
        batch.clear()
        count = decode_lines(block, 10**10, table, batch.records, batch.bids, batch.asks, batch.cursor, 0)
        out, read_at = np.zeros((count, WIDTH)), np.zeros(count, dtype=np.int64)
        taken = take_signal_records(state, books, 0, batch.records, count, batch.bids, batch.asks, out, read_at)
        kept.append(batch.records[read_at[:taken]])
        readings.append(out[:taken])
    return Run(chosen, np.concatenate(kept), np.concatenate(readings), state, books, trades, updates)


def test_nothing_of_a_good_recording_is_refused(run: Run) -> None:
    assert not run.state[layout.LATE : layout.HEADER].any()
    assert (run.state[streaming.TRADES], run.state[streaming.UPDATES]) == (run.trades, run.updates)


def test_flow_equals_sums_over_slices(run: Run) -> None:
    times, lots, sides = run.column(RECEIVE_NS), run.column(QUANTITY), run.column(AGGRESSOR)
    first = np.searchsorted(times, times - WINDOW_NS, side="right")
    last = np.arange(len(times)) + 1
    bought, sold = (np.concatenate(([0], np.cumsum(np.where(sides == side, lots, 0)))) for side in (BUY, SELL))
    inside = [total[last] - total[first] for total in (bought, sold)]
    found = run.readings[run.at_trades()]
    np.testing.assert_array_equal(found[:, Output.CVD], inside[0] - inside[1])
    np.testing.assert_array_equal(found[:, Output.CVD_TOTAL], (bought - sold)[1:])
    np.testing.assert_array_equal(found[:, Output.TOXICITY], abs(inside[0] - inside[1]) / (inside[0] + inside[1]))


def test_vpin_equals_its_batch_form(run: Run) -> None:
    vpin = run.settings.vpin
    imbalances = bucket_imbalances(run.column(QUANTITY), run.column(AGGRESSOR), vpin.bucket_lots)
    sums = imbalance_sums(imbalances, vpin.buckets)
    completed = np.cumsum(run.column(QUANTITY)) // vpin.bucket_lots
    expected = np.full(len(completed), NAN)
    warm = completed >= vpin.buckets
    expected[warm] = sums[completed[warm] - vpin.buckets] / (vpin.buckets * vpin.bucket_lots)
    found = run.readings[run.at_trades()]
    np.testing.assert_array_equal(found[:, Output.VPIN_BUCKETS], completed)
    np.testing.assert_array_equal(found[:, Output.VPIN], expected)
    assert len(imbalances) > vpin.buckets
    assert 0.05 < np.nanmean(found[:, Output.VPIN]) < 0.95


def test_trade_rates_equal_counts(run: Run) -> None:
    times = run.column(RECEIVE_NS)
    counts = np.arange(len(times)) + 1 - np.searchsorted(times, times - SECOND_NS, side="right")
    np.testing.assert_array_equal(run.readings[run.at_trades(), Output.TRADES_PER_SECOND], counts)


def test_markouts_equal_their_batch_form(run: Run) -> None:
    times, chosen = run.records[:, RECEIVE_NS], run.settings.markouts
    doubled = np.nan_to_num(2 * run.readings[:, Output.MID]).astype(np.int64)
    trades = run.at_trades() & (doubled != 0)
    signs = np.where(run.records[trades, AGGRESSOR] == BUY, 1, -1)
    moves, settled = settled_moves(
        times[trades], signs, doubled[trades], times, doubled, chosen.horizons_ns, int(times[-1])
    )
    for horizon in range(len(chosen.horizons_ns)):
        last = moves[settled[:, horizon], horizon][-chosen.mean_over :]
        known = last[last != MISSING]
        assert run.readings[-1, Output.MARKOUT_1 + horizon] == known.sum() / (2 * len(known))
    impact = moves[settled[:, -1] & (moves[:, -1] != MISSING), -1]
    # Market orders move the price their way: the mean impact after a second is positive on every recording.
    assert impact.mean() > 0


def test_depth_equals_the_levels_of_the_last_book(run: Run) -> None:
    rows = []
    for side in (0, 1):
        levels = np.zeros((1 << 17, 2), dtype=np.int64)
        _levels(run.books, side, levels)
        rows.append(levels[None, :2000])
    depth_records = run.records[:, KIND] == DIFF
    found = run.readings[depth_records][-1, Output.LEVEL_IMBALANCE :]
    np.testing.assert_array_equal(found, Depth(run.settings.profile).update(rows[0], rows[1])[0])


def test_readings_are_plausible(run: Run) -> None:
    readings = run.readings[np.isfinite(run.readings[:, Output.LEVEL_IMBALANCE])]
    assert len(readings) > 0.9 * len(run.readings)
    for ratio in (Output.TOXICITY, Output.VPIN, Output.CANCEL_RATIO):
        known = readings[np.isfinite(readings[:, ratio]), ratio]
        assert 0 <= known.min() <= known.max() <= 1
    for ratio in (Output.TOP_IMBALANCE, Output.LEVEL_IMBALANCE):
        assert -1 <= readings[:, ratio].min() < -0.5 < 0.5 < readings[:, ratio].max() <= 1
    half = readings[:, Output.SPREAD] / 2
    assert (abs(readings[:, Output.MICROPRICE] - readings[:, Output.MID]) <= half).all()
    assert (readings[:, Output.BID_DEPTH_1] <= readings[:, Output.BID_DEPTH_2]).all()
    assert (readings[:, Output.BID_DEPTH_2] <= readings[:, Output.BID_DEPTH_3]).all()
    slopes = readings[:, [Output.BID_SLOPE, Output.ASK_SLOPE]]
    # There is none while a best level shows a single lot.
    assert np.isnan(slopes).mean() < 0.002
    assert np.nanmin(slopes) > 0
    for price in (Output.VAMP_LEVELS, Output.VAMP_BAND, Output.VAMP_NOTIONAL):
        known = np.isfinite(readings[:, price])
        assert known.mean() > 0.5
        assert (abs(readings[known, price] / readings[known, Output.MID] - 1) < 0.002).all()
    rates = readings[:, [Output.CANCELLED_LOTS_PER_SECOND, Output.CANCELS_PER_SECOND, Output.CHANGES_PER_SECOND]]
    assert (rates >= 0).all()
    assert np.nanmedian(readings[:, Output.CANCEL_RATIO]) > 0.5
    assert (rates[:, 1] <= rates[:, 2]).all()


def test_trades_lie_near_the_quote(run: Run) -> None:
    """Half of all trades print at the quote, and sweeps run ahead of it by a few basis points only."""
    trades = run.readings[run.at_trades()]
    known = np.isfinite(trades[:, Output.MID])
    away = abs(run.column(PRICE)[known] - trades[known, Output.MID]) - trades[known, Output.SPREAD] / 2
    assert (away <= 0).mean() > 0.5
    assert (away < trades[known, Output.MID] * 10e-4).mean() > 0.99
