"""Markouts settle in event time: streaming, binary search over whole arrays and a plain search agree."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Fatal
from market.signals.markouts import DROPPED, MISSING, SKIPPED, Markouts, MarkoutSettings, settled_moves

# (time step, sign, doubled mid): a trade has a sign, a mid update has none.
EVENTS = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from([0, 0, 1, -1]), st.sampled_from([0, 198, 200, 201, 205])),
    min_size=1,
    max_size=60,
)
HORIZONS = (1, 4, 9)


class Followed:
    """Trades and tops of a list of events, as arrays for the batch form."""

    def __init__(self, events: list[tuple[int, int, int]]) -> None:
        self.tops = [(time, mid) for time, sign, mid in events if sign == 0]
        self.trades = list[tuple[int, int, int]]()
        mid = 0
        for time, sign, new_mid in events:
            if sign == 0:
                mid = new_mid
            elif mid:
                self.trades.append((time, sign, mid))
        self.until = events[-1][0]

    def moves(self, horizon: int) -> list[int]:
        """Settled moves by looking at every top of book for every trade."""
        moves = []
        for time, sign, mid in self.trades:
            if time + horizon < self.until:
                later = [value for at, value in self.tops if at <= time + horizon][-1]
                moves.append(sign * (later - mid) if later else MISSING)
        return moves


def timed(events: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    times = np.cumsum([step for step, _, _ in events])
    return [(int(at), sign, mid) for at, (_, sign, mid) in zip(times, events, strict=True)]


@given(EVENTS, st.sampled_from([1, 3, 64]))
@settings(derandomize=True, deadline=None)
def test_streaming_equals_search_and_batch(events: list[tuple[int, int, int]], mean_over: int) -> None:
    events = timed(events)
    signal = Markouts(MarkoutSettings(horizons_ns=HORIZONS, mean_over=mean_over, capacity=128))
    means = signal.update(np.array(events, dtype=np.int64))[-1]
    followed = Followed(events)
    trades = np.array(followed.trades, dtype=np.int64).reshape(-1, 3).T.copy()
    tops = np.array(followed.tops, dtype=np.int64).reshape(-1, 2).T.copy()
    batch, settled = settled_moves(trades[0], trades[1], trades[2], tops[0], tops[1], HORIZONS, followed.until)
    for index, horizon in enumerate(HORIZONS):
        expected = followed.moves(horizon)
        assert batch[settled[:, index], index].tolist() == expected
        assert signal.moves(index).tolist() == expected[-mean_over:]
        known = [move for move in expected[-mean_over:] if move != MISSING]
        assert means[index] == sum(known) / (2 * len(known)) if known else isnan(means[index])
    assert signal.state[SKIPPED] == sum(sign != 0 for _, sign, _ in events) - len(followed.trades)


def test_a_top_at_the_horizon_counts_and_one_after_it_does_not() -> None:
    signal = Markouts(MarkoutSettings(horizons_ns=(10,), mean_over=4, capacity=8))
    signal.update(np.array([[0, 0, 200], [5, 1, 0], [5, -1, 0], [15, 0, 206], [15, 0, 204], [16, 0, 300]]))
    assert signal.moves(0).tolist() == [4, -4]


def test_the_mean_is_in_ticks() -> None:
    signal = Markouts(MarkoutSettings(horizons_ns=(10,), mean_over=4, capacity=8))
    assert signal.update(np.array([[0, 0, 200], [5, 1, 0], [9, 0, 203], [20, 0, 200]]))[:, 0].tolist()[-1] == 1.5


def test_a_withdrawn_top_leaves_the_markout_unknown() -> None:
    signal = Markouts(MarkoutSettings(horizons_ns=(10,), mean_over=4, capacity=8))
    means = signal.update(np.array([[0, 0, 200], [5, 1, 0], [6, 0, 0], [20, 0, 200]]))
    assert isnan(means[-1, 0])
    assert signal.moves(0).tolist() == [MISSING]


def test_a_trade_without_room_is_dropped_and_counted() -> None:
    signal = Markouts(MarkoutSettings(horizons_ns=(10,), mean_over=1, capacity=4))
    signal.update(np.array([[0, 0, 200], *[[1, 1, 0]] * 6, [2, 0, 210], [20, 0, 220]]))
    assert signal.state[DROPPED] == 2
    assert signal.moves(0).tolist() == [10]
    signal.update(np.array([[21, 1, 0], [40, 0, 220]]))
    assert (signal.state[DROPPED], signal.moves(0).tolist()) == (2, [0])


def test_bad_settings_are_fatal() -> None:
    for horizons in ((), (2, 1), (1, 1), (0,), (1, 2, 3, 4, 5)):
        with pytest.raises(Fatal, match="markout"):
            MarkoutSettings(horizons_ns=horizons)
    with pytest.raises(Fatal, match="mean_over"):
        MarkoutSettings(mean_over=8, capacity=8)
