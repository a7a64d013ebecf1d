"""A transformer's kernels: every shape is the reference, and what a block cannot hold is refused."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from benchmarks.gpu.generated_models import lively_weights
from gpu.backend import Backend
from gpu.compile_gate import ARCHITECTURES, check
from gpu.cuda_on_cpu.module import CpuModule
from gpu.cuda_on_cpu.schedule import SCHEDULES, Schedule
from gpu.models.architecture import TRANSFORMER, Transformer
from gpu.models.attention import attended
from gpu.models.reference import stretch_logits
from gpu.models_cuda import SHARED_BYTES, ModelKernels, Precision, fits
from gpu.transformer_cuda import MOST_HEAD, ROWS, TransformerRows, attention_fits, shared_bytes, source
from gpu.window_model import backend_for
from market.errors import Rejected
from tests.gpu.model_checks import check_model
from tests.gpu.models.shapes import SMALL, rows_for

SHAPES: dict[str, Transformer] = {
    "heads of one value": Transformer(features=3, width=4, heads=4, blocks=1, expanded=5, window=7),
    "one head, three blocks": Transformer(features=5, width=7, heads=1, blocks=3, expanded=33, window=11),
    "wider than a warp": Transformer(features=70, width=72, heads=6, blocks=1, expanded=40, window=5),
    "spans of two rows": Transformer(features=4, width=8, heads=2, blocks=4, expanded=4, window=5),
    "a span longer than a block": Transformer(features=2, width=4, heads=2, blocks=1, expanded=3, window=ROWS + 40),
}


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
@pytest.mark.parametrize("kind", SHAPES)
def test_every_shape_is_the_reference_in_every_schedule(kind: str, schedule: Schedule) -> None:
    check_model(SHAPES[kind], 3, lambda source: CpuModule(source, schedule), np)


def test_rows_of_several_blocks_are_the_reference() -> None:
    check_model(SMALL["transformer"], 2 * ROWS + 3, CpuModule, np)


def test_where_normalisation_enlarges_rounding_it_is_not_more_than_twice_numpys_own() -> None:
    shape = SHAPES["spans of two rows"]
    model, rows = lively_weights(shape, 11), rows_for(shape, 2 * ROWS + 3)
    expected = stretch_logits(model, rows)
    theirs = np.abs(stretch_logits(model, rows, np.float32) - expected).max()
    ours = np.abs(ModelKernels(model, CpuModule, np).logits(rows) - expected).max()
    assert ours < 2 * theirs


@pytest.mark.parametrize("size", [1e3, 1e18])
def test_however_large_scores_are_they_are_finite(size: float) -> None:
    """Rows whose scores rise, fall, and are as far apart as single precision has them."""
    shape = dataclasses.replace(SHAPES["heads of one value"], heads=1, width=1)
    rows = TransformerRows(lively_weights(shape, 1), CpuModule, np, no_layer, SHARED_BYTES)
    rows._offsets[0][...] = 0.0  # Scores are keys, of which no bit is lost.
    made = np.zeros((40, 3), dtype=np.float32)
    made[:, 0], made[:, 2] = 1.0, np.arange(40)
    for keys in (np.arange(40), -np.arange(40), np.random.default_rng(3).standard_normal(40)):
        made[:, 1] = keys * size
        expected = attended(made.astype(np.float64), rows._offsets[0].astype(np.float64))
        np.testing.assert_allclose(rows._attended(made, 0), expected, rtol=1e-6)


def no_layer(name: str, values: Any, *, leaky: bool = False) -> Any:
    """In place of the layers of a model that is asked for none."""
    raise AssertionError(name)


def test_a_block_of_the_default_size_takes_12_kb() -> None:
    assert [shared_bytes(TRANSFORMER, span) for span in TRANSFORMER.spans] == [11_528, 11_596]


def test_what_a_block_cannot_hold_is_refused_with_what_to_use_and_left_to_the_cpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gpu.backend.has_gpu", lambda: True)
    monkeypatch.setattr("gpu.backend.require_gpu", lambda: np)
    long, wide = (
        dataclasses.replace(TRANSFORMER, window=3_000),
        dataclasses.replace(TRANSFORMER, width=2 * (MOST_HEAD + 1)),
    )
    assert fits(TRANSFORMER)
    for shape in (long, wide):
        assert not attention_fits(shape, SHARED_BYTES)
        model = lively_weights(shape, 1)
        assert backend_for(model, "auto") is Backend.CPU
        with pytest.raises(Rejected, match="use backend='cpu'"):
            ModelKernels(model, CpuModule, np)


def test_two_launches_of_attention_and_ten_of_products() -> None:
    launches = list[str]()

    class Counting(CpuModule):
        def launch(self, kernel: str, *arguments: Any) -> None:
            """As asked for, and kept."""
            launches.append(kernel)
            super().launch(kernel, *arguments)

    kernels = ModelKernels(lively_weights(TRANSFORMER, 1), Counting, np, Precision.BFLOAT16)
    kernels.logits(np.random.default_rng(1).standard_normal((104, 40)).astype(np.float32))
    block = ["product_bfloat16", "attended_rows", "product_bfloat16", "normal_of_sums"]
    block += ["product_bfloat16", "product_bfloat16", "normal_of_sums"]
    assert launches == ["product_bfloat16", "normal_of_sums", *block, *block, "product_bfloat16"]


@pytest.mark.long
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("head", [1, 16, 32, MOST_HEAD])
def test_heads_of_every_size_compile_without_spills(head: int, architecture: int) -> None:
    pytest.importorskip("cupy")
    shape = dataclasses.replace(TRANSFORMER, width=2 * head)
    assert not [one for one in check(source(shape), architecture) if one.spills]
