"""Numbers that models see: a book's levels in a form that has a scale, then z-scores fitted on the training part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np

from market.errors import Rejected
from market.wire.records import Rows, Words
from orchestrator.research.datasets.book_rows import VALUES_PER_LEVEL
from orchestrator.research.datasets.labels import Floats

_ROWS_AT_ONCE: Final = 1 << 16
_ROUNDING: Final = 1e-12
SIDES: Final = ("ask_price", "ask_quantity", "bid_price", "bid_quantity")


class Form(Enum):
    """How levels become features."""

    RELATIVE = "relative"
    """Prices as distance from the mid in ticks, quantities as ``log(1 + lots)``."""
    ABSOLUTE = "absolute"
    """Ticks and lots as they are."""


def feature_names(levels: int) -> tuple[str, ...]:
    """Names of the columns: ``ask_price_1``, ``ask_quantity_1``, ``bid_price_1``, ``bid_quantity_1``, ..."""
    return tuple(f"{side}_{level}" for level in range(1, levels + 1) for side in SIDES)


def raw_features(book: Rows, form: Form) -> Floats:
    """float64[n, 4 * levels] of rows of ``BookRows.book``; each row by itself."""
    features: Floats = book.astype(np.float64)
    if form is Form.RELATIVE:
        middles = 0.5 * (book[:, 0] + book[:, 2])
        features[:, 0::2] -= middles[:, None]
        features[:, 1::2] = np.log1p(features[:, 1::2])
    return features


def imbalances(book: Rows) -> Floats:
    """float64[n, 2]: ``(bid - ask) / (bid + ask)`` of the quantities of the best level, and of all levels."""
    bids, asks = book[:, 3::VALUES_PER_LEVEL], book[:, 1::VALUES_PER_LEVEL]
    pairs = [(bids[:, 0], asks[:, 0]), (bids.sum(axis=1), asks.sum(axis=1))]
    found: Floats = np.stack([(bid - ask) / np.maximum(bid + ask, 1) for bid, ask in pairs], axis=1)
    return found


@dataclass(frozen=True)
class Normalisation:
    """Mean and standard deviation of every feature; a feature that never changed has the deviation 1."""

    means: tuple[float, ...]
    deviations: tuple[float, ...]

    def apply(self, features: Floats) -> Floats:
        """z-scores, float64[n, features]."""
        if features.ndim != 2 or features.shape[1] != len(self.means):
            raise Rejected(f"features have the shape {features.shape}: must be (rows, {len(self.means)})")
        scores: Floats = (features - np.array(self.means)) / np.array(self.deviations)
        return scores


def fit_normalisation(book: Rows, rows: Words, form: Form) -> Normalisation:
    """The normalisation of some rows, which alone decide it.

    Parameters
    ----------
    book: int64[n, 4 * levels], in memory or mapped. rows: their numbers, at least one.

    Raises Rejected without rows.
    """
    if not len(rows):
        raise Rejected("the training part has no rows to fit the normalisation on")
    total = np.zeros(book.shape[1])
    for part in _parts(book, rows, form):
        total += part.sum(axis=0)
    means = total / len(rows)
    squares = np.zeros(book.shape[1])
    for part in _parts(book, rows, form):
        squares += ((part - means) ** 2).sum(axis=0)
    deviations = np.sqrt(squares / len(rows))
    # What rounding alone leaves of a feature that never changed.
    changed = deviations > _ROUNDING * np.maximum(1.0, np.abs(means))
    return Normalisation(tuple(means.tolist()), tuple(np.where(changed, deviations, 1.0).tolist()))


def _parts(book: Rows, rows: Words, form: Form) -> Iterator[Floats]:
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        yield raw_features(np.asarray(book[rows[first : first + _ROWS_AT_ONCE]]), form)
