"""The deflated Sharpe ratio: how probable it is that a winner's Sharpe ratio is not owed to the number of trials.

Bailey and López de Prado, The Deflated Sharpe Ratio: Correcting for Selection Bias, Backtest Overfitting and
Non-Normality, Journal of Portfolio Management 40 (5), 2014. Sharpe ratios are per sample, not annualised.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from orchestrator.optimizer.scores import sharpe
from orchestrator.optimizer.series import Changes

EULER_MASCHERONI: Final = 0.5772156649015329
_NORMAL: Final = NormalDist()


@dataclass(frozen=True)
class Deflated:
    """A winner's Sharpe ratio beside the one that luck alone would have brought.

    Parameters
    ----------
    probability: that the true ratio is above ``threshold``, 0 to 1; above 0.95 is usually asked for.
    sharpe, skewness, kurtosis: of the winner's samples, the kurtosis not in excess (3 for a normal distribution).
    threshold: highest ratio that is expected of so many trials of which none is any good.
    trials: as many as are counted as different. deviation: of their ratios.
    """

    probability: float
    sharpe: float
    threshold: float
    trials: int
    deviation: float
    skewness: float
    kurtosis: float


def deflated_sharpe(winner: Changes, ratios: Sequence[float], more_trials: int = 0) -> Deflated | None:
    """The deflated Sharpe ratio of the winner among trials.

    Parameters
    ----------
    ratios: the Sharpe ratio of each trial, the winner's among them, one for trials that did the same.
    more_trials: those whose ratio is not known, as they were ended early; they count, with the deviation of the others.

    None for fewer than two samples, or samples without deviation.
    """
    if len(winner) < 2 or not float(np.std(winner)):
        return None
    deviation = float(np.std(np.array(ratios), ddof=1)) if len(ratios) > 1 else 0.0
    trials = len(ratios) + more_trials
    threshold = expected_maximum(deviation, trials)
    skewness, kurtosis = _moment(winner, 3), _moment(winner, 4)
    ratio = sharpe(winner)
    return Deflated(
        probability=probabilistic_sharpe(ratio, threshold, len(winner), skewness, kurtosis),
        sharpe=ratio,
        threshold=threshold,
        trials=trials,
        deviation=deviation,
        skewness=skewness,
        kurtosis=kurtosis,
    )


def expected_maximum(deviation: float, trials: int) -> float:
    """Expected highest Sharpe ratio of independent trials whose true ratio is 0; 0 for a single one."""
    if trials < 2:
        return 0.0
    first = _NORMAL.inv_cdf(1 - 1 / trials)
    second = _NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    return deviation * ((1 - EULER_MASCHERONI) * first + EULER_MASCHERONI * second)


def probabilistic_sharpe(ratio: float, benchmark: float, samples: int, skewness: float, kurtosis: float) -> float:
    """Probability that the true Sharpe ratio is above a benchmark, given an estimate of it from so many samples."""
    spread = 1 - skewness * ratio + (kurtosis - 1) / 4 * ratio**2
    distance = (ratio - benchmark) * math.sqrt(samples - 1)
    if spread <= 0:
        return 0.5 if not distance else float(distance > 0)
    return _NORMAL.cdf(distance / math.sqrt(spread))


def _moment(changes: Changes, order: int) -> float:
    """Standardised central moment, of the population."""
    centred = changes - np.mean(changes)
    return float(np.mean(centred**order) / np.mean(centred**2) ** (order / 2))
