"""VPIN: worked by hand, equal between back ends, and equal however the trades are cut into parts."""

from __future__ import annotations

import math
from math import isnan

import numpy as np
import pytest

from gpu.bars import ChangeMoments, reference_bars
from gpu.classification import Bars, Bulk, Classifier, Distribution, Rule, TimeBars, VolumeBars
from gpu.columns import Trades
from gpu.trade_sides import classify
from gpu.vpin import BarSigma, VpinSeries, VpinStream, vpin, with_sigma
from market.errors import Rejected
from tests.gpu.trade_columns import parts_of, random_trades, trades_of

SECOND = 1_000_000_000
BULKS = [
    Bulk(bars=TimeBars(SECOND)),
    Bulk(bars=TimeBars(7 * SECOND), distribution=Distribution.STUDENT),
    Bulk(bars=VolumeBars(1_700)),
    Bulk(bars=VolumeBars(37), distribution=Distribution.STUDENT, degrees=3.0),
    Bulk(bars=VolumeBars(900), sigma_ticks=2.5),
    Bulk(bars=TimeBars(SECOND), sigma_ticks=0.0),
]
CLASSIFIERS: list[Classifier] = [*Rule, *BULKS]


def assert_equal(found: list[VpinSeries], expected: list[VpinSeries]) -> None:
    """Bit for bit, but for where NaN stands for "not known yet"."""
    for one, other in zip(found, expected, strict=True):
        assert (one.instrument, one.bucket_lots, one.windows) == (other.instrument, other.bucket_lots, other.windows)
        assert (one.unknown_lots, one.sigma_ticks) == (other.unknown_lots, other.sigma_ticks)
        for name in ("times_ns", "prices", "bought"):
            assert np.array_equal(getattr(one, name), getattr(other, name)), name
        assert np.array_equal(one.vpin, other.vpin, equal_nan=True)


def joined(parts: list[VpinSeries]) -> VpinSeries:
    last = parts[-1]
    return VpinSeries(
        instrument=last.instrument,
        classifier=last.classifier,
        bucket_lots=last.bucket_lots,
        windows=last.windows,
        first=parts[0].first,
        times_ns=np.concatenate([part.times_ns for part in parts]),
        prices=np.concatenate([part.prices for part in parts]),
        bought=np.concatenate([part.bought for part in parts]),
        vpin=np.concatenate([part.vpin for part in parts], axis=1),
        unknown_lots=last.unknown_lots,
        sigma_ticks=last.sigma_ticks,
    )


def worked_example() -> Trades:
    """Six trades: the table of docs/vpin.md."""
    return trades_of(
        times_ns=[1 * SECOND, 2 * SECOND, 3 * SECOND, 4 * SECOND, 5 * SECOND, 6 * SECOND],
        prices=[100, 101, 101, 99, 100, 100],
        quantities=[4, 8, 3, 7, 2, 10],
        aggressors=[1, 1, 2, 2, 0, 1],
        bids=[99, 100, 101, 99, 99, 99],
        asks=[100, 101, 102, 100, 101, 100],
    )


@pytest.mark.parametrize("backend", ["cpu", "numpy"])
def test_worked_example(backend: str) -> None:
    [series] = vpin({"A": worked_example()}, bucket_lots=[10], windows=[2], backend=backend)
    assert series.bought.tolist() == [10, 2, 8]
    assert series.imbalances.tolist() == [10, -6, 6]
    assert series.times_ns.tolist() == [2 * SECOND, 4 * SECOND, 6 * SECOND]
    assert series.prices.tolist() == [101, 99, 100]
    assert isnan(series.vpin[0, 0])
    assert series.vpin[0, 1:].tolist() == [0.8, 0.6]
    assert series.unknown_lots == 2


@pytest.mark.parametrize("backend", ["cpu", "numpy"])
def test_worked_rules(backend: str) -> None:
    sides = {rule: classify(worked_example(), rule, backend=backend).tolist() for rule in Rule}
    assert sides == {
        Rule.FLAG: [1, 1, 2, 2, 0, 1],
        Rule.QUOTE: [1, 1, 2, 2, 0, 1],
        Rule.FLAG_OR_QUOTE: [1, 1, 2, 2, 0, 1],
        Rule.TICK: [0, 1, 1, 2, 1, 1],
    }


@pytest.mark.parametrize("backend", ["cpu", "numpy"])
def test_worked_bulk_example(backend: str) -> None:
    """Bars of 2 s: [1 s], [2, 3 s], [4, 5 s], then the open one. Changes 101 - 100 = 1 and 100 - 101 = -1; sigma is 1.

    Phi(1) = 0.84134: of 11 lots 9.25 are bought, so 9; Phi(-1) = 0.15866: of 9 lots 1.43, so 1.
    """
    bulk = Bulk(bars=TimeBars(2 * SECOND))
    [series] = vpin({"A": worked_example()}, bucket_lots=[10], windows=[1], classifiers=[bulk], backend=backend)
    assert series.sigma_ticks == 1.0
    # First bucket: 10 of the 11 lots of the first bar, floor(9 * 10 / 11) = 8 bought; second: 1 of 1, and 9 lots of 1.
    assert series.bought.tolist() == [8, 2]
    assert series.times_ns.tolist() == [4 * SECOND, 6 * SECOND]
    assert series.vpin.tolist() == [[0.6, 0.6]]
    assert series.unknown_lots == 4


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=str)
def test_back_ends_agree_bit_for_bit(classifier: Classifier) -> None:
    trades = {"A": random_trades(30_000, 1), "B": random_trades(2_000, 2), "C": random_trades(0)}
    parameters = {"bucket_lots": [100, 2_345, 99_999], "windows": [1, 5, 50], "classifiers": [classifier]}
    expected = vpin(trades, **parameters, backend="numpy")  # type: ignore[arg-type]
    assert len(expected) == 9
    assert len(expected[0]) > 10_000
    for threads in (1, 3):
        assert_equal(vpin(trades, **parameters, threads=threads), expected)  # type: ignore[arg-type]


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=str)
@pytest.mark.parametrize("seed", [1, 2])
def test_parts_give_the_series_of_the_whole(classifier: Classifier, seed: int) -> None:
    trades = random_trades(4_000, seed)
    known = with_sigma(classifier, trades)
    sizes, windows = [100, 7_777], [1, 20]
    whole = vpin({"A": trades}, bucket_lots=sizes, windows=windows, classifiers=[known])
    for count in (1, 30, 4_000):
        parts = parts_of(trades, seed, count)
        if isinstance(classifier, Bulk):
            sigma = BarSigma(classifier)
            for part in parts:
                sigma.add(part)
            assert classifier.sigma_ticks is not None or sigma.known() == known
        stream = VpinStream("A", known, bucket_lots=sizes, windows=windows, threads=1)
        taken = [stream.update(part) for part in parts]
        assert_equal([joined([found[number] for found in taken]) for number in range(len(sizes))], whole)


def test_every_combination_comes_back_in_order() -> None:
    trades = {"A": random_trades(500, 1), "B": random_trades(500, 2)}
    sizes = {"A": [1_000, 500], "B": [200]}
    found = vpin(trades, bucket_lots=sizes, windows=[2], classifiers=[Rule.FLAG, Rule.TICK])
    assert [(series.instrument, series.classifier, series.bucket_lots) for series in found] == [
        ("A", Rule.FLAG, 1_000),
        ("A", Rule.FLAG, 500),
        ("A", Rule.TICK, 1_000),
        ("A", Rule.TICK, 500),
        ("B", Rule.FLAG, 200),
        ("B", Rule.TICK, 200),
    ]


@pytest.mark.parametrize("bars", [TimeBars(SECOND), VolumeBars(1_000)])
def test_sigma_is_the_standard_deviation_of_all_changes(bars: Bars) -> None:
    trades = random_trades(20_000)
    changes = np.diff(reference_bars(trades, bars).prices)
    sigma = with_sigma(Bulk(bars=bars), trades)
    assert isinstance(sigma, Bulk)
    assert sigma.sigma_ticks == pytest.approx(float(changes.std()), rel=1e-14)


def test_sums_of_squares_do_not_overflow() -> None:
    moments = ChangeMoments()
    for _ in range(500):
        moments.add(np.array([1, 1 << 31], dtype=np.int64))
    assert moments.sigma_ticks == pytest.approx((1 << 31) - 1, rel=1e-5)


def test_a_bar_of_huge_volume_is_never_bought_beyond_it() -> None:
    quantities = [(1 << 46) - 1] * 64
    trades = trades_of(
        times_ns=[*range(32), *range(10**9, 10**9 + 31), 2 * 10**9],
        prices=[100] * 32 + [9_999] * 32,
        quantities=quantities,
    )
    bulk = Bulk(bars=TimeBars(10**9), sigma_ticks=0.1)
    parameters = {"bucket_lots": [1 << 50], "windows": [1], "classifiers": [bulk]}
    expected = vpin({"A": trades}, **parameters, backend="numpy")  # type: ignore[arg-type]
    assert expected[0].bought.tolist() == [1 << 50]
    assert_equal(vpin({"A": trades}, **parameters), expected)  # type: ignore[arg-type]


def test_a_price_that_never_changes_counts_half_as_bought() -> None:
    trades = trades_of(times_ns=range(0, 40, 10), prices=[7, 7, 7, 7], quantities=[100, 100, 100, 100])
    [series] = vpin({"A": trades}, bucket_lots=[50], windows=[1], classifiers=[Bulk(bars=TimeBars(10))])
    assert (series.sigma_ticks, series.vpin.tolist(), series.unknown_lots) == (0.0, [[0.0] * 4], 100)


def test_what_a_classifier_lacks_is_said() -> None:
    bare = trades_of(times_ns=[1], prices=[1], quantities=[1])
    for rule, column in ((Rule.FLAG, "aggressors"), (Rule.QUOTE, "bids and asks"), (Rule.FLAG_OR_QUOTE, "bids")):
        for backend in ("cpu", "numpy"):
            with pytest.raises(Rejected, match=f"rule '{rule}' reads {column}"):
                vpin({"A": bare}, bucket_lots=[1], classifiers=[rule], backend=backend)
    with pytest.raises(Rejected, match="needs sigma_ticks in a stream"):
        VpinStream("A", Bulk(bars=TimeBars(1)), bucket_lots=[1])
    stream = VpinStream("A", Rule.TICK, bucket_lots=[1])
    stream.update(trades_of(times_ns=[5], prices=[1], quantities=[1]))
    with pytest.raises(Rejected, match="before the part taken last"):
        stream.update(trades_of(times_ns=[4], prices=[1], quantities=[1]))


@pytest.mark.parametrize("degrees", [0.0, math.nan, 1e6])
def test_impossible_classifications_are_refused(degrees: float) -> None:
    with pytest.raises(Rejected, match="degrees was"):
        Bulk(bars=TimeBars(1), degrees=degrees)
    with pytest.raises(Rejected, match="sigma_ticks was"):
        Bulk(bars=TimeBars(1), sigma_ticks=-1.0)
    with pytest.raises(Rejected, match="interval_ns of bars was 0"):
        TimeBars(0)
    with pytest.raises(Rejected, match="lots of volume bars was 0"):
        VolumeBars(0)


def test_prices_that_jump_beyond_reason_are_refused() -> None:
    trades = trades_of(times_ns=[0, 1, 2], prices=[1, 1 << 46, 1], quantities=[1, 1, 1])
    for backend in ("cpu", "numpy"):
        with pytest.raises(Rejected, match="ticks between two bars"):
            vpin({"A": trades}, bucket_lots=[1], classifiers=[Bulk(bars=TimeBars(1))], backend=backend)
