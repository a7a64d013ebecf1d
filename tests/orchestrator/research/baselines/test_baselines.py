"""Baselines learn what is there, the same each time, from the training samples alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Fatal, Rejected
from orchestrator.research.baselines.logistic import fit_logistic
from orchestrator.research.baselines.ordered_sums import product, solved, weighted_squares
from orchestrator.research.baselines.predictors import PENALTIES, Baseline, choose_penalty, fit_baseline
from orchestrator.research.baselines.samples import Samples, joined_samples
from orchestrator.research.datasets.labels import Floats, Move

EXAMPLES = settings(derandomize=True, deadline=None, max_examples=25)


def random_samples(count: int, seed: int = 1, features: int = 4) -> Samples:
    """Labels that follow the imbalance of the best level, with noise."""
    random = np.random.default_rng(seed)
    imbalances = random.uniform(-1, 1, (count, 2))
    score = imbalances[:, 0] + 0.3 * random.standard_normal(count)
    labels = np.where(score > 0.3, Move.UP, np.where(score < -0.3, Move.DOWN, Move.SAME)).astype(np.int8)
    noise = random.standard_normal((count, features))
    return Samples(noise, imbalances, random.integers(0, 3, count).astype(np.int8), labels)


def test_majority_says_the_most_frequent_class() -> None:
    training = random_samples(300)
    found = fit_baseline(Baseline.MAJORITY, training).predict(random_samples(50, 2))
    shares = np.bincount(training.labels, minlength=3) / 300
    assert set(found.classes.tolist()) == {int(np.argmax(shares))}
    assert np.array_equal(found.probabilities[7], shares)


def test_the_last_move_is_said_again() -> None:
    test = random_samples(50, 2)
    found = fit_baseline(Baseline.LAST_MOVE, random_samples(300)).predict(test)
    assert np.array_equal(found.classes, test.last)
    assert np.allclose(found.probabilities.sum(axis=1), 1)


def test_the_imbalance_is_learnt_and_noise_is_not() -> None:
    training, test = random_samples(4_000), random_samples(2_000, 2)
    right = {
        baseline: float((fit_baseline(baseline, training).predict(test).classes == test.labels).mean())
        for baseline in (Baseline.IMBALANCE, Baseline.MAJORITY, Baseline.FEATURES)
    }
    assert right[Baseline.IMBALANCE] > right[Baseline.MAJORITY] + 0.25
    assert abs(right[Baseline.FEATURES] - right[Baseline.MAJORITY]) < 0.06


@EXAMPLES
@given(st.integers(0, 1 << 30), st.integers(30, 200))
def test_test_rows_never_change_a_fitted_baseline(seed: int, known: int) -> None:
    whole, other = random_samples(260, seed), random_samples(260, seed + 1)

    changed = joined_samples([whole.between(0, known), other.between(known, 260)])
    for baseline in Baseline:
        one = fit_baseline(baseline, whole.between(0, known)).predict(other)
        two = fit_baseline(baseline, changed.between(0, known)).predict(other)
        assert np.array_equal(one.probabilities, two.probabilities)
        assert np.array_equal(one.classes, two.classes)


def test_noise_is_penalised_and_what_helps_is_not() -> None:
    training, validation = random_samples(300, 5, features=60), random_samples(300, 6, features=60)
    assert choose_penalty(Baseline.FEATURES, training, validation) == max(PENALTIES)
    assert choose_penalty(Baseline.IMBALANCE, training, validation) <= 1e-3


def gradient(features: Floats, samples: Samples, weights: Floats, penalty: float, *, balanced: bool) -> Floats:
    """Of the loss, written down differently: one sample at a time."""
    total = np.zeros_like(weights)
    labels = samples.labels.tolist()
    for row, label in zip(features, labels, strict=True):
        inputs = np.append(row, 1.0)
        powers = np.exp(inputs @ weights)
        error = powers / powers.sum()
        error[label] -= 1.0
        share = 1 / len(set(labels)) / labels.count(label) if balanced else 1 / len(labels)
        total += share * np.outer(inputs, error)
    penalties = np.append(np.full(features.shape[1], penalty), 1e-6)
    return total + penalties[:, None] * weights


@EXAMPLES
@given(st.integers(0, 1 << 30), st.booleans())
def test_the_regression_is_at_the_minimum(seed: int, balanced: bool) -> None:
    samples = random_samples(120, seed)
    found = fit_logistic(samples.features, samples.labels, 1e-2, balanced=balanced)
    slope = gradient(samples.features, samples, found.weights, 1e-2, balanced=balanced)
    assert np.abs(slope[:, [Move.DOWN, Move.UP]]).max() < 1e-8
    assert not found.weights[:, Move.SAME].any()


def test_rare_classes_are_found_where_all_weigh_the_same() -> None:
    samples = random_samples(2_000)
    rare = np.flatnonzero((samples.labels == Move.SAME) | (np.arange(2_000) % 12 == 0))
    few = Samples(samples.features[rare], samples.imbalances[rare], samples.last[rare], samples.labels[rare])
    said = {
        baseline: (fit_baseline(baseline, few).predict(few).classes != Move.SAME).mean()
        for baseline in (Baseline.IMBALANCE, Baseline.IMBALANCE_BALANCED)
    }
    assert said[Baseline.IMBALANCE_BALANCED] > said[Baseline.IMBALANCE] + 0.1


def test_separable_and_one_sided_samples_have_finite_weights() -> None:
    features: Floats = np.linspace(-1, 1, 90, dtype=np.float64)[:, None]
    for labels in (np.repeat(np.arange(3), 30), np.full(90, 2)):
        found = fit_logistic(features, labels.astype(np.int8))
        assert np.isfinite(found.weights).all()
        assert (np.argmax(found.probabilities(features), axis=1) == labels).mean() > 0.95


@EXAMPLES
@given(st.integers(1, 12), st.integers(1, 40), st.integers(0, 99))
def test_sums_in_order_are_the_products_of_matrices(width: int, count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    rows, weights = random.standard_normal((count, width)), random.standard_normal((width, 3))
    shares = random.uniform(0.1, 1, count)
    assert np.allclose(product(rows, weights), rows @ weights, atol=1e-12)
    squares = weighted_squares(rows, shares)
    assert np.allclose(squares, rows.T @ (shares[:, None] * rows), atol=1e-12)
    positive = squares + np.eye(width)
    assert np.allclose(positive @ solved(positive, weights[:, 0]), weights[:, 0], atol=1e-9)
    with pytest.raises(Fatal, match="not positive"):
        solved(-positive, weights[:, 0])


def test_what_cannot_be_is_refused() -> None:
    samples = random_samples(10)
    with pytest.raises(Rejected, match="no training samples to fit imbalance on"):
        fit_baseline(Baseline.IMBALANCE, random_samples(0))
    with pytest.raises(Rejected, match="penalty was 0"):
        fit_logistic(samples.features, samples.labels, 0)
    features = samples.features.copy()
    features[3, 1] = np.nan
    with pytest.raises(Rejected, match=r"features\[3, 1\] is nan"):
        fit_logistic(features, samples.labels)
    with pytest.raises(Rejected, match=r"shape \(10, 2\): must be \(rows, 4\)"):
        fit_logistic(samples.features, samples.labels).probabilities(samples.imbalances)
    with pytest.raises(Rejected, match=r"labels\[0\] of the samples is -1"):
        Samples(features[:1], features[:1], np.zeros(1, dtype=np.int8), np.full(1, -1, dtype=np.int8))
