"""A transformer's blocks in PyTorch, for training: what ``gpu.models.attention`` says of each stretch of a batch."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from gpu.models.architecture import SLOPE, Transformer
from gpu.models.attention import EPSILON
from gpu.models.weights import Singles


def transformed(architecture: Transformer, modules: Any, rows: Any) -> Any:
    """Vectors [stretches, n - window + 1, width] of rows [stretches, n, features], by the layers of a network."""
    torch: Any = importlib.import_module("torch")
    functions = torch.nn.functional

    def normal(values: Any) -> Any:
        return functions.layer_norm(values, (architecture.width,), eps=EPSILON)

    vectors = modules["rows"](rows)
    for block, span in enumerate(architecture.spans):
        queries, keys, values = modules[f"block{block}_attend"](normal(vectors)).chunk(3, dim=-1)
        band = _band(torch, modules["offsets"][block], vectors.shape[1])
        found = _attended(architecture, queries[:, span - 1 :], keys, values, band)
        vectors = vectors[:, span - 1 :] + modules[f"block{block}_join"](found)
        wide = functions.leaky_relu(modules[f"block{block}_widen"](normal(vectors)), SLOPE)
        vectors = vectors + modules[f"block{block}_narrow"](wide)
    return normal(vectors)


def decaying_offsets(architecture: Transformer, span: int) -> Singles:
    """float32[heads, span] to begin with: what is further back counts less, by half-lives from a row to the span.

    As slopes that differ by head (Press, Smith and Lewis 2022), learnt from there on.
    """
    halves = np.geomspace(1.0, span, architecture.heads)
    found: Singles = (-np.log(2.0) * np.arange(span) / halves[:, None]).astype(np.float32)
    return found


def _attended(architecture: Transformer, queries: Any, keys: Any, values: Any, band: Any) -> Any:
    """[stretches, n - span + 1, width]: all scores of a stretch at once, of which only those of the band count."""

    def by_head(part: Any) -> Any:
        return part.unflatten(2, (architecture.heads, architecture.head)).transpose(1, 2)

    scores = by_head(queries) @ by_head(keys).transpose(2, 3) / architecture.head**0.5 + band
    return (scores.softmax(dim=-1) @ by_head(values)).transpose(1, 2).flatten(2)


def _band(torch: Any, offsets: Any, rows: int) -> Any:
    """[heads, n - span + 1, n]: offsets of what a row attends to, minus infinity elsewhere."""
    span = offsets.shape[1]
    numbers = torch.arange(rows, device=offsets.device)
    back = numbers[span - 1 :, None] - numbers
    is_outside = (back < 0) | (back >= span)
    return offsets[:, back.clamp(0, span - 1)].masked_fill(is_outside, -torch.inf)
