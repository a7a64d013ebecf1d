"""What models see of a book's rows."""

from __future__ import annotations

from typing import Final

import numpy as np

from gpu.models.weights import Singles
from market.wire.records import Rows, Words
from orchestrator.research.datasets.features import Form, Normalisation, row_features

LIMIT: Final = 4.0
"""Largest size of a normalised feature.

The best price is seldom further from the mid than half a tick, so that its deviation is tiny and a moment's wide spread
would be hundreds of deviations: one row would drown all others.
"""


def model_inputs(book: Rows, segments: Words, form: Form, normalisation: Normalisation) -> Singles:
    """float32[n, 4 * levels] of int64[n, 4 * levels] rows that follow one another: z-scores, at most LIMIT in size.

    Parameters
    ----------
    segments: int64[n]; the first row of each is taken as the first there is.
    """
    scores = normalisation.apply(row_features(book, segments, form))
    return np.clip(scores, -LIMIT, LIMIT).astype(np.float32)
