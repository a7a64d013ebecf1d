"""What models see of a book's rows."""

from __future__ import annotations

from typing import Final

import numpy as np

from gpu.models.weights import Singles
from market.wire.records import Rows
from orchestrator.research.datasets.features import Form, Normalisation, raw_features

LIMIT: Final = 4.0
"""Largest size of a normalised feature.

The best price is seldom further from the mid than half a tick, so that its deviation is tiny and a moment's wide spread
would be hundreds of deviations: one row would drown all others.
"""


def model_inputs(book: Rows, form: Form, normalisation: Normalisation) -> Singles:
    """float32[n, 4 * levels] of int64[n, 4 * levels] rows of a book: z-scores, at most LIMIT in size."""
    scores = normalisation.apply(raw_features(book, form))
    return np.clip(scores, -LIMIT, LIMIT).astype(np.float32)
