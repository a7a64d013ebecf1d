"""Every barrier of every kernel is needed: without it, some schedule gives another result, or none."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from benchmarks.gpu.generated_models import lively_weights
from gpu.cuda_on_cpu.module import CpuModule
from gpu.cuda_on_cpu.schedule import SCHEDULES
from gpu.grid_cuda import GridKernels
from gpu.kernel import KERNELS, KernelSource, source_names
from gpu.live_model import HostMemory
from gpu.models.architecture import Architecture, DeepLob, Lstm, Transformer
from gpu.models.reference import stretch_logits
from gpu.models_cuda import ModelKernels, Precision
from gpu.sweep_tools import SweepKernels
from gpu.vpin_cuda import TILE, source
from market.errors import Fatal
from tests.gpu.model_checks import check_bfloat16, check_live, check_model
from tests.gpu.models.shapes import SMALL, rows_for
from tests.gpu.sweep_checks import check_count_fires
from tests.gpu.test_vpin_kernels import MANY_TILES, check_on_cpu, trades
from tests.gpu.tick_rule import check_entry_sums, check_tick_sides

BARRIER: Final = re.compile(r"(__sync(threads|warp)\(\)|grid_barrier\(\w+\));")
Check = Callable[[CpuModule], None]
"""Raises AssertionError or Fatal where a module does not compute what it should."""


def _vpin(count: int) -> Check:
    return lambda module: check_on_cpu(module, trades(count))


def _grid(module: CpuModule) -> None:
    kernels = GridKernels(CpuModule(source()), module, np)
    check_tick_sides(kernels, 3 * TILE)
    check_entry_sums(kernels, 3_000)


def _sweep(module: CpuModule) -> None:
    check_count_fires(SweepKernels(module, np), 3_000)


def _models(module: CpuModule) -> None:
    # Inputs that take several steps of a product, and more gates than a warp has threads.
    for architecture in (SMALL["deeplob"], Lstm(features=40, layers=2, hidden=20, window=4)):
        check_model(architecture, 19, lambda source: module, np)


def _attention(module: CpuModule) -> None:
    def compile_source(source: KernelSource) -> CpuModule:
        return module if source.path.stem == "attention" else CpuModule(source)

    # Heads of the source's own size, and rows of more than one block.
    check_model(Transformer(8, 16, 2, 1, 5, window=20), 150, compile_source, np)


def _live(module: CpuModule) -> None:
    for architecture in (Lstm(features=70, layers=2, hidden=20, window=18), SMALL["deeplob"]):
        check_live(architecture, architecture.window + 5, lambda source: module, np, HostMemory())


def _live_in_blocks(module: CpuModule) -> None:
    module.schedule = dataclasses.replace(module.schedule, interleaved=True)
    architecture = Lstm(features=70, layers=2, hidden=40, window=18)
    words = {"most_blocks": 4, "shared_bytes": 2_000}
    check_live(architecture, 28, lambda source: module, np, HostMemory(), **words)


def _bfloat16(stem: str, *architectures: Architecture) -> Check:
    """With that source's module in place of its own."""

    def check(module: CpuModule) -> None:
        for architecture in architectures:
            check_bfloat16(
                architecture, 19, lambda source: module if source.path.stem == stem else CpuModule(source), np
            )

    return check


def _narrow_lstm(module: CpuModule) -> None:
    # The source's own number of units, so that four warps and more write the states of a window.
    model = lively_weights(Lstm(features=3, layers=1, hidden=64, window=6), seed=2)
    rows = rows_for(model.architecture, 19)

    def compile_source(source: KernelSource) -> CpuModule:
        return module if source.path.stem == "models_bfloat16" else CpuModule(source)

    found = ModelKernels(model, compile_source, np, Precision.BFLOAT16).logits(rows)
    np.testing.assert_allclose(found, stretch_logits(model, rows), atol=2e-3)


CHECKS: Final[dict[str, tuple[Check, ...]]] = {
    "attention": (_attention,),
    "indicator_sweep": (_sweep,),
    "live_model": (_live, _live_in_blocks),
    "models_bfloat16": (_narrow_lstm,),
    "models": (_models,),
    "product_bfloat16": (_bfloat16("product_bfloat16", Lstm(features=70, layers=2, hidden=5, window=9)),),
    # The source's own sizes.
    "rows_bfloat16": (_bfloat16("rows_bfloat16", DeepLob(levels=2, filters=16, inception=16, hidden=16, window=27)),),
    "vpin": (_vpin(3 * TILE), _vpin(MANY_TILES)),
    "vpin_grid": (_grid,),
}
"""By kernel source; the next check is made where the one before it passes in every schedule."""


def fails(module: CpuModule, check: Check) -> bool:
    """Whether a check fails in one of the schedules."""
    for schedule in SCHEDULES:
        module.schedule = schedule
        try:
            check(module)
        except (AssertionError, Fatal):
            return True
    return False


def barriers() -> list[tuple[str, int]]:
    """Every barrier of every kernel source and header: the file and the place of the barrier in it."""
    found = []
    for path in sorted((*KERNELS.glob("*.cu"), *KERNELS.glob("*.cuh"))):
        found += [(path.name, match.start()) for match in BARRIER.finditer(path.read_text(encoding="utf-8"))]
    return found


def test_every_source_has_a_check() -> None:
    assert sorted(CHECKS) == sorted(source_names())


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize(
    "number", [0, *(pytest.param(each, marks=pytest.mark.long) for each in range(1, len(SCHEDULES)))]
)
def test_with_all_barriers_every_check_passes(name: str, number: int) -> None:
    for check in CHECKS[name]:
        check(CpuModule(KernelSource.named(name), SCHEDULES[-1 - number]))


@pytest.mark.parametrize(("name", "place"), barriers())
def test_each_barrier_is_needed_and_its_loss_is_found(tmp_path: Path, name: str, place: int) -> None:
    for path in (*KERNELS.glob("*.cu"), *KERNELS.glob("*.cuh")):
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    text = (KERNELS / name).read_text(encoding="utf-8")
    mutated = text[:place] + BARRIER.sub(lambda found: ";" + " " * (len(found[0]) - 1), text[place:], count=1)
    (tmp_path / name).write_text(mutated, encoding="utf-8")
    sources = [KernelSource(path) for path in sorted(tmp_path.glob("*.cu"))]
    for user in (each for each in sources if tmp_path / name in each.files()):
        module = CpuModule(user)
        found = any(fails(module, check) for check in CHECKS[user.path.stem])
        line = text.count(chr(10), 0, place) + 1
        assert found, f"{user.path.name} without the barrier in line {line} of {name} passes in every schedule"
