"""Products of matrices whose sums have one order, so that neither threads nor libraries change a bit of a fit."""

from __future__ import annotations

import numpy as np

from market.errors import Fatal
from market.native.kernel import entry
from orchestrator.research.datasets.labels import Floats


@entry("void(float64[:, ::1], float64[:, ::1], float64[:, ::1])")
def _multiply(left: Floats, right: Floats, out: Floats) -> None:
    for row in range(left.shape[0]):
        for inner in range(left.shape[1]):
            factor = left[row, inner]
            for column in range(right.shape[1]):
                out[row, column] += factor * right[inner, column]


@entry("void(float64[:, ::1], float64[::1], float64[:, ::1])")
def _add_weighted_squares(rows: Floats, shares: Floats, out: Floats) -> None:
    for row in range(rows.shape[0]):
        for one in range(rows.shape[1]):
            factor = shares[row] * rows[row, one]
            for two in range(rows.shape[1]):
                out[one, two] += factor * rows[row, two]


@entry("int64(float64[:, ::1], float64[::1])")
def _solve(matrix: Floats, vector: Floats) -> int:
    """Cholesky factor into the lower half of ``matrix``, solution into ``vector``; 0 if it is not positive."""
    size = vector.shape[0]
    for row in range(size):
        for column in range(row + 1):
            total = matrix[row, column]
            for inner in range(column):
                total -= matrix[row, inner] * matrix[column, inner]
            if row != column:
                matrix[row, column] = total / matrix[column, column]
            elif total > 0:
                matrix[row, row] = np.sqrt(total)
            else:
                return 0
    for row in range(size):
        total = vector[row]
        for inner in range(row):
            total -= matrix[row, inner] * vector[inner]
        vector[row] = total / matrix[row, row]
    for row in range(size - 1, -1, -1):
        total = vector[row]
        for inner in range(row + 1, size):
            total -= matrix[inner, row] * vector[inner]
        vector[row] = total / matrix[row, row]
    return 1


def product(left: Floats, right: Floats) -> Floats:
    """float64[n, k] of float64[n, m] and float64[m, k]."""
    out: Floats = np.zeros((left.shape[0], right.shape[1]))
    _multiply(np.ascontiguousarray(left), np.ascontiguousarray(right), out)
    return out


def weighted_squares(rows: Floats, shares: Floats) -> Floats:
    """float64[m, m]: the sum over rows of share times row times row, of float64[n, m] and float64[n]."""
    out: Floats = np.zeros((rows.shape[1], rows.shape[1]))
    _add_weighted_squares(np.ascontiguousarray(rows), np.ascontiguousarray(shares), out)
    return out


def solved(matrix: Floats, vector: Floats) -> Floats:
    """The solution of a symmetric positive system; raises Fatal when the matrix is not positive."""
    solution: Floats = vector.copy()
    if not _solve(np.ascontiguousarray(matrix).copy(), solution):
        raise Fatal("the curvature of the loss is not positive: features or penalty are out of range")
    return solution
