"""Models in bfloat16: near the reference in every schedule and for every shape, no further off than PyTorch's own."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pytest

from benchmarks.gpu.generated_models import lively_network, lively_weights
from gpu.compile_gate import ARCHITECTURES, check
from gpu.cuda_on_cpu.module import CpuModule
from gpu.cuda_on_cpu.schedule import SCHEDULES, Schedule
from gpu.cupy_module import CupyModule
from gpu.device import require_gpu
from gpu.kernel import KernelSource
from gpu.models.architecture import (
    LSTM_A,
    PAPER_DEEPLOB,
    PUBLIC_DEEPLOB,
    TRANSFORMER,
    Architecture,
    Bilinear,
    DeepLob,
    Lstm,
    Transformer,
)
from gpu.models.reference import stretch_logits
from gpu.models.weights import Singles
from gpu.models_bfloat16 import bfloat16_pairs, fragments, has_lstm, has_rows, rows_shared_bytes, rows_source
from gpu.models_cuda import ModelKernels, Precision
from tests.gpu.model_checks import check_bfloat16
from tests.gpu.models.shapes import rows_for

# Sizes that are no multiples of what instructions take, but for those of the LSTM in bfloat16.
SMALL: Final[dict[str, Architecture]] = {
    "deeplob": DeepLob(levels=3, filters=10, inception=17, hidden=16, window=27),
    "deeplob, other LSTM": DeepLob(levels=2, filters=32, inception=5, hidden=9, window=25),
    "wide deeplob": DeepLob(levels=2, filters=34, inception=9, hidden=4, window=27),
    "lstm": Lstm(features=8, layers=1, hidden=64, window=9),
    "lstms": Lstm(features=70, layers=2, hidden=5, window=9),
    "bilinear": Bilinear(features=8, width=4, moments=3, window=70),
    "transformer": Transformer(features=8, width=12, heads=4, blocks=2, expanded=9, window=12),
}
LARGE: Final[dict[str, Architecture]] = {
    "paper": PAPER_DEEPLOB,
    "public": PUBLIC_DEEPLOB,
    "LSTM_A": LSTM_A,
    "TRANSFORMER": TRANSFORMER,
}
LOGITS_OFF: Final = 0.03
"""At most, for logits whose size is about 1."""


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
@pytest.mark.parametrize("kind", SMALL)
def test_every_shape_is_near_the_reference_in_every_schedule(kind: str, schedule: Schedule) -> None:
    assert check_bfloat16(SMALL[kind], 19, lambda source: CpuModule(source, schedule), np) < LOGITS_OFF


def test_rows_of_several_blocks_are_near_the_reference() -> None:
    assert check_bfloat16(SMALL["deeplob"], 230, CpuModule, np) < LOGITS_OFF


@pytest.mark.parametrize("kind", LARGE)
def test_models_of_full_size_are_near_the_reference(kind: str) -> None:
    assert check_bfloat16(LARGE[kind], 3, CpuModule, np) < LOGITS_OFF


@pytest.mark.gpu
@pytest.mark.parametrize("kind", SMALL | LARGE)
def test_a_gpu_is_near_the_reference(kind: str) -> None:
    assert check_bfloat16((SMALL | LARGE)[kind], 230, CupyModule, require_gpu()) < LOGITS_OFF


def test_which_parts_have_kernels_of_their_own() -> None:
    of_rows = {kind for kind, architecture in (SMALL | LARGE).items() if has_rows(architecture)}
    assert of_rows == {"deeplob", "deeplob, other LSTM", "paper", "public"}
    of_lstms = {kind for kind, architecture in (SMALL | LARGE).items() if has_lstm(architecture)}
    assert of_lstms == {"deeplob", "lstm", "paper", "public"}
    assert not has_lstm(Lstm(8, 1, 144, 9))


def test_deeplob_takes_three_launches() -> None:
    launches = list[str]()

    class Counting(CpuModule):
        def launch(self, kernel: str, *arguments: Any) -> None:
            """As asked for, and kept."""
            launches.append(kernel)
            super().launch(kernel, *arguments)

    architecture = SMALL["deeplob"]
    kernels = ModelKernels(lively_weights(architecture, 1), Counting, np, Precision.BFLOAT16)
    kernels.logits(rows_for(architecture, 5))
    assert launches == ["deeplob_rows", "last_states_bfloat16", "product_bfloat16"]


def test_two_blocks_of_the_row_part_fit_a_multiprocessor() -> None:
    assert rows_shared_bytes(PUBLIC_DEEPLOB) == 88_320
    assert 2 * (88_320 + 1_024) <= 227 * 1_024


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("kind", ["public", "paper"])
def test_row_parts_compile_without_spills(kind: str, architecture: int) -> None:
    pytest.importorskip("cupy")
    shape = LARGE[kind]
    assert isinstance(shape, DeepLob)
    (found,) = check(rows_source(shape), architecture)
    # Two blocks of 256 threads have 65,536 registers.
    assert not found.spills
    assert found.registers <= 128


@pytest.mark.long
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("hidden", [16, 64, 112, 128])
def test_lstms_of_every_size_compile_without_spills(hidden: int, architecture: int) -> None:
    pytest.importorskip("cupy")
    source = KernelSource.named("models_bfloat16", {"HIDDEN": hidden}, contracts=True)
    assert not [one for one in check(source, architecture) if one.spills]


def test_numbers_are_rounded_to_bfloat16_to_the_nearest_and_ties_to_even() -> None:
    values = np.array([[1.0, -2.0, 1.0 + 2**-8, 1.0 + 3 * 2**-8, 1.0 + 2**-8 + 2**-20, 3e38]], dtype=np.float32)
    pairs = bfloat16_pairs(values)
    halves = np.stack([pairs[0] << 16, pairs[0] & 0xFFFF0000], axis=1).ravel().astype(np.uint32)
    found = halves.view(np.float32)
    assert found[:5].tolist() == [1.0, -2.0, 1.0, 1.0 + 2**-6, 1.0 + 2**-7]
    assert abs(found[5] / 3e38 - 1) < 2**-8


def test_a_lane_takes_two_inputs_and_the_two_eight_further_on_of_its_output() -> None:
    weight = np.arange(20 * 9, dtype=np.float32).reshape(20, 9)
    found = fragments(weight, 32).reshape(4, 2, 32, 2)
    numbers = np.stack([found << 16, found & 0xFFFF0000], axis=-1).astype(np.uint32).view(np.float32)
    # Lane 4 * output + pair of the first tile and depth: inputs 2 * pair, 2 * pair + 1, and 8 more.
    assert numbers[0, 0, 4 * 5 + 3].tolist() == [[weight[6, 5], weight[7, 5]], [weight[14, 5], weight[15, 5]]]
    assert numbers[1, 1, 1].tolist() == [[weight[18, 8], weight[19, 8]], [0.0, 0.0]]
    assert not numbers[2:].any()


def pytorchs_error(torch: Any, architecture: Architecture, rows: Singles, expected: Singles, network: Any) -> float:
    """Largest error of PyTorch's logits, all of its numbers in bfloat16, window by window."""
    window = architecture.window
    windows = np.stack([rows[first : first + window] for first in range(len(rows) - window + 1)])
    network.modules.bfloat16()
    with torch.inference_mode():
        found = network(torch.from_numpy(windows).bfloat16())[:, 0].float().numpy()
    return float(np.abs(found - expected).max())


@pytest.mark.long
@pytest.mark.parametrize(
    "architecture",
    [
        DeepLob(levels=3, filters=16, inception=32, hidden=64, window=60),
        PUBLIC_DEEPLOB,
        Lstm(features=8, layers=1, hidden=64, window=50),
        LSTM_A,
        Lstm(features=25, layers=3, hidden=40, window=20),
        Lstm(features=20, layers=4, hidden=64, window=20),
        Bilinear(features=40, width=16, moments=8, window=100),
        TRANSFORMER,
        Transformer(features=8, width=32, heads=4, blocks=3, expanded=64, window=40),
    ],
    ids=[
        "deeplob",
        "public",
        "lstm",
        "LSTM_A",
        "three layers",
        "four layers",
        "bilinear",
        "transformer",
        "wide transformer",
    ],
)
def test_errors_are_at_most_twice_those_of_pytorchs_bfloat16(architecture: Architecture) -> None:
    torch = pytest.importorskip("torch")
    network = lively_network(torch, architecture, 3)
    model, rows = network.model(), rows_for(architecture, 24)
    expected = stretch_logits(model, rows)
    assert expected.std(axis=0).min() > 1e-3
    theirs = pytorchs_error(torch, architecture, rows, expected, network)
    ours = ModelKernels(model, CpuModule, np, Precision.BFLOAT16).logits(rows)
    assert np.abs(ours - expected).max() <= 2 * theirs
