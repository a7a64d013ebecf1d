"""What models compute, in NumPy, written for reading; everything else is compared with it.

Arrays keep the type of ``dtype``; float64 is the reference of references.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from gpu.models.architecture import (
    BLOCKS,
    LONG,
    SHORT,
    Bilinear,
    DeepLob,
    Transformer,
    vectors_per_window,
)
from gpu.models.attention import Array, dense, leaky, transformed
from gpu.models.weights import Model
from market.errors import Rejected


def row_vectors(model: Model, rows: Array, dtype: DTypeLike = np.float64) -> Array:
    """[n - reach + 1, row_width] of rows [n, features] that follow one another, oldest first.

    Raises Rejected for rows of another width, or fewer than ``reach``.
    """
    architecture = model.architecture
    if rows.ndim != 2 or rows.shape[1] != architecture.features:
        raise Rejected(f"rows have the shape {rows.shape}: must be (rows, {architecture.features})")
    if len(rows) < architecture.reach:
        raise Rejected(f"{len(rows)} rows: a vector needs {architecture.reach}")
    tensors = _typed(model, dtype)
    inputs = rows.astype(dtype)
    if isinstance(architecture, Bilinear):
        return leaky(dense(tensors, "rows", inputs))
    if isinstance(architecture, Transformer):
        return transformed(architecture, tensors, inputs)
    if isinstance(architecture, DeepLob):
        inputs = _inception(tensors, _tower(tensors, inputs))
    found: Array = inputs @ tensors["lstm0.input"].T + tensors["lstm0.bias"]
    return found


def window_logits(model: Model, vectors: Array, dtype: DTypeLike = np.float64) -> Array:
    """[b, classes] of the row vectors of windows, [b, vectors_per_window, row_width]."""
    architecture = model.architecture
    expected = (vectors_per_window(architecture), architecture.row_width)
    if vectors.ndim != 3 or vectors.shape[1:] != expected:
        raise Rejected(f"vectors have the shape {vectors.shape}: must be (windows, {expected[0]}, {expected[1]})")
    tensors = _typed(model, dtype)
    inputs = vectors.astype(dtype)
    if isinstance(architecture, Bilinear):
        moments = np.einsum("kt,btd->bdk", tensors["time.weight"], inputs) + tensors["time.bias"]
        return dense(tensors, "dense", leaky(moments.reshape(len(inputs), -1)))
    if isinstance(architecture, Transformer):
        return dense(tensors, "dense", inputs[:, 0])
    return dense(tensors, "dense", _last_state(tensors, inputs, architecture.layers))


def stretch_logits(model: Model, rows: Array, dtype: DTypeLike = np.float64) -> Array:
    """[n - window + 1, classes]: every window of rows [n, features]; vectors of rows are computed once."""
    count = vectors_per_window(model.architecture)
    vectors = row_vectors(model, rows, dtype)
    windows = np.lib.stride_tricks.sliding_window_view(vectors, count, axis=0).transpose(0, 2, 1)
    return window_logits(model, windows, dtype)


def logits(model: Model, windows: Array, dtype: DTypeLike = np.float64) -> Array:
    """[b, classes] of windows [b, window, features], each computed by itself."""
    return np.stack([stretch_logits(model, window, dtype)[0] for window in windows])


def probabilities(values: Array) -> Array:
    """Softmax along the last axis."""
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    found: Array = powers / powers.sum(axis=-1, keepdims=True)
    return found


def _typed(model: Model, dtype: DTypeLike) -> dict[str, Array]:
    return {name: tensor.astype(dtype) for name, tensor in model.tensors.items()}


def _across(tensors: dict[str, Array], name: str, inputs: Array) -> Array:
    """Convolution over neighbouring columns with a stride of its width: [n, width, channels] to [n, less, filters]."""
    weight = tensors[f"{name}.weight"]
    rows, width, channels = inputs.shape
    taps = weight.shape[2]
    groups = inputs.reshape(rows, width // taps, taps, channels)
    return leaky(np.einsum("nwtc,fct->nwf", groups, weight) + tensors[f"{name}.bias"])


def _along(tensors: dict[str, Array], name: str, inputs: Array) -> Array:
    """Causal convolution in time without padding: [n, ..., channels] to [n - taps + 1, ..., filters]."""
    weight = tensors[f"{name}.weight"]
    taps = weight.shape[2]
    rows = len(inputs) - taps + 1
    total = tensors[f"{name}.bias"] + inputs[:rows] @ weight[:, :, 0].T
    for tap in range(1, taps):
        total = total + inputs[tap : tap + rows] @ weight[:, :, tap].T
    return leaky(total)


def _tower(tensors: dict[str, Array], rows: Array) -> Array:
    """[n - 18, filters]."""
    values = rows[:, :, None]
    for block in BLOCKS:
        values = _across(tensors, f"{block}.across", values)
        values = _along(tensors, f"{block}.time1", values)
        values = _along(tensors, f"{block}.time2", values)
    found: Array = values[:, 0, :]
    return found


def _inception(tensors: dict[str, Array], values: Array) -> Array:
    """[n - 4, 3 * inception]: the branches side by side, each cut to the rows that the longest has."""
    rows = len(values) - LONG + 1
    branches = [
        _along(tensors, f"{name}.time", leaky(dense(tensors, f"{name}.point", values))) for name in ("short", "long")
    ]
    largest = np.max([values[tap : len(values) - SHORT + 1 + tap] for tap in range(SHORT)], axis=0)
    branches.append(leaky(dense(tensors, "pooled.point", largest)))
    return np.concatenate([branch[len(branch) - rows :] for branch in branches], axis=-1)


def _last_state(tensors: dict[str, Array], vectors: Array, layers: int) -> Array:
    """[b, hidden] after the last vector; ``vectors`` hold the first layer's gates before the recurrent part."""
    hidden = tensors["lstm0.recurrent"].shape[1]
    outputs: list[Array] = [np.zeros((len(vectors), hidden), dtype=vectors.dtype) for _ in range(layers)]
    cells: list[Array] = [state.copy() for state in outputs]
    for step in range(vectors.shape[1]):
        gates = vectors[:, step]
        for layer in range(layers):
            if layer:
                gates = outputs[layer - 1] @ tensors[f"lstm{layer}.input"].T + tensors[f"lstm{layer}.bias"]
            outputs[layer], cells[layer] = lstm_step(
                gates, tensors[f"lstm{layer}.recurrent"], outputs[layer], cells[layer]
            )
    return outputs[-1]


def lstm_step(gates: Array, recurrent: Array, output: Array, cell: Array) -> tuple[Array, Array]:
    """New output and cell, [b, hidden], of gates before the recurrent part, [b, 4 * hidden]."""
    whole = gates + output @ recurrent.T
    admitted, kept, candidate, shown = np.split(whole, 4, axis=-1)
    fresh = _sigmoid(kept) * cell + _sigmoid(admitted) * np.tanh(candidate)
    return _sigmoid(shown) * np.tanh(fresh), fresh


def _sigmoid(values: Array) -> Array:
    found: Array = 0.5 * (np.tanh(0.5 * values) + 1.0)
    return found
