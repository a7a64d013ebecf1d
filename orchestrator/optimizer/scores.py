"""What equity that changes from sample to sample is worth."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from config.optimizer import Objective
from market.wire.records import Words
from orchestrator.backtest.performance import SECONDS_PER_YEAR
from orchestrator.optimizer.series import Changes


def sharpe(changes: Changes) -> float:
    """Mean over deviation (n - 1) of the changes per sample; 0 where there is no deviation but that of rounding."""
    if len(changes) < 2:
        return 0.0
    mean, deviation = float(np.mean(changes)), float(np.std(changes, ddof=1))
    return mean / deviation if deviation > _ROUNDING * abs(mean) else 0.0


def sortino(changes: Changes) -> float:
    """Mean over the root of the mean square of the losses; 1e9 for gains without any loss, 0 without changes."""
    if not len(changes):
        return 0.0
    mean, losses = float(np.mean(changes)), math.sqrt(float(np.mean(np.minimum(changes, 0.0) ** 2)))
    if losses:
        return mean / losses
    return _WITHOUT_LOSS if mean else 0.0


def gain(changes: Changes) -> float:
    """Sum of the changes, in their currency."""
    return math.fsum(changes)


def drawdown(changes: Changes) -> float:
    """Largest fall from the highest equity before, which is at least 0 at the start."""
    if not len(changes):
        return 0.0
    equity = np.cumsum(changes)
    highest = np.maximum(np.maximum.accumulate(equity), 0.0)
    return max(0.0, float(np.max(highest - equity)))


def gain_per_drawdown(changes: Changes) -> float:
    """Gain over the largest fall; 1e9 for a gain without any fall, 0 without changes."""
    made, fall = gain(changes), drawdown(changes)
    if fall:
        return made / fall
    return _WITHOUT_LOSS if made else 0.0


_WITHOUT_LOSS: Final = 1e9
_ROUNDING: Final = 1e-9
OBJECTIVES: Final[Mapping[Objective, Callable[[Changes], float]]] = MappingProxyType(
    {
        Objective.SHARPE: sharpe,
        Objective.SORTINO: sortino,
        Objective.GAIN: gain,
        Objective.GAIN_PER_DRAWDOWN: gain_per_drawdown,
    }
)


@dataclass(frozen=True)
class Scores:
    """How some samples of a run were.

    Parameters
    ----------
    objective: of the search, as its trials were compared by. gain, drawdown: in the currency.
    sharpe: per sample; sharpe_per_year: times the root of the samples in 365 days. Both 0 without deviation.
    trades: fills that made a position smaller. samples: how many there are.
    """

    objective: float
    gain: float
    drawdown: float
    sharpe: float
    sharpe_per_year: float
    trades: int
    samples: int


def scores(objective: Objective, changes: Changes, trades: Words, interval_ns: int) -> Scores:
    """The scores of samples of a length."""
    ratio = sharpe(changes)
    return Scores(
        objective=OBJECTIVES[objective](changes),
        gain=gain(changes),
        drawdown=drawdown(changes),
        sharpe=ratio,
        sharpe_per_year=ratio * math.sqrt(SECONDS_PER_YEAR * 1e9 / interval_ns),
        trades=int(trades.sum()),
        samples=len(changes),
    )
