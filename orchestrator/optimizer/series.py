"""What a run leaves for its judgement: the change of equity and the closings of each sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from market.wire.records import Words

Changes: TypeAlias = NDArray[np.float64]
"""float64[n]: change of equity per sample, in its currency."""


@dataclass(frozen=True, eq=False)
class Series:
    """The samples of a run from the beginning on.

    Parameters
    ----------
    changes: see ``Changes``. trades: int64[n], fills that made a position smaller. fills: int64[n].
    """

    changes: Changes
    trades: Words
    fills: Words

    @property
    def length(self) -> int:
        """Samples that are known."""
        return len(self.changes)
