"""The simulated hardware passes the corpus of the fast loop, and agrees with the reference on random runs."""

from __future__ import annotations

import pytest

from hdl.parameters import CoreParameters
from market.fastpath.conformance import Case, load_corpus, run_case
from market.fastpath.conformance.differential import compare_random_run
from market.fastpath.specification import EngineSizes, Feed
from sim.rtl.lines import FORMS, Line
from tests.sim.rtl.cores import LARGEST, fits, soft_fpgas

LINE_FEEDS = {line: CoreParameters(bus_bytes=line.bus_bytes).packet_feeds for line in FORMS}
"""The wide bus has no decoder for Deribit's doubles."""
CASES = [
    (case, line)
    for case in load_corpus()
    for line in FORMS
    if line.bus_bytes == 1 or Feed.DERIBIT_LEGACY not in case.line_feeds
]
USUAL = [pytest.param(case, line, id=f"{case.name}-{line.name}") for case, line in CASES if fits(case.sizes)]
LARGER = [pytest.param(case, line, id=f"{case.name}-{line.name}") for case, line in CASES if not fits(case.sizes)]
RANDOM_SIZES = (
    EngineSizes(venues=1, instruments=1, price_bits=24),
    EngineSizes(venues=2, instruments=1, price_bits=24),
    EngineSizes(venues=3, instruments=2, price_bits=48),
    EngineSizes(venues=4, instruments=16, price_bits=48),
    EngineSizes(venues=5, instruments=4, price_bits=40),
    EngineSizes(venues=6, instruments=3, price_bits=32),
)


def size_name(sizes: EngineSizes) -> str:
    return f"{sizes.venues}x{sizes.instruments}x{sizes.price_bits}"


@pytest.mark.parametrize(("case", "line"), USUAL)
def test_the_simulated_hardware_passes(case: Case, line: Line) -> None:
    assert [str(difference) for difference in run_case(soft_fpgas(line), case)] == []


@pytest.mark.long
@pytest.mark.parametrize(("case", "line"), LARGER)
def test_a_larger_build_passes(case: Case, line: Line) -> None:
    assert [str(difference) for difference in run_case(soft_fpgas(line, LARGEST), case)] == []


@pytest.mark.parametrize("line", FORMS)
@pytest.mark.parametrize("with_frames", [False, True], ids=["events", "frames"])
@pytest.mark.parametrize("sizes", [sizes for sizes in RANDOM_SIZES if fits(sizes)], ids=size_name)
def test_random_runs_agree(sizes: EngineSizes, with_frames: bool, line: Line) -> None:
    result = compare_random_run(
        soft_fpgas(line), sizes, 300 + line.bus_bytes, 1_500, with_frames, line_feeds=LINE_FEEDS[line]
    )
    assert result.differences == (), f"by event {result.events}: {result.inputs}"


@pytest.mark.long
@pytest.mark.parametrize("line", FORMS)
@pytest.mark.parametrize("with_frames", [False, True], ids=["events", "frames"])
@pytest.mark.parametrize("sizes", RANDOM_SIZES, ids=size_name)
def test_long_random_runs_agree(sizes: EngineSizes, with_frames: bool, line: Line) -> None:
    result = compare_random_run(
        soft_fpgas(line, LARGEST), sizes, 400 + line.bus_bytes, 25_000, with_frames, line_feeds=LINE_FEEDS[line]
    )
    assert result.differences == (), f"by event {result.events}: {result.inputs}"
