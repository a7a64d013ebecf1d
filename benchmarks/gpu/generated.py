"""Trades that are generated on the device, a part at a time: the same numbers whatever the parts and the device."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from gpu.grid_scan import DeviceTrades

SEED: Final = 20240808
STEP_NS: Final = 58_823_529
"""Mean time between trades: 17 per second."""
FIRST_PRICE: Final = 20_000_000
BYTES_PER_ROW: Final = 8 * 8
"""What making a row takes at its widest."""
_TABLE: Final = 1024


class GeneratedTrades:
    """A stream of trades: heavy-tailed sizes of about 100 lots, and prices that follow the flow more often than not.

    Parameters
    ----------
    xp: NumPy or CuPy. seed: other numbers of the same kind.
    """

    def __init__(self, xp: Any, seed: int = SEED) -> None:
        random = np.random.default_rng(seed)
        lots = np.minimum(np.ceil(random.pareto(1.5, _TABLE) * 50) + 1, 100_000).astype(np.int32)
        # Moves in the direction of the trade; three in ten go against it.
        moves = np.rint(np.abs(random.standard_t(4, _TABLE)) * 20) * np.where(random.random(_TABLE) < 0.3, -1, 1)
        self._xp = xp
        self._lots, self._moves = xp.asarray(lots), xp.asarray(moves.astype(np.int64))
        self._salt = int(random.integers(1, 1 << 62))
        self._price = FIRST_PRICE

    @property
    def mean_lots(self) -> float:
        """Of a trade, in the long run."""
        return float(self._lots.mean())

    def part(self, start: int, end: int) -> DeviceTrades:
        """The trades from one row to another. Parts are asked for in order; ``took`` says that one was used."""
        xp = self._xp
        rows = xp.arange(start, end, dtype=np.int64)
        noise = _mixed(xp, rows, self._salt)
        sides = (1 + (noise & np.uint64(1))).astype(np.int8)
        times = rows * STEP_NS + ((noise >> np.uint64(1)) & np.uint64((1 << 24) - 1)).astype(np.int64)
        lots = self._lots[((noise >> np.uint64(25)) & np.uint64(_TABLE - 1)).astype(np.int64)]
        moves = self._moves[((noise >> np.uint64(35)) & np.uint64(_TABLE - 1)).astype(np.int64)]
        prices = self._price + xp.cumsum(xp.where(sides == 1, moves, -moves), dtype=np.int64)
        return DeviceTrades(times, xp.maximum(prices, 1), lots, sides)

    def took(self, part: DeviceTrades) -> None:
        """The next part goes on where this one ended."""
        self._price = int(part.prices[-1])


def _mixed(xp: Any, rows: Any, salt: int) -> Any:
    """uint64[n], SplitMix64 of each row: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators"."""
    mixed = (rows + salt).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
