"""How far a score would vary: resampling by blocks, since neighbouring samples share their rows.

Circular block bootstrap (Politis and Romano 1992): blocks of neighbouring samples are drawn with replacement until
there are as many samples as before, the last block cut; the sequence is closed to a ring. Sums over blocks are
differences of running sums, so a resample costs as much as it has blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from market.errors import Rejected
from orchestrator.research.datasets.labels import Floats

LEAST_BLOCKS: Final = 2
CONFIDENCE: Final = 0.95


@dataclass(frozen=True)
class Resampling:
    """How to resample.

    Parameters
    ----------
    block: samples of a block. resamples: how many; 0: none, and no intervals. seed: of the draws.
    """

    block: int
    resamples: int = 1000
    seed: int = 1

    def __post_init__(self) -> None:
        if self.block < 1 or self.resamples < 0:
            raise Rejected(f"block was {self.block} and resamples {self.resamples}: must be at least 1 and 0")

    def blocks(self, samples: int) -> int:
        """Blocks in so many samples."""
        return -(-samples // self.block)


def resampled_sums(columns: Floats, resampling: Resampling) -> Floats | None:
    """Sums over resamples; None where there are too few samples for two blocks, or no resamples are asked for.

    Parameters
    ----------
    columns: float64[n, m], what each sample adds.

    Returns float64[resamples, m]. The same number of samples, block and seed draw the same samples, so that scores of
    two models on the same samples can be compared resample by resample.
    """
    count = len(columns)
    blocks = resampling.blocks(count)
    if blocks < LEAST_BLOCKS or not resampling.resamples:
        return None
    running = np.concatenate([np.zeros((1, columns.shape[1])), np.cumsum(columns, axis=0)])
    lengths = np.full(blocks, resampling.block)
    lengths[-1] = count - (blocks - 1) * resampling.block
    random = np.random.default_rng(resampling.seed)
    sums: Floats = np.empty((resampling.resamples, columns.shape[1]))
    for number in range(resampling.resamples):
        starts = random.integers(0, count, blocks)
        ends = starts + lengths
        inside = running[np.minimum(ends, count)] - running[starts]
        sums[number] = (inside + running[np.maximum(ends - count, 0)]).sum(axis=0)
    return sums


def interval(values: Floats) -> tuple[float, float]:
    """The middle 95 % of resampled scores."""
    low, high = np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)
