"""What a transformer computes of rows, in NumPy, written for reading; everything else is compared with it.

A block takes vectors ``x`` of rows that follow one another, oldest first, and gives one to each row that has as many
rows as the block attends to (``span``), itself the newest; with ``normal`` as below::

    queries, keys, values = attend(normal(x))               # of each row, parted into heads
    scores[h, back]       = query[h] . key[h][back rows before] / sqrt(head) + offsets[h, back]
    x = x + join(sum over back of softmax(scores[h])[back] * value[h][back rows before], heads side by side)
    x = x + narrow(leaky(widen(normal(x))))

Attention: Vaswani et al. 2017, equation 1. Layers are normalised before they are entered, not after: Xiong et al. 2020,
"On layer normalization in the transformer architecture". A learnt number for each distance and head in place of
encoded places: Raffel et al. 2020, section 2.1, after Shaw, Uszkoreit and Vaswani 2018; each distance has its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gpu.models.architecture import SLOPE, Transformer

EPSILON: Final = 1e-5
"""Added to the variance of a vector."""

Array = NDArray[Any]
Named = Mapping[str, Array]


def transformed(architecture: Transformer, tensors: Named, rows: Array) -> Array:
    """[n - window + 1, width] of rows [n, features] and tensors of the same type, normalised for the last layer."""
    vectors = dense(tensors, "rows", rows)
    for block, span in enumerate(architecture.spans):
        name = f"block{block}"
        made = dense(tensors, f"{name}.attend", normal(vectors))
        found = attended(made, tensors[f"{name}.offsets"])
        vectors = vectors[span - 1 :] + dense(tensors, f"{name}.join", found)
        wide = leaky(dense(tensors, f"{name}.widen", normal(vectors)))
        vectors = vectors + dense(tensors, f"{name}.narrow", wide)
    return normal(vectors)


def attended(made: Array, offsets: Array) -> Array:
    """[n - span + 1, width] of queries, keys and values side by side, [n, 3 * width], and offsets [heads, span].

    Exponents are of differences from the largest score, so that none is too large.
    """
    heads, span = offsets.shape
    queries, keys, values = made.reshape(len(made), 3, heads, -1).swapaxes(0, 1)
    # [rows, heads, head, span], the newest row first.
    before, kept = (np.lib.stride_tricks.sliding_window_view(part, span, axis=0)[..., ::-1] for part in (keys, values))
    queries = queries[span - 1 :]
    scores = np.einsum("nhd,nhds->nhs", queries, before) / np.sqrt(made.dtype.type(queries.shape[2])) + offsets
    powers = np.exp(scores - scores.max(axis=2, keepdims=True))
    weights = powers / powers.sum(axis=2, keepdims=True)
    found: Array = np.einsum("nhs,nhds->nhd", weights, kept).reshape(len(queries), -1)
    return found


def normal(vectors: Array) -> Array:
    """Each vector less its mean, over its deviation: Ba, Kiros and Hinton 2016, "Layer normalization", equation 3.

    Without gain and bias of its own, which would be part of the weights of the dense layer that follows.
    """
    centred = vectors - vectors.mean(axis=-1, keepdims=True)
    variance = (centred * centred).mean(axis=-1, keepdims=True)
    found: Array = centred / np.sqrt(variance + vectors.dtype.type(EPSILON))
    return found


def leaky(values: Array) -> Array:
    """Leaky rectifier."""
    found: Array = np.where(values >= 0, values, values * values.dtype.type(SLOPE))
    return found


def dense(tensors: Named, name: str, inputs: Array) -> Array:
    """Weights of a name, and its bias."""
    found: Array = inputs @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]
    return found
