"""Samples of several sources come out in one order of time, without holding many of them back."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from market.pipeline.samples import SAMPLES_PER_DRAIN, SampleMerge, Samples, joined
from market.signals.outputs import WIDTH


def samples(times_ns: list[int], instrument: int) -> Samples:
    times = np.array(times_ns, dtype=np.int64)
    same = np.full(len(times), instrument, dtype=np.int64)
    zeros = np.zeros_like(times)
    return Samples(times, same, zeros, zeros, zeros, np.zeros((len(times), WIDTH)))


def order(rows: Samples) -> list[tuple[int, int]]:
    return list(zip(rows.times_ns.tolist(), rows.instruments.tolist(), strict=True))


def test_few_samples_wait_for_more() -> None:
    merge = SampleMerge(1)
    merge.add(0, samples([1, 2], 0), 5)
    assert not len(merge.take())
    assert order(merge.take_rest()) == [(1, 0), (2, 0)]
    assert not len(merge.take_rest())


def test_a_source_that_is_behind_holds_the_others_back() -> None:
    merge = SampleMerge(2)
    merge.add(0, samples(list(range(1, SAMPLES_PER_DRAIN + 1)), 0), SAMPLES_PER_DRAIN)
    merge.add(1, samples([1], 1), 2)
    assert order(merge.take()) == [(1, 0), (1, 1), (2, 0)]


def test_a_source_that_has_ended_holds_nothing_back() -> None:
    merge = SampleMerge(2)
    merge.add(0, samples(list(range(1, SAMPLES_PER_DRAIN + 1)), 0), SAMPLES_PER_DRAIN)
    merge.end(1)
    assert len(merge.take()) == SAMPLES_PER_DRAIN


@given(st.lists(st.tuples(st.integers(0, 2), st.lists(st.integers(1, 50), max_size=900)), max_size=30))
@settings(derandomize=True, deadline=None, max_examples=30)
def test_what_comes_out_is_everything_in_order(steps: list[tuple[int, list[int]]]) -> None:
    merge = SampleMerge(3)
    clocks = [0, 0, 0]
    expected, found = [], []
    for source, steps_ns in steps:
        times = (np.cumsum(steps_ns, dtype=np.int64) + clocks[source]).tolist()
        clocks[source] = times[-1] if times else clocks[source]
        expected += [(time, source) for time in times]
        merge.add(source, samples(times, source), clocks[source])
        found.append(merge.take())
    found.append(merge.take_rest())
    assert order(joined(found)) == sorted(expected)
