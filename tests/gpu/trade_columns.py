"""Trades for tests: generated columns, and parts of them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from gpu.columns import Trades


def trades_of(**columns: Any) -> Trades:
    """Trades from lists."""
    return Trades(**columns)


def random_trades(rows: int, seed: int = 1, *, largest_lots: int = 400) -> Trades:
    """Trades with a random walk of prices, all sides, and quotes that are missing now and then."""
    random = np.random.default_rng(seed)
    prices = np.maximum(1, 5_000 + np.cumsum(random.integers(-3, 4, rows)))
    spread = random.integers(1, 4, rows)
    bids = np.where(random.random(rows) < 0.1, 0, prices - random.integers(0, 3, rows))
    return Trades(
        times_ns=np.cumsum(random.integers(0, 40_000_000, rows)),
        prices=prices,
        quantities=random.integers(1, largest_lots + 1, rows),
        aggressors=random.integers(0, 3, rows).astype(np.int8),
        bids=bids,
        asks=np.where(bids > 0, bids + spread, 0),
    )


def parts_of(trades: Trades, seed: int, count: int) -> list[Trades]:
    """The trades cut at random places; some parts may be empty."""
    random = np.random.default_rng(seed)
    cuts = sorted(random.integers(0, len(trades) + 1, count).tolist())
    return [trades.part(start, end) for start, end in pairwise([0, *cuts, len(trades)])]
