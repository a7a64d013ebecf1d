"""The probability of backtest overfitting: how often the best in one half of the time is below the middle in the other.

Bailey, Borwein, López de Prado and Zhu, The Probability of Backtest Overfitting, Journal of Computational Finance 20
(4), 2015: combinatorially symmetric cross-validation (CSCV). Performance is the Sharpe ratio per sample.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
_AT_ONCE: Final = 1_000_000
"""Numbers of a chunk of combinations."""


@dataclass(frozen=True)
class Overfitting:
    """What all halves of the time say.

    Parameters
    ----------
    probability: share of halves whose best trial was not above the median of all trials in the other half, 0 to 1.
    loss_probability: share in which it lost there. median_logit: of its relative rank there; above 0 is good.
    trials, blocks, combinations: what was compared.
    """

    probability: float
    loss_probability: float
    median_logit: float
    trials: int
    blocks: int
    combinations: int


def overfitting_probability(changes: Matrix, blocks: int) -> Overfitting | None:
    """The probability of overfitting of a choice among trials.

    Parameters
    ----------
    changes: float64[samples, trials], no two trials alike. blocks: equal, even in number; samples that are left over at
        the beginning do not count.

    None for fewer than two trials, or fewer than two samples in a block.
    """
    samples, trials = changes.shape
    length = samples // blocks
    if trials < 2 or length < 2:
        return None
    parts = changes[samples - blocks * length :].reshape(blocks, length, trials)
    # About the mean of each trial, so that squares of large numbers are not subtracted from each other.
    centre = parts.mean(axis=(0, 1))
    sums, squares = (parts - centre).sum(axis=1), ((parts - centre) ** 2).sum(axis=1)
    halves = np.array(list(itertools.combinations(range(blocks), blocks // 2)))
    logits: list[Matrix] = []
    losses = 0
    step = max(1, _AT_ONCE // (blocks * trials))
    for start in range(0, len(halves), step):
        inside = np.zeros((len(halves[start : start + step]), blocks))
        np.put_along_axis(inside, halves[start : start + step], 1.0, axis=1)
        within = _ratios(inside @ sums, inside @ squares, centre, length * blocks // 2)
        beyond = _ratios((1 - inside) @ sums, (1 - inside) @ squares, centre, length * blocks // 2)
        best = within.argmax(axis=1)
        chosen = np.take_along_axis(beyond, best[:, None], axis=1)
        # Ties count half: who is equal to all others stands in the middle.
        rank = (beyond < chosen).sum(axis=1) + ((beyond == chosen).sum(axis=1) + 1) / 2
        relative = rank / (trials + 1)
        logits.append(np.log(relative / (1 - relative)))
        losses += int((chosen[:, 0] < 0).sum())
    found = np.concatenate(logits)
    return Overfitting(
        probability=float((found <= 0).mean()),
        loss_probability=losses / len(found),
        median_logit=float(np.median(found)),
        trials=trials,
        blocks=blocks,
        combinations=math.comb(blocks, blocks // 2),
    )


def _ratios(sums: Matrix, squares: Matrix, centre: Matrix, count: int) -> Matrix:
    """Sharpe ratios from sums about a centre; 0 without deviation."""
    variance = (squares - sums**2 / count) / (count - 1)
    # Rounding leaves a little of squares that are all alike.
    alive = variance > 1e-14 * np.maximum(squares / count, centre**2)
    mean = sums / count + centre
    ratios: Matrix = np.where(alive, mean / np.sqrt(np.where(alive, variance, 1.0)), 0.0)
    return ratios


def distinct(columns: Iterable[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """One of all columns that are alike, in the order of the first ones."""
    found: dict[bytes, NDArray[np.float64]] = {}
    for column in columns:
        found.setdefault(hashlib.sha256(column.tobytes()).digest(), column)
    return list(found.values())
