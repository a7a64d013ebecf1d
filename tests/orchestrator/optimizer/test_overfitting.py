"""The probability of overfitting, against the steps of the paper one after the other."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from orchestrator.optimizer.overfitting import distinct, overfitting_probability

Matrix = NDArray[np.float64]


def ratio_slowly(samples: list[Fraction]) -> float:
    """Sharpe ratio by its definition, from exact sums; 0 without deviation."""
    mean = sum(samples, Fraction(0)) / len(samples)
    variance = sum(((value - mean) ** 2 for value in samples), Fraction(0)) / (len(samples) - 1)
    # The sign and size of mean / sqrt(variance), rounded once.
    return 0.0 if not variance else math.copysign(math.sqrt(mean**2 / variance), mean)


def logits_slowly(changes: Matrix, blocks: int) -> tuple[list[float], int]:
    """Steps 1 to 5 of CSCV: every half trains once and is tested on the other; also how often the chosen one lost."""
    length = len(changes) // blocks
    rest = changes[len(changes) - blocks * length :]
    columns = [[Fraction(float(value)) for value in column] for column in rest.T]
    logits, losses = [], 0
    for half in itertools.combinations(range(blocks), blocks // 2):
        other = [block for block in range(blocks) if block not in half]

        def ratios(chosen: tuple[int, ...] | list[int]) -> list[float]:
            return [
                ratio_slowly([value for block in chosen for value in column[block * length : (block + 1) * length]])
                for column in columns
            ]

        within, beyond = ratios(half), ratios(other)
        best = within.index(max(within))
        below = sum(value < beyond[best] for value in beyond)
        equal = sum(value == beyond[best] for value in beyond)
        relative = (below + (equal + 1) / 2) / (len(columns) + 1)
        logits.append(math.log(relative / (1 - relative)))
        losses += beyond[best] < 0
    return logits, losses


@settings(derandomize=True, deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 10_000),
    samples=st.integers(8, 40),
    trials=st.integers(2, 6),
    blocks=st.sampled_from([2, 4]),
    offset=st.sampled_from([0.0, 1_000.0]),
)
def test_the_paper_step_by_step(seed: int, samples: int, trials: int, blocks: int, offset: float) -> None:
    changes = np.random.default_rng(seed).integers(-50, 60, (samples, trials)).astype(np.float64) + offset
    found = overfitting_probability(changes, blocks)
    assert found is not None
    logits, losses = logits_slowly(changes, blocks)
    assert found.combinations == len(logits) == math.comb(blocks, blocks // 2)
    assert math.isclose(found.probability, sum(logit <= 0 for logit in logits) / len(logits), abs_tol=1e-12)
    assert math.isclose(found.median_logit, float(np.median(logits)), abs_tol=1e-9)
    assert found.loss_probability == losses / len(logits)


def test_choosing_among_noise_says_nothing_and_skill_shows() -> None:
    chance = np.random.default_rng(3)
    found = [overfitting_probability(chance.standard_normal((160, 40)), 8) for _ in range(30)]
    mean = sum(one.probability for one in found if one is not None) / 30
    assert 0.35 < mean < 0.65
    skilled = chance.standard_normal((160, 40))
    skilled[:, 7] += 1.0
    best = overfitting_probability(skilled, 8)
    assert best is not None
    assert best.probability == 0.0
    assert best.median_logit > 3


def test_trials_that_are_bad_where_others_are_good_are_overfitted() -> None:
    # Each trial is good in one half of the time alone: whoever wins there loses elsewhere.
    noise = np.random.default_rng(4).standard_normal((80, 2)) * 0.1
    noise[:40, 0] += 1.0
    noise[40:, 0] -= 1.0
    noise[:, 1] -= noise[:, 0]
    found = overfitting_probability(noise, 2)
    assert found is not None
    assert found.probability == 1.0
    assert found.loss_probability == 1.0


def test_trials_that_never_trade_have_no_ratio_and_count() -> None:
    changes = np.zeros((40, 3))
    changes[:, 1] = np.random.default_rng(5).normal(0.5, 1.0, 40)
    changes[0, 2] = -1.0
    found = overfitting_probability(changes, 4)
    assert found is not None
    logits, _ = logits_slowly(changes, 4)
    assert found.probability == sum(logit <= 0 for logit in logits) / len(logits)


@pytest.mark.parametrize(("samples", "trials"), [(40, 1), (7, 3)])
def test_too_little_to_say(samples: int, trials: int) -> None:
    assert overfitting_probability(np.random.default_rng(6).standard_normal((samples, trials)), 4) is None


def test_many_combinations_are_taken_in_parts() -> None:
    changes = np.random.default_rng(7).standard_normal((64, 30))
    whole = overfitting_probability(changes, 16)
    assert whole is not None
    assert whole.combinations == 12_870
    assert 0.0 <= whole.probability <= 1.0


def test_one_of_those_that_are_alike_is_kept() -> None:
    columns = [np.array([1.0, 2.0]), np.array([2.0, 1.0]), np.array([1.0, 2.0])]
    assert [column.tolist() for column in distinct(columns)] == [[1.0, 2.0], [2.0, 1.0]]
