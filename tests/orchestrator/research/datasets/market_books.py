"""Recordings of a book that moves, for datasets."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.orchestrator.replay.market_lines import line, spot_diff, write

LEVELS = 3


def levels(best: int, step: int, quantities: list[int]) -> str:
    """``[price, quantity]`` of levels from the best on; prices in ticks of 0.01."""
    return ",".join(f'["{(best + step * level) / 100:.2f}","{quantity}"]' for level, quantity in enumerate(quantities))


def whole_snapshot(update: int, bid: int = 6_170_000) -> str:
    bids, asks = levels(bid, -1, [2, 3, 4, 5]), levels(bid + 1, 1, [2, 3, 4, 5])
    return f'{{"lastUpdateId":{update},"bids":[{bids}],"asks":[{asks}]}}'


def moving_lines(count: int = 400, seed: int = 1, gap_at: int = -1, other_from: int = -1) -> list[str]:
    """A snapshot, then updates that move the book by a tick up or down; optionally one update is missing.

    From the update ``other_from`` on the book takes another way, with larger quantities.
    """
    random = np.random.default_rng(seed)
    bid, update = 6_170_000, 5
    lines = [line(0, spot_diff(1, update)), line(1, whole_snapshot(update, bid))]
    most = 9
    for step in range(count):
        if step == other_from:
            random, most = np.random.default_rng(seed + 1), 90
        if step == gap_at:
            update += 3
        move = int(random.integers(-1, 2))
        old, bid = bid, bid + move
        removed_bids = levels(old, -1, [0, 0, 0, 0]) if move else ""
        removed_asks = levels(old + 1, 1, [0, 0, 0, 0]) if move else ""
        bids = levels(bid, -1, random.integers(1, most, 4).tolist())
        asks = levels(bid + 1, 1, random.integers(1, most, 4).tolist())
        both = [",".join(filter(None, pair)) for pair in ((removed_bids, bids), (removed_asks, asks))]
        lines.append(line(10 + 10 * step, spot_diff(update + 1, update + 1, *both)))
        update += 1
        if step == gap_at + 5 and gap_at >= 0:
            lines.append(line(11 + 10 * step, whole_snapshot(update, bid)))
    return lines


def recording(folder: Path, name: str = "spot.txt", **words: int) -> Path:
    return write(folder / name, moving_lines(**words))
