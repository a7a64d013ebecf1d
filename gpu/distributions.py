"""The normal and Student's t distribution function, compiled, in float64.

Only additions, multiplications, divisions, square roots and exact scalings by powers of two are used, in a fixed order,
so that every back end and processor gives the same bits: a library's own exp, log or erf would not. Absolute errors
against 50-digit references are below 1e-15 (normal) and 1e-12 (Student); see ``docs/vpin.md``.

Normal: ``(1 + erf(z / sqrt 2)) / 2``, erf by its series (DLMF 7.6.2) for small arguments, erfc by its continued
fraction (DLMF 7.9.1) for large ones. Student: the regularised incomplete beta function (DLMF 8.17), by its continued
fraction (8.17.22) with modified Lentz steps.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from gpu.columns import Floats
from market.native.kernel import entry, inline, part

SMALLEST_DEGREES: Final = 0.05
LARGEST_DEGREES: Final = 1000.0

LN2_HIGH: Final = 6.93147180369123816490e-01
LN2_LOW: Final = 1.90821492927058770002e-10
"""Their sum is ln 2 to 33 further bits; products of LN2_HIGH with exponents are exact."""
PER_LN2: Final = 1.4426950408889634
SQRT_HALF: Final = 0.7071067811865476
TWO_PER_SQRT_PI: Final = 1.1283791670955126
PER_SQRT_PI: Final = 0.5641895835477563
SERIES_BELOW: Final = 2.0
SERIES_TERMS: Final = 48
FRACTION_TERMS: Final = 96
EXP_TERMS: Final = 14
LOG_TERMS: Final = 12
BETA_TERMS: Final = 400
TINY: Final = 1e-300
LEAST_EXPONENT: Final = -745.0


@inline
def exponential(x: float) -> float:
    """e^x for x up to about 700; 0 below the smallest double."""
    if x < LEAST_EXPONENT:
        return 0.0
    power = math.floor(x * PER_LN2 + 0.5)
    rest = (x - power * LN2_HIGH) - power * LN2_LOW
    total = 1.0
    for term in range(EXP_TERMS, 0, -1):
        total = 1.0 + rest * total / term
    return math.ldexp(total, int(power))


@inline
def logarithm(x: float) -> float:
    """Natural logarithm of x above 0."""
    mantissa, power = math.frexp(x)
    if mantissa < SQRT_HALF:
        mantissa *= 2.0
        power -= 1
    ratio = (mantissa - 1.0) / (mantissa + 1.0)
    square = ratio * ratio
    total = 0.0
    for term in range(LOG_TERMS, -1, -1):
        total = 1.0 / (2 * term + 1) + square * total
    return power * LN2_HIGH + (2.0 * ratio * total + power * LN2_LOW)


@part
def normal(z: float) -> float:
    """Normal distribution function; NaN for NaN."""
    x = abs(z) * SQRT_HALF
    square = x * x
    if x < SERIES_BELOW:
        total = 1.0
        for term in range(SERIES_TERMS, 0, -1):
            total = 1.0 + 2.0 * square * total / (2 * term + 1)
        half = 0.5 * (TWO_PER_SQRT_PI * exponential(-square) * (x * total))
        return 0.5 + half if z >= 0.0 else 0.5 - half
    fraction = x
    for term in range(FRACTION_TERMS, 0, -1):
        fraction = x + 0.5 * term / fraction
    tail = 0.5 * (PER_SQRT_PI * exponential(-square) / fraction)
    return 1.0 - tail if z >= 0.0 else tail


@inline
def _away_from_zero(value: float) -> float:
    return TINY if abs(value) < TINY else value


@inline
def _beta_fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of the incomplete beta function."""
    c = 1.0
    d = 1.0 / _away_from_zero(1.0 - (a + b) * x / (a + 1.0))
    product = d
    for term in range(1, BETA_TERMS):
        even = term * (b - term) * x / ((a + 2.0 * term - 1.0) * (a + 2.0 * term))
        d = 1.0 / _away_from_zero(1.0 + even * d)
        c = _away_from_zero(1.0 + even / c)
        product = product * (d * c)
        odd = -(a + term) * (a + b + term) * x / ((a + 2.0 * term) * (a + 2.0 * term + 1.0))
        d = 1.0 / _away_from_zero(1.0 + odd * d)
        c = _away_from_zero(1.0 + odd / c)
        step = d * c
        product = product * step
        if abs(step - 1.0) < 1e-16:
            break
    return product


@part
def student(t: float, degrees: float, log_beta: float) -> float:
    """Student's t distribution function; ``log_beta`` is that of ``log_beta_of(degrees)``. NaN for NaN."""
    square = t * t
    if square == 0.0:
        return 0.5
    a = 0.5 * degrees
    outer = degrees / (degrees + square)
    inner = square / (degrees + square)
    if outer == 0.0:
        return 1.0 if t > 0.0 else 0.0
    front = exponential(a * logarithm(outer) + 0.5 * logarithm(inner) - log_beta)
    if outer < (a + 1.0) / (a + 2.5):
        both = front * _beta_fraction(a, 0.5, outer) / a
    else:
        both = 1.0 - front * _beta_fraction(0.5, a, inner) / 0.5
    return 1.0 - 0.5 * both if t > 0.0 else 0.5 * both


def log_beta_of(degrees: float) -> float:
    """Logarithm of the beta function of half the degrees and a half; computed once, by the host, for every back end."""
    a = 0.5 * degrees
    return math.lgamma(a) + math.lgamma(0.5) - math.lgamma(a + 0.5)


@entry("void(float64[::1], float64[::1])")
def normal_values(z: Floats, out: Floats) -> None:
    """Normal distribution function of each value."""
    for index in range(len(z)):
        out[index] = normal(z[index])


@entry("void(float64[::1], float64, float64, float64[::1])")
def student_values(t: Floats, degrees: float, log_beta: float, out: Floats) -> None:
    """Student's t distribution function of each value."""
    for index in range(len(t)):
        out[index] = np.nan if np.isnan(t[index]) else student(t[index], degrees, log_beta)
