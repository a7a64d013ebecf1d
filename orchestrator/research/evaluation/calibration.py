"""Whether predictions come true as often as they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from market.errors import Rejected
from orchestrator.research.datasets.labels import Floats

BINS: Final = 10


@dataclass(frozen=True)
class Reliability:
    """Samples by confidence, the probability of the predicted class, in bins of equal width from 0 to 1.

    Parameters
    ----------
    counts, confidences, rights: float64[..., bins]: samples, the sum of their confidences, and how many were right.
    """

    counts: Floats
    confidences: Floats
    rights: Floats

    @property
    def error(self) -> Floats:
        """float64[...]: expected calibration error, mean of ``|accuracy - confidence|`` by bin, weighted by samples."""
        found: Floats = np.abs(self.rights - self.confidences).sum(axis=-1) / self.counts.sum(axis=-1)
        return found


def reliability_columns(confidences: Floats, right: np.typing.NDArray[np.bool_], bins: int = BINS) -> Floats:
    """float64[n, 3 * bins]: what each sample adds to counts, confidences and rights; sums make a ``Reliability``.

    Raises Rejected for a confidence outside 0 to 1. A confidence at an edge is of the upper bin, 1 of the last.
    """
    outside = np.flatnonzero(~((confidences >= 0) & (confidences <= 1 + 1e-12)))
    if len(outside):
        raise Rejected(f"confidences[{outside[0]}] is {confidences[outside[0]]}: must be 0 to 1")
    columns: Floats = np.zeros((len(confidences), 3, bins))
    chosen = np.minimum((confidences * bins).astype(np.int64), bins - 1)
    rows = np.arange(len(confidences))
    columns[rows, 0, chosen] = 1.0
    columns[rows, 1, chosen] = confidences
    columns[rows, 2, chosen] = right
    return columns.reshape(len(confidences), 3 * bins)


def reliability(sums: Floats) -> Reliability:
    """Of sums of ``reliability_columns``, float64[..., 3 * bins]."""
    split = sums.reshape(*sums.shape[:-1], 3, -1)
    return Reliability(split[..., 0, :], split[..., 1, :], split[..., 2, :])
