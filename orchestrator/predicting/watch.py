"""Whether a model may still be believed: are its inputs those of its training, and does it come true as it says?"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gpu.models.weights import Singles
from orchestrator.predicting.engines import Answer
from orchestrator.research.datasets.labels import Move
from orchestrator.research.evaluation.calibration import reliability, reliability_columns
from orchestrator.research.models.card import DECILES, Card, bins_of

_BINS: Final = DECILES + 1
_LEAST: Final = 0.5
"""Counted in addition in every bin, so that an empty one has a logarithm."""


class Drift:
    """How far the newest inputs are from those of the training: the population stability index, mean over features.

    ``sum over bins of (now - then) * ln(now / then)``, bins between deciles of the training.
    """

    def __init__(self, card: Card, rows: int) -> None:
        self._deciles = np.array(card.deciles)
        self._shares = np.array(card.shares)
        self._ring: NDArray[np.int8] = np.zeros((rows, len(self._deciles)), dtype=np.int8)
        self._counts = np.zeros((len(self._deciles), _BINS))
        self._features = np.arange(len(self._deciles))
        self._taken = 0

    @property
    def is_full(self) -> bool:
        """Whether there are enough rows to compare."""
        return self._taken >= len(self._ring)

    def take(self, row: Singles) -> None:
        """One more row, float32[features]."""
        place = self._taken % len(self._ring)
        if self.is_full:
            self._counts[self._features, self._ring[place]] -= 1
        self._ring[place] = bins_of(row[None], self._deciles)[0]
        self._counts[self._features, self._ring[place]] += 1
        self._taken += 1

    def index(self) -> float:
        """The index now; 0 without rows."""
        rows = min(self._taken, len(self._ring))
        now = (self._counts + _LEAST) / (rows + _LEAST * _BINS)
        then = (self._shares * rows + _LEAST) / (rows + _LEAST * _BINS)
        return float(((now - then) * np.log(now / then)).sum(axis=1).mean())


@dataclass(frozen=True)
class Judged:
    """A prediction that has come true or not."""

    answer: Answer
    label: int

    @property
    def said(self) -> int:
        """The most probable class."""
        return max(range(len(self.answer)), key=lambda move: self.answer[move])

    @property
    def is_right(self) -> bool:
        """Whether it came."""
        return self.said == self.label


class Outcomes:
    """Labels of rows as they become known, and how the newest predictions fared.

    Parameters
    ----------
    horizon, alpha: of labels, as ``research.datasets.labels``. kept: newest predictions that calibration is of.

    Members
    -------
    judged: predictions so far. right: of these. sure, sure_right: those of up or down above ``act_above``.
    """

    def __init__(self, horizon: int, alpha: float, kept: int, act_above: float) -> None:
        self._horizon = horizon
        self._alpha = alpha
        self._act_above = act_above
        self._mids: deque[int] = deque(maxlen=horizon + 1)
        self._newest = -1
        self._open: deque[tuple[int, Answer]] = deque()
        self._recent: deque[Judged] = deque(maxlen=kept)
        self.judged = 0
        self.right = 0
        self.sure = 0
        self.sure_right = 0

    def interrupt(self) -> None:
        """The next row does not follow: labels that are not known yet never will be."""
        self._mids.clear()
        self._open.clear()

    def predicted(self, number: int, answer: Answer) -> None:
        """A prediction at the row of a number."""
        if self._newest - number < len(self._mids):
            self._open.append((number, answer))

    def take(self, number: int, double_mid: int) -> None:
        """The next row; settles the prediction of the row ``horizon`` before it."""
        self._mids.append(double_mid)
        self._newest = number
        if len(self._mids) <= self._horizon:
            return
        while self._open and self._open[0][0] < number - self._horizon:
            self._open.popleft()
        if self._open and self._open[0][0] == number - self._horizon:
            self._settle(self._open.popleft()[1])

    def calibration_error(self) -> float | None:
        """Of the newest predictions; None until there are as many as are kept."""
        if len(self._recent) < (self._recent.maxlen or 1):
            return None
        confidences = np.array([max(each.answer) for each in self._recent])
        right = np.array([each.is_right for each in self._recent])
        return float(reliability(reliability_columns(np.minimum(confidences, 1.0), right).sum(axis=0)).error)

    def _settle(self, answer: Answer) -> None:
        level = self._horizon * self._mids[0]
        move = (sum(self._mids) - self._mids[0] - level) / level
        label = Move.UP if move > self._alpha else Move.DOWN if move < -self._alpha else Move.SAME
        judged = Judged(answer, int(label))
        self._recent.append(judged)
        self.judged += 1
        self.right += judged.is_right
        if max(answer[Move.DOWN], answer[Move.UP]) > self._act_above:
            self.sure += 1
            self.sure_right += judged.is_right
