"""What trading on probabilities would have made, after spread and fees, by the probability that it takes to act.

One position at a time: when the more probable of up and down is above the threshold, buy at the best ask or sell at
the best bid of that row; ``horizon`` rows later take the other side of the book. Fees are paid on both. Quantities are
small enough to fill at the best price at once, and nothing moves because of them: an upper bound, not a forecast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from market.errors import Rejected
from market.wire.records import Words
from orchestrator.research.datasets.dataset import DatasetMarket
from orchestrator.research.datasets.labels import Floats, Move

THRESHOLDS: Final = np.round(np.arange(0.34, 0.96, 0.02), 2)
_BPS: Final = 1e4


@dataclass(frozen=True, eq=False)
class TradeCurve:
    """By threshold, all float64[thresholds].

    Parameters
    ----------
    trades: how many. gross_bps: sum of moves of the mid in the direction of trades.
    spread_bps: what crossing the spread twice took. fees_bps: of both sides.
    """

    thresholds: Floats
    trades: Floats
    gross_bps: Floats
    spread_bps: Floats
    fees_bps: Floats

    @property
    def net_bps(self) -> Floats:
        """What is left."""
        found: Floats = self.gross_bps - self.spread_bps - self.fees_bps
        return found

    def plain(self) -> list[dict[str, Any]]:
        """For JSON."""
        return [
            {
                "threshold": float(threshold),
                "trades": int(trades),
                "gross_bps": float(gross),
                "spread_bps": float(spread),
                "fees_bps": float(fees),
                "net_bps": float(net),
            }
            for threshold, trades, gross, spread, fees, net in zip(
                self.thresholds,
                self.trades,
                self.gross_bps,
                self.spread_bps,
                self.fees_bps,
                self.net_bps,
                strict=True,
            )
        ]


def trade_curve(
    market: DatasetMarket, rows: Words, probabilities: Floats, fee_bps: float, thresholds: Floats = THRESHOLDS
) -> TradeCurve:
    """Trades at samples of a market.

    Parameters
    ----------
    rows: int64[n], rising rows of samples. probabilities: float64[n, 3]. fee_bps: of one side, at least 0.
    """
    if not fee_bps >= 0:
        raise Rejected(f"fee_bps was {fee_bps}: must be at least 0")
    horizon = market.reach.horizon
    entry, leaving = np.asarray(market.book[rows]), np.asarray(market.book[rows + horizon])
    mids = [0.5 * (book[:, 0] + book[:, 2]) for book in (entry, leaving)]
    spreads = [0.5 * (book[:, 0] - book[:, 2]) for book in (entry, leaving)]
    moves = (mids[1] - mids[0]) / mids[0] * _BPS
    costs = (spreads[0] + spreads[1]) / mids[0] * _BPS
    up = probabilities[:, Move.UP] >= probabilities[:, Move.DOWN]
    confidence = np.maximum(probabilities[:, Move.UP], probabilities[:, Move.DOWN])
    sums = np.zeros((3, len(thresholds)))
    for number, threshold in enumerate(thresholds):
        chosen = _one_at_a_time(rows, confidence > threshold, horizon)
        gains = np.where(up[chosen], moves[chosen], -moves[chosen])
        sums[:, number] = len(chosen), gains.sum(), costs[chosen].sum()
    return TradeCurve(np.asarray(thresholds, dtype=np.float64), sums[0], sums[1], sums[2], 2 * fee_bps * sums[0])


def _one_at_a_time(rows: Words, wanted: np.typing.NDArray[np.bool_], horizon: int) -> Words:
    """Samples that are acted upon: those that are wanted while no earlier one is held."""
    chosen: list[int] = []
    free = -1
    for number in np.flatnonzero(wanted).tolist():
        if rows[number] >= free:
            chosen.append(number)
            free = int(rows[number]) + horizon
    return np.array(chosen, dtype=np.int64)
