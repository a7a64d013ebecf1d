"""The distribution functions against 50-digit references, and bit for bit between back ends."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest

from gpu import distributions, distributions_reference
from gpu.columns import Floats

NORMAL_AT = [0.0, 1e-9, -0.3, 0.5, -1.0, 1.96, -2.8, 2.8284, 2.829, 3.5, -5.0, 7.0, -8.2]
STUDENT_AT = [0.0, 1e-8, 0.01, -0.3, 0.7, -1.0, 2.0, -5.0, 12.5, 300.0, -4e4, 1e8]
DEGREES = [0.05, 0.25, 0.7, 1.0, 2.0, 3.0, 4.5, 10.0, 100.0, 1000.0]


def pi_of() -> Decimal:
    """pi by Machin's formula."""

    def arc_tangent(inverse: int) -> Decimal:
        x = Decimal(1) / inverse
        return sum(((-1) ** k * x ** (2 * k + 1) / (2 * k + 1) for k in range(80)), Decimal(0))

    return 4 * (4 * arc_tangent(5) - arc_tangent(239))


def exact_normal(z: float) -> Decimal:
    """1/2 + density times the series z + z^3/3 + z^5/15 + ..., whose terms are all of one sign."""
    with localcontext() as context:
        context.prec = 80
        x = Decimal(z)
        term = total = x
        for k in range(1, 600):
            term = term * x * x / (2 * k + 1)
            total += term
        return Decimal("0.5") + total * (-x * x / 2).exp() / (2 * pi_of()).sqrt()


def log_gamma(x: Decimal) -> Decimal:
    """Stirling's series after shifting the argument beyond 60."""
    bernoulli = [(1, 6), (-1, 30), (1, 42), (-1, 30), (5, 66), (-691, 2730), (7, 6), (-3617, 510), (43867, 798)]
    shift = Decimal(0)
    while x < 60:
        shift += x.ln()
        x += 1
    series = sum(
        (Decimal(p) / q / (2 * k * (2 * k - 1)) / x ** (2 * k - 1) for k, (p, q) in enumerate(bernoulli, start=1)),
        Decimal(0),
    )
    return (x - Decimal("0.5")) * x.ln() - x + (2 * pi_of()).ln() / 2 + series - shift


def exact_student(t: float, degrees: float) -> Decimal:
    """1/2 + t Gamma((v+1)/2) / (sqrt(pi v) Gamma(v/2)) 2F1, after Pfaff's transformation: a series of positive terms.

    Large arguments go by the symmetric series of the tail, which converges where the other one is slow.
    """
    with localcontext() as context:
        context.prec = 60
        x, v, half = Decimal(t), Decimal(degrees), Decimal("0.5")
        outer, inner = v / (v + x * x), x * x / (v + x * x)
        a = v / 2
        log_beta = log_gamma(a) + log_gamma(half) - log_gamma(a + half)
        if not x:
            return half
        front = (a * outer.ln() + half * inner.ln() - log_beta).exp()
        near, first = (inner, half) if inner <= half else (outer, a)
        term = total = Decimal(1)
        k = 0
        while term > total * Decimal("1e-45"):
            # B_x(p, q) = x^p (1 - x)^q / p * sum of (p + q)_k / (p + 1)_k x^k
            term = term * (a + half + k) / (first + 1 + k) * near
            total += term
            k += 1
        part = front / first * total
        inside = part if inner <= half else 1 - part
        return half + half * (inside if t > 0 else -inside)


@pytest.mark.parametrize("z", NORMAL_AT)
def test_normal(z: float) -> None:
    out = np.empty(1)
    distributions.normal_values(np.array([z]), out)
    exact = exact_normal(z)
    assert abs(Decimal(out[0]) - exact) < Decimal("3e-16")
    assert abs(Decimal(out[0]) / exact - 1) < Decimal("3e-13")


@pytest.mark.parametrize("degrees", DEGREES)
def test_student(degrees: float) -> None:
    out = student(np.array(STUDENT_AT), degrees)
    for t, value in zip(STUDENT_AT, out.tolist(), strict=True):
        assert abs(Decimal(value) - exact_student(t, degrees)) < Decimal("1e-13" if degrees <= 100 else "1e-12")


def test_student_has_its_closed_forms() -> None:
    t: Floats = np.linspace(-50.0, 50.0, 999, dtype=np.float64)
    assert np.abs(student(t, 1.0) - (0.5 + np.arctan(t) / math.pi)).max() < 1e-15
    assert np.abs(student(t, 2.0) - (0.5 + t / (2 * np.sqrt(2 + t * t)))).max() < 1e-15


def student(t: Floats, degrees: float) -> Floats:
    out = np.empty_like(t)
    distributions.student_values(t, degrees, distributions.log_beta_of(degrees), out)
    return out


def test_back_ends_give_the_same_bits() -> None:
    random = np.random.default_rng(7)
    values = np.concatenate(
        [np.linspace(-40, 40, 4001), random.normal(0, 2, 4000), 10.0 ** random.uniform(-200, 9, 500)]
    )
    out = np.empty_like(values)
    distributions.normal_values(values, out)
    assert np.array_equal(out, distributions_reference.normal(values))
    for degrees in DEGREES:
        assert np.array_equal(student(values, degrees), distributions_reference.student(values, degrees))


@pytest.mark.parametrize("degrees", [0.25, 3.0])
def test_symmetry_and_ends(degrees: float) -> None:
    z: Floats = np.linspace(0.0, 9.0, 301, dtype=np.float64)
    normal = np.empty_like(z), np.empty_like(z)
    distributions.normal_values(z, normal[0])
    distributions.normal_values(-z, normal[1])
    assert np.abs(normal[0] + normal[1] - 1).max() <= 2.3e-16
    both_tails: Floats = student(z, degrees) + student(-z, degrees)
    assert np.abs(both_tails - 1).max() <= 2.3e-16
    assert (np.diff(normal[0]) >= 0).all()
    assert student(np.array([1e200, -1e200]), degrees).tolist() == [1.0, 0.0]
