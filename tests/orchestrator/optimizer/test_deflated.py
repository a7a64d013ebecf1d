"""The deflated Sharpe ratio, against the formulas of the paper in decimal arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.optimizer.deflated import deflated_sharpe, expected_maximum, probabilistic_sharpe
from orchestrator.optimizer.scores import sharpe

DIGITS = 50
ZERO = Decimal(0)
GAMMA = Decimal("0.57721566490153286060651209008240243104215933593992")
PI = Decimal("3.14159265358979323846264338327950288419716939937511")
CHANGES = st.lists(
    st.floats(-100, 100, allow_nan=False).map(lambda value: round(value, 3)), min_size=4, max_size=60
).filter(lambda values: len(set(values)) > 2)


def normal_cdf(x: Decimal) -> Decimal:
    """The series 1/2 + density(x) * (x + x^3/3 + x^5/15 + ...)."""
    if abs(x) > 12:
        return Decimal(int(x > 0))
    term = total = x
    number = 1
    while abs(term) > Decimal(10) ** -DIGITS:
        number += 2
        term *= x * x / number
        total += term
    return Decimal("0.5") + total * (-x * x / 2).exp() / (2 * PI).sqrt()


def normal_quantile(probability: Decimal) -> Decimal:
    """By halving."""
    low, high = Decimal(-12), Decimal(12)
    for _ in range(90):
        middle = (low + high) / 2
        low, high = (middle, high) if normal_cdf(middle) < probability else (low, middle)
    return low


def expected_maximum_slowly(deviation: Decimal, trials: int) -> Decimal:
    """Equation 1: sqrt(V) * ((1 - gamma) Z^-1(1 - 1/N) + gamma Z^-1(1 - 1/(N e)))."""
    first = normal_quantile(1 - Decimal(1) / trials)
    second = normal_quantile(1 - Decimal(1) / (trials * Decimal(1).exp()))
    return deviation * ((1 - GAMMA) * first + GAMMA * second)


def deflated_slowly(winner: Sequence[float], ratios: Sequence[float], trials: int) -> Decimal:
    """Equation 2, with the estimates of its moments."""
    x = [Decimal(value) for value in winner]
    count = len(x)
    mean = sum(x, ZERO) / count
    variance, third, fourth = (sum(((value - mean) ** order for value in x), ZERO) / count for order in (2, 3, 4))
    skewness, kurtosis = third / (variance.sqrt() ** 3), fourth / variance**2
    ratio = mean / (variance * count / (count - 1)).sqrt()
    found = [Decimal(value) for value in ratios]
    middle = sum(found, ZERO) / len(found)
    deviation = (sum(((value - middle) ** 2 for value in found), ZERO) / (len(found) - 1)).sqrt()
    threshold = expected_maximum_slowly(deviation, trials)
    spread = 1 - skewness * ratio + (kurtosis - 1) / 4 * ratio**2
    return normal_cdf((ratio - threshold) * Decimal(count - 1).sqrt() / spread.sqrt())


@settings(derandomize=True, deadline=None, max_examples=15)
@given(winner=CHANGES, ratios=st.lists(st.floats(-0.5, 0.5), min_size=2, max_size=8), more=st.integers(0, 500))
def test_the_paper_in_decimals(winner: list[float], ratios: list[float], more: int) -> None:
    found = deflated_sharpe(np.array(winner), ratios, more)
    assert found is not None
    with localcontext() as context:
        context.prec = DIGITS
        wanted = deflated_slowly(winner, ratios, len(ratios) + more)
    assert math.isclose(found.probability, float(wanted), rel_tol=1e-9, abs_tol=1e-12)
    assert found.trials == len(ratios) + more


@pytest.mark.parametrize("trials", [2, 3, 10, 100, 1_000_000])
def test_the_highest_of_many_in_decimals(trials: int) -> None:
    with localcontext() as context:
        context.prec = DIGITS
        wanted = expected_maximum_slowly(Decimal(1), trials)
    assert math.isclose(expected_maximum(1.0, trials), float(wanted), rel_tol=1e-9)


def test_the_highest_of_many_is_what_a_draw_brings() -> None:
    drawn = np.random.default_rng(1).standard_normal((4_000, 100)).max(axis=1)
    assert abs(expected_maximum(1.0, 100) - drawn.mean()) < 4 * drawn.std() / math.sqrt(len(drawn)) + 0.02


def test_an_example_by_hand() -> None:
    # Normal samples, ratio 0.1 over 101 samples: (0.1 - 0) * 10 / sqrt(1 + 0.1^2 / 2) deviations above 0.
    found = probabilistic_sharpe(0.1, 0.0, 101, 0.0, 3.0)
    assert math.isclose(found, 0.5 * (1 + math.erf(1 / math.sqrt(1.005) / math.sqrt(2))), rel_tol=1e-12)


def test_more_trials_and_fatter_losses_say_less() -> None:
    chance = np.random.default_rng(2)
    winner = chance.normal(0.1, 1.0, 500)
    ratios = [float(ratio) for ratio in chance.normal(0.0, 0.03, 20)]
    few, many = deflated_sharpe(winner, ratios), deflated_sharpe(winner, ratios, 10_000)
    assert few is not None
    assert many is not None
    assert few.probability > many.probability
    assert probabilistic_sharpe(0.1, 0.0, 500, 0.0, 3.0) > probabilistic_sharpe(0.1, 0.0, 500, -3.0, 20.0)


def test_one_trial_is_not_deflated_and_silence_has_no_ratio() -> None:
    winner = np.array([1.0, -0.5, 2.0, 0.0])
    alone = deflated_sharpe(winner, [sharpe(winner)])
    assert alone is not None
    assert alone.threshold == 0.0
    assert deflated_sharpe(np.zeros(10), [0.0, 0.1]) is None
    assert deflated_sharpe(np.ones(1), [0.0]) is None
