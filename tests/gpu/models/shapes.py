"""Small models of every kind, and rows for them."""

from __future__ import annotations

from typing import Final

import numpy as np

from gpu.models.architecture import Architecture, Bilinear, DeepLob, Lstm, Transformer
from gpu.models.weights import Singles

SMALL: Final[dict[str, Architecture]] = {
    "deeplob": DeepLob(levels=2, filters=2, inception=3, hidden=4, window=27),
    "lstm": Lstm(features=8, layers=2, hidden=5, window=9),
    "bilinear": Bilinear(features=8, width=4, moments=3, window=12),
    "transformer": Transformer(features=8, width=12, heads=3, blocks=2, expanded=9, window=12),
}


def rows_for(architecture: Architecture, windows: int, seed: int = 7) -> Singles:
    """Rows that make so many windows."""
    random = np.random.default_rng(seed)
    shape = (architecture.window + windows - 1, architecture.features)
    return random.standard_normal(shape).astype(np.float32)


def windows_of(architecture: Architecture, rows: Singles) -> Singles:
    """Every window of rows."""
    count = len(rows) - architecture.window + 1
    return np.stack([rows[first : first + architecture.window] for first in range(count)])
