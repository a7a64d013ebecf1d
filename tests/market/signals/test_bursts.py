"""The trade rate, the mode's hysteresis and the gaps are what a list of trade times says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Fatal
from market.signals.bursts import BURSTS, OVERFLOWS, Bursts, BurstSettings

SECOND = 10**9


def reference(times: list[int], chosen: BurstSettings) -> list[tuple[float, ...]]:
    seen, readings, mode = list[int](), list[tuple[float, ...]](), 0
    for at in times:
        # Time passes before the trade is counted: a pause ends the mode first.
        before = sum(other > at - chosen.window_ns for other in seen)
        if before * SECOND < chosen.off_per_second * chosen.window_ns:
            mode = 0
        seen.append(at)
        inside = min(before + 1, chosen.capacity)
        if inside * SECOND > chosen.on_per_second * chosen.window_ns:
            mode = 1
        short = _mean(seen, chosen.short_gaps)
        longer = _mean(seen, chosen.long_gaps)
        ratio = short / longer if longer > 0 else float("nan")
        readings.append((inside * SECOND / chosen.window_ns, mode, short, ratio))
    return readings


def _mean(seen: list[int], gaps: int) -> float:
    return (seen[-1] - seen[-1 - gaps]) / gaps if len(seen) > gaps else float("nan")


@given(
    st.lists(st.integers(0, 300_000_000), min_size=1, max_size=60),
    st.integers(10**6, 2 * SECOND),
    st.integers(1, 30),
    st.integers(0, 30),
)
@settings(derandomize=True, deadline=None)
def test_readings_are_their_definition(gaps: list[int], window_ns: int, off: int, more: int) -> None:
    chosen = BurstSettings(
        window_ns=window_ns, capacity=64, off_per_second=off, on_per_second=off + more, short_gaps=2, long_gaps=5
    )
    times = np.cumsum(gaps, dtype=np.int64)
    np.testing.assert_array_equal(Bursts(chosen).update(times), reference(times.tolist(), chosen))


def test_the_mode_starts_above_one_rate_and_ends_below_another() -> None:
    chosen = BurstSettings(window_ns=SECOND, capacity=16, on_per_second=3, off_per_second=2, short_gaps=1, long_gaps=2)
    signal = Bursts(chosen)
    modes = signal.update(np.array([0, 1, 2, 3, SECOND + 1, SECOND + 2, SECOND + 3, 3 * SECOND]))[:, 1]
    assert modes.tolist() == [0, 0, 0, 1, 1, 1, 1, 0]
    assert signal.state[BURSTS] == 1


def test_a_full_ring_lowers_the_rate_and_counts() -> None:
    signal = Bursts(BurstSettings(window_ns=SECOND, capacity=4, short_gaps=1, long_gaps=2))
    assert signal.update(np.arange(6))[:, 0].tolist() == [1, 2, 3, 4, 4, 4]
    assert signal.state[OVERFLOWS] == 2


def test_bad_settings_are_fatal() -> None:
    for bad in ({"on_per_second": 5, "off_per_second": 6}, {"capacity": 256, "long_gaps": 256}, {"short_gaps": 0}):
        with pytest.raises(Fatal, match="burst"):
            BurstSettings(**bad)
