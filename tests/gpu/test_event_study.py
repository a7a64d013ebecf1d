"""Ranks of VPIN, and what follows its entries into the top part."""

from __future__ import annotations

import math
from math import isnan, nan
from typing import Any

import numpy as np
import pytest

from gpu.event_study import study_entries
from gpu.ranks import empirical_cdf
from market.errors import Rejected
from market.signals.vpin_study import changes_after_high_vpin


def test_ranks_in_the_whole_sample_and_among_the_past() -> None:
    values = [nan, 0.5, 0.2, 0.5, 0.9, nan, 0.1]
    assert empirical_cdf(values)[1:5].tolist() == [0.8, 0.4, 0.8, 1.0]
    assert np.isnan(empirical_cdf(values)[[0, 5]]).all()
    for backend in ("cpu", "numpy"):
        past = empirical_cdf(values, past_only=True, backend=backend)
        assert past[[1, 2, 3, 4, 6]].tolist() == [1.0, 0.5, 1.0, 1.0, 0.2]


def test_back_ends_rank_alike() -> None:
    values = np.random.default_rng(3).integers(0, 200, 3_000) / 200
    for past_only in (False, True):
        both = [empirical_cdf(values, past_only=past_only, backend=backend) for backend in ("cpu", "numpy")]
        assert np.array_equal(both[0], both[1])
    assert past_only
    assert both[0][-1] == np.count_nonzero(values <= values[-1]) / 3_000


def test_an_infinite_value_has_no_rank() -> None:
    with pytest.raises(Rejected, match=r"values\[1\] is inf"):
        empirical_cdf([1.0, math.inf])


def test_worked_study() -> None:
    """VPIN enters its upper half at buckets 1 and 4; after the second the prices end too early."""
    vpin = [0.1, 0.8, 0.9, 0.2, 0.7, nan]
    times, prices = [0, 5, 10, 15, 20, 25, 30], [100, 100, 110, 99, 100, 100, 100]
    study = study_entries(
        [0, 5, 10, 15, 24, 25], vpin, [4, -6, 0, 0, 2, 2], times, prices, top_part=0.5, horizon_ns=10, steps=2
    )
    assert study.threshold == 0.7
    assert study.entered.tolist() == [1]
    assert study.changes.tolist() == pytest.approx([-0.01])
    assert study.earnings.tolist() == pytest.approx([0.01])
    assert study.volatilities[0] == pytest.approx(math.hypot(math.log(1.1), math.log(99 / 110)))
    assert study.usual_changes.tolist() == pytest.approx([0.1, -0.01, 100 / 110 - 1, 100 / 99 - 1])
    assert study.change_ratio == pytest.approx(0.01 / np.abs(study.usual_changes).mean())


def test_it_equals_the_study_of_the_signals_where_prices_are_those_of_the_rows() -> None:
    random = np.random.default_rng(5)
    times = np.cumsum(random.integers(1, 20_000_000_000, 2_000))
    vpin = np.where(random.random(2_000) < 0.05, nan, random.random(2_000))
    prices = 10_000 + np.cumsum(random.integers(-3, 4, 2_000))
    ours = study_entries(times, vpin, np.zeros(2_000, dtype=np.int64), times, prices)
    mids = np.where(np.isnan(vpin), nan, prices.astype(np.float64))
    theirs = changes_after_high_vpin(times, vpin, mids)
    assert ours.threshold == theirs.threshold
    common = np.isin(theirs.entered, ours.entered)
    assert len(ours.entered) > 100
    assert np.array_equal(theirs.entered[common], ours.entered)


def test_ranks_of_the_past_decide_where_they_are_given() -> None:
    vpin = np.array([0.9, 0.1, 0.5, 0.2, 0.6, 0.3])
    ranks = empirical_cdf(vpin, past_only=True)
    times = np.arange(6)
    study = study_entries(
        times, vpin, np.ones(6, dtype=np.int64), [0, 20], [5, 5], horizon_ns=2, steps=1, top_part=0.3, ranks=ranks
    )
    assert study.entered.tolist() == [4]
    assert study.mean_earning == 0.0


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"top_part": 1.0}, "top_part was 1.0"),
        ({"steps": 0}, "horizon_ns was"),
        ({"prices": [0, 1]}, r"prices\[0\] is 0"),
        ({"vpin": [0.5]}, r"vpin must have shape \(2,\)"),
    ],
)
def test_impossible_studies_are_refused(changed: dict[str, Any], text: str) -> None:
    columns = {
        "times_ns": [0, 1],
        "vpin": [0.5, 0.5],
        "imbalances": [1, 1],
        "price_times_ns": [0, 9],
        "prices": [1, 1],
    }
    with pytest.raises(Rejected, match=text):
        study_entries(**{**columns, **changed})


def test_nothing_known_is_no_entry() -> None:
    study = study_entries([1, 2], [nan, nan], [1, 1], [], [])
    assert (len(study.entered), isnan(study.threshold), isnan(study.change_ratio)) == (0, True, True)
    assert isnan(study.mean_earning)
