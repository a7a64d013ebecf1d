"""Random runs: the compiled engine and the reference agree in every byte of outputs, event log and counters."""

from __future__ import annotations

from collections import Counter

import pytest

from market.fastpath.conformance.differential import RunResult, compare_random_run
from market.fastpath.engine import CpuEngine
from market.fastpath.specification import EngineSizes

SIZES = (
    EngineSizes(venues=1, instruments=1, price_bits=24),
    EngineSizes(venues=2, instruments=1, price_bits=24, book_orders=16, book_ticks=64, order_books=6),
    EngineSizes(venues=3, instruments=2, price_bits=48, order_books=2),
    EngineSizes(venues=4, instruments=16, price_bits=48),
    EngineSizes(venues=5, instruments=4, price_bits=40),
    EngineSizes(venues=6, instruments=3, price_bits=32),
)


def run(sizes: EngineSizes, seed: int, events: int, with_frames: bool = False) -> RunResult:
    result = compare_random_run(lambda chosen: CpuEngine(chosen, event_log=True), sizes, seed, events, with_frames)
    assert result.differences == (), f"{sizes} seed {seed}, by event {result.events}: {result.inputs}"
    return result


def test_engines_agree_and_every_counter_moves() -> None:
    total = Counter[str]()
    for seed, sizes in enumerate(SIZES):
        total.update(run(sizes, seed, 3_500).counters)
    assert [name for name, count in total.items() if count < 5] == []


def test_engines_agree_on_frames() -> None:
    total = Counter[str]()
    for seed, sizes in enumerate(SIZES, start=10):
        total.update(run(sizes, seed, 2_500, with_frames=True).frame_counters)
    assert [name for name, count in total.items() if count < 5] == []


def test_engines_agree_on_frames_without_lines() -> None:
    result = compare_random_run(
        lambda sizes: CpuEngine(sizes, event_log=True), SIZES[2], 30, 1_000, with_frames=True, line_feeds=()
    )
    assert (result.differences, result.frame_counters["gaps"], result.frame_counters["messages"] > 300) == ((), 0, True)


@pytest.mark.long
@pytest.mark.parametrize("sizes", SIZES, ids=lambda sizes: f"{sizes.venues}x{sizes.instruments}x{sizes.price_bits}")
def test_engines_agree_on_frames_for_long(sizes: EngineSizes) -> None:
    assert run(sizes, 200, 50_000, with_frames=True).events == 50_000


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 104))
@pytest.mark.parametrize("sizes", SIZES, ids=lambda sizes: f"{sizes.venues}x{sizes.instruments}x{sizes.price_bits}")
def test_engines_agree_for_long(sizes: EngineSizes, seed: int) -> None:
    assert run(sizes, seed, 50_000).events == 50_000


def test_a_difference_is_found() -> None:
    class Silent(CpuEngine):
        def outputs(self) -> list[bytes]:
            return super().outputs()[:-1]

    result = compare_random_run(lambda sizes: Silent(sizes, event_log=True), SIZES[1], 0, 1_000)
    assert result.events == 64
    assert "outputs" in result.differences[0]
