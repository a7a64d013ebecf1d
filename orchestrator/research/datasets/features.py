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


class Form(Enum):
    """How levels become features."""

    RELATIVE = "relative"
    """Prices as distance from the mid in ticks, quantities as ``log(1 + lots)``."""
    ABSOLUTE = "absolute"
    """Ticks and lots as they are."""
    FLOW = "flow"
    """Order flow of each level since the row before in place of its price, quantities as ``log(1 + lots)``."""


def feature_names(levels: int, form: Form = Form.RELATIVE) -> tuple[str, ...]:
    """Names of the columns: ``ask_price_1``, ``ask_quantity_1``, ``bid_price_1``, ``bid_quantity_1``, ..."""
    first = "flow" if form is Form.FLOW else "price"
    columns = [f"{side}_{value}" for side in ("ask", "bid") for value in (first, "quantity")]
    return tuple(f"{column}_{level}" for level in range(1, levels + 1) for column in columns)


def rows_before(segments: Words, rows: Words) -> Words:
    """For each of some rows the number of the one before it in its segment; its own where there is none."""
    before = np.maximum(rows - 1, 0)
    found: Words = np.where(segments[before] == segments[rows], before, rows)
    return found


def raw_features(book: Rows, before: Rows, form: Form) -> Floats:
    """float64[n, 4 * levels] of rows of ``BookRows.book``.

    Parameters
    ----------
    before: as many rows, each the one before in its segment; the row itself at the beginning of one.
    """
    features: Floats = book.astype(np.float64)
    if form is Form.ABSOLUTE:
        return features
    if form is Form.RELATIVE:
        middles = 0.5 * (book[:, 0] + book[:, 2])
        features[:, 0::2] -= middles[:, None]
    else:
        for side, better in ((slice(0, None, 4), -1), (slice(2, None, 4), 1)):
            features[:, side] = _signed_log(_order_flow(book, before, side, better))
    features[:, 1::2] = np.log1p(features[:, 1::2])
    return features


def row_features(book: Rows, segments: Words, form: Form) -> Floats:
    """float64[n, 4 * levels] of rows that follow one another; the first of each segment has no flow."""
    return raw_features(book, book[rows_before(segments, np.arange(len(book)))] if form is Form.FLOW else book, form)


def _order_flow(book: Rows, before: Rows, side: slice, better: int) -> Rows:
    """int64[n, levels]: lots that came to a level less those that left it.

    ``q`` where the price has become better, ``q - q before`` where it is the same, ``- q before`` where it is worse
    (Cont, Kukanov and Stoikov, "The price impact of order book events", Journal of Financial Econometrics 12(1), 2014;
    Kolm, Turiel and Westray, "Deep order flow imbalance", Mathematical Finance 33(4), 2023, of all levels).
    """
    lots = slice(side.start + 1, None, VALUES_PER_LEVEL)
    moved = better * (book[:, side] - before[:, side])
    found: Rows = np.where(moved >= 0, book[:, lots], 0) - np.where(moved <= 0, before[:, lots], 0)
    return found


def _signed_log(values: Rows) -> Floats:
    found: Floats = np.sign(values) * np.log1p(np.abs(values))
    return found


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


def fit_normalisation(book: Rows, segments: Words, rows: Words, form: Form) -> Normalisation:
    """The normalisation of some rows, which alone decide it, with what came before them.

    Parameters
    ----------
    book: int64[n, 4 * levels], in memory or mapped. segments: int64[n]. rows: their numbers, at least one.

    Raises Rejected without rows.
    """
    if not len(rows):
        raise Rejected("the training part has no rows to fit the normalisation on")
    before = rows_before(segments, rows)
    total = np.zeros(book.shape[1])
    for part in _parts(book, before, rows, form):
        total += part.sum(axis=0)
    means = total / len(rows)
    squares = np.zeros(book.shape[1])
    for part in _parts(book, before, rows, form):
        squares += ((part - means) ** 2).sum(axis=0)
    deviations = np.sqrt(squares / len(rows))
    # What rounding alone leaves of a feature that never changed.
    changed = deviations > _ROUNDING * np.maximum(1.0, np.abs(means))
    return Normalisation(tuple(means.tolist()), tuple(np.where(changed, deviations, 1.0).tolist()))


def _parts(book: Rows, before: Words, rows: Words, form: Form) -> Iterator[Floats]:
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        chosen = slice(first, first + _ROWS_AT_ONCE)
        yield raw_features(np.asarray(book[rows[chosen]]), np.asarray(book[before[chosen]]), form)
