"""The functions of ``gpu.distributions`` over whole arrays in NumPy: the same operations, the same bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gpu import distributions as scalar
from gpu.columns import Floats


def exponential(x: Floats) -> Floats:
    """e^x; 0 below the smallest double."""
    kept = np.maximum(x, scalar.LEAST_EXPONENT)
    power = np.floor(kept * scalar.PER_LN2 + 0.5)
    rest = (kept - power * scalar.LN2_HIGH) - power * scalar.LN2_LOW
    total = np.ones_like(x)
    for term in range(scalar.EXP_TERMS, 0, -1):
        total = 1.0 + rest * total / term
    return np.where(x < scalar.LEAST_EXPONENT, 0.0, np.ldexp(total, power.astype(np.int32)))


def logarithm(x: Floats) -> Floats:
    """Natural logarithm of values above 0."""
    mantissa, exponent = np.frexp(x)
    small = mantissa < scalar.SQRT_HALF
    mantissa = np.where(small, mantissa * 2.0, mantissa)
    power = (exponent - small).astype(np.float64)
    ratio = (mantissa - 1.0) / (mantissa + 1.0)
    square = ratio * ratio
    total = np.zeros_like(x)
    for term in range(scalar.LOG_TERMS, -1, -1):
        total = 1.0 / (2 * term + 1) + square * total
    result: Floats = power * scalar.LN2_HIGH + (2.0 * ratio * total + power * scalar.LN2_LOW)
    return result


def normal(z: Floats) -> Floats:
    """Normal distribution function."""
    x = np.abs(z) * scalar.SQRT_HALF
    return np.where(x < scalar.SERIES_BELOW, _by_series(z, np.minimum(x, scalar.SERIES_BELOW)), _by_fraction(z, x))


def _by_series(z: Floats, x: Floats) -> Floats:
    square = x * x
    total = np.ones_like(x)
    for term in range(scalar.SERIES_TERMS, 0, -1):
        total = 1.0 + 2.0 * square * total / (2 * term + 1)
    half = 0.5 * (scalar.TWO_PER_SQRT_PI * exponential(-square) * (x * total))
    return np.where(z >= 0.0, 0.5 + half, 0.5 - half)


def _by_fraction(z: Floats, x: Floats) -> Floats:
    x = np.maximum(x, scalar.SERIES_BELOW)
    fraction = x.copy()
    for term in range(scalar.FRACTION_TERMS, 0, -1):
        fraction = x + 0.5 * term / fraction
    tail = 0.5 * (scalar.PER_SQRT_PI * exponential(-(x * x)) / fraction)
    return np.where(z >= 0.0, 1.0 - tail, tail)


def student(t: Floats, degrees: float) -> Floats:
    """Student's t distribution function."""
    square = t * t
    a = 0.5 * degrees
    outer, inner = degrees / (degrees + square), square / (degrees + square)
    usable = (square != 0.0) & (outer != 0.0) & ~np.isnan(t)
    safe_outer, safe_inner = np.where(usable, outer, 0.5), np.where(usable, inner, 0.5)
    logs = a * logarithm(safe_outer) + 0.5 * logarithm(safe_inner) - scalar.log_beta_of(degrees)
    front = exponential(logs)
    near = safe_outer < (a + 1.0) / (a + 2.5)
    first, second = np.where(near, a, 0.5), np.where(near, 0.5, a)
    part = front * _beta_fraction(first, second, np.where(near, safe_outer, safe_inner)) / first
    both = np.where(near, part, 1.0 - part)
    result = np.where(t > 0.0, 1.0 - 0.5 * both, 0.5 * both)
    result = np.where(square == 0.0, 0.5, np.where(outer == 0.0, np.where(t > 0.0, 1.0, 0.0), result))
    return np.where(np.isnan(t), np.nan, result)


def _away_from_zero(values: Floats) -> Floats:
    return np.where(np.abs(values) < scalar.TINY, scalar.TINY, values)


def _beta_fraction(a: Floats, b: Floats, x: Floats) -> Floats:
    c = np.ones_like(x)
    d = 1.0 / _away_from_zero(1.0 - (a + b) * x / (a + 1.0))
    product = d
    going: NDArray[np.bool_] = np.ones(len(x), dtype=np.bool_)
    for term in range(1, scalar.BETA_TERMS):
        even = term * (b - term) * x / ((a + 2.0 * term - 1.0) * (a + 2.0 * term))
        d = 1.0 / _away_from_zero(1.0 + even * d)
        c = _away_from_zero(1.0 + even / c)
        middle = product * (d * c)
        odd = -(a + term) * (a + b + term) * x / ((a + 2.0 * term) * (a + 2.0 * term + 1.0))
        d = 1.0 / _away_from_zero(1.0 + odd * d)
        c = _away_from_zero(1.0 + odd / c)
        step = d * c
        product = np.where(going, middle * step, product)
        going = going & ~(np.abs(step - 1.0) < 1e-16)
        if not going.any():
            break
    return product
