"""What trading on probabilities would have made, worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from market.errors import Rejected
from orchestrator.research.evaluation.trades import THRESHOLDS, trade_curve
from tests.orchestrator.research.datasets.market_books import recording
from tests.orchestrator.research.datasets.test_dataset import built

HORIZON = 4


def test_gains_are_what_the_book_gave(tmp_path: Path) -> None:
    [market] = built(recording(tmp_path), tmp_path / "set").markets
    rows = np.array([10, 11, 14, 30])
    # Up, up while the first is held, down as soon as it is over, and unsure.
    probabilities = np.array([[0.1, 0.1, 0.8], [0.0, 0.1, 0.9], [0.7, 0.2, 0.1], [0.45, 0.1, 0.45]])
    found = trade_curve(market, rows, probabilities, fee_bps=2.0, thresholds=np.array([0.5, 0.75, 0.85]))
    assert found.trades.tolist() == [2, 1, 1]
    book = np.asarray(market.book)

    def net(row: int, *, up: bool) -> float:
        paid, got = (book[row, 0], book[row + HORIZON, 2]) if up else (book[row + HORIZON, 0], book[row, 2])
        middle = (book[row, 0] + book[row, 2]) / 2
        return float((got - paid) / middle * 1e4) - 4.0

    expected = [net(10, up=True) + net(14, up=False), net(10, up=True), net(11, up=True)]
    np.testing.assert_allclose(found.net_bps, expected, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.fees_bps, [8.0, 4.0, 4.0])


def test_a_higher_threshold_never_acts_upon_more_samples_than_all(tmp_path: Path) -> None:
    [market] = built(recording(tmp_path), tmp_path / "set").markets
    rows = np.flatnonzero(np.asarray(market.labels) >= 0)
    random = np.random.default_rng(1)
    probabilities = random.dirichlet([1, 1, 1], len(rows))
    found = trade_curve(market, rows, probabilities, fee_bps=0.0)
    assert len(found.plain()) == len(THRESHOLDS)
    assert found.trades[0] <= len(rows) / HORIZON + 1
    assert found.trades[-1] <= (probabilities[:, [0, 2]].max(axis=1) > THRESHOLDS[-1]).sum()
    with pytest.raises(Rejected, match="fee_bps was -1"):
        trade_curve(market, rows, probabilities, fee_bps=-1)
