"""Trade flow over windows: the streaming signal's numbers, from whole arrays."""

from __future__ import annotations

import numpy as np
import pytest

from gpu.flow import trade_flow
from market.errors import Rejected
from market.signals.flow import Flow, FlowSettings, FlowValue
from tests.gpu.trade_columns import random_trades

SECOND = 1_000_000_000


@pytest.mark.parametrize("backend", ["cpu", "numpy"])
@pytest.mark.parametrize("window_ns", [1, SECOND, 60 * SECOND])
def test_after_every_trade_it_equals_the_streaming_signal(backend: str, window_ns: int) -> None:
    trades = random_trades(3_000)
    assert trades.aggressors is not None
    rows = np.stack([trades.times_ns, trades.prices, trades.quantities, trades.aggressors.astype(np.int64)], axis=1)
    expected = Flow(FlowSettings(window_ns=window_ns)).update(rows)
    found = trade_flow(trades.times_ns, trades.quantities, trades.aggressors, [window_ns, 5], backend=backend)
    assert np.array_equal(found.cvd[0], expected[:, FlowValue.CVD])
    assert np.array_equal(found.toxicity[0], expected[:, FlowValue.TOXICITY], equal_nan=True)
    assert np.array_equal(found.unknown_lots[0], expected[:, FlowValue.UNKNOWN_LOTS])


def test_moments_between_trades() -> None:
    columns = [10, 20, 20, 30], [4, 8, 3, 7], [1, 1, 2, 2]
    for backend in ("cpu", "numpy"):
        found = trade_flow(*columns, [10, 100], at_ns=[5, 10, 19, 20, 29, 30, 40], backend=backend)
        assert found.cvd.tolist() == [[0, 4, 4, 5, 5, -7, 0], [0, 4, 4, 9, 9, 2, 2]]
        assert found.toxicity[0, [1, 3]].tolist() == [1.0, 5 / 11]
        assert np.isnan(found.toxicity[0, [0, 6]]).all()


def test_back_ends_agree_at_any_moments() -> None:
    trades = random_trades(5_000)
    assert trades.aggressors is not None
    moments = np.arange(0, int(trades.times_ns[-1]) + SECOND, SECOND // 3)
    both = [
        trade_flow(trades.times_ns, trades.quantities, trades.aggressors, [SECOND, 1], at_ns=moments, backend=backend)
        for backend in ("cpu", "numpy")
    ]
    assert np.array_equal(both[0].cvd, both[1].cvd)
    assert np.array_equal(both[0].unknown_lots, both[1].unknown_lots)


def test_impossible_moments_are_refused() -> None:
    with pytest.raises(Rejected, match=r"at_ns\[1\] is 1"):
        trade_flow([1], [1], [1], [1], at_ns=[2, 1])
    with pytest.raises(Rejected, match=r"windows_ns\[0\] is 0"):
        trade_flow([1], [1], [1], [0])
