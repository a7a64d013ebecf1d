"""The row part of a model that stays on a GPU, layer by layer: a table for ``kernels/live_model.cu``.

Layers read and write rings of rows, as deep as what reads them looks back. The last one makes the gates of the first
LSTM, which stay with the blocks that need them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from gpu.columns import Integers
from gpu.models.architecture import BLOCKS, LONG, SHORT, TAPS, DeepLob
from gpu.models.weights import Singles

_LANES: Final = 32
"""Of a warp: so many share an output at most."""
_TOGETHER: Final = 4
"""Groups that a lane computes together, and inputs that it takes at a time; as in the source."""


@dataclass
class Buffer:
    """A ring of rows of one layer's values."""

    width: int
    depth: int = 1
    offset: int = 0


@dataclass(frozen=True)
class Layer:
    """One layer of the row part: what it reads, where it writes, and its weights; see ``Layer`` in the source.

    Parameters
    ----------
    meets: whether blocks meet after it; not where the next layer does not read what it writes.
    """

    name: str
    read: Buffer
    write: Buffer
    write_at: int = 0
    groups: int = 1
    group_stride: int = 1
    channels: int = 1
    across: int = 1
    time: int = 1
    outputs: int = 1
    leaky: bool = True
    meets: bool = True

    @property
    def inputs(self) -> int:
        """Values of a row that an output sees."""
        return self.across * self.channels

    @property
    def older(self) -> int:
        """Values that what is known before the newest row adds up to: none without older rows, or without products."""
        return 0 if self.time == 1 or self.is_largest else self.groups * self.outputs

    @property
    def is_aligned(self) -> bool:
        """Whether every group's inputs begin at a multiple of four values, and are so many."""
        values = (self.inputs, self.read.offset, self.read.width, self.group_stride * self.channels)
        return not any(value % _TOGETHER for value in values)

    @property
    def is_largest(self) -> bool:
        """Whether it takes the largest of rows, and has no weights."""
        return self.name == "largest"


def layers_of(architecture: DeepLob | Any) -> list[Layer]:
    """The row part, layer by layer."""
    values, nothing = Buffer(architecture.features), Buffer(0)
    gates: dict[str, Any] = {"outputs": architecture.row_width, "leaky": False}
    if not isinstance(architecture, DeepLob):
        return [Layer("lstm0", values, nothing, channels=architecture.features, **gates)]
    filters, width, found = architecture.filters, architecture.features, list[Layer]()
    channels = 1
    for block, taps in zip(BLOCKS, (2, 2, architecture.levels), strict=True):
        width //= taps
        words: dict[str, Any] = {"groups": width, "outputs": filters}
        after = Buffer(width * filters)
        found.append(
            Layer(f"{block}.across", values, after, group_stride=taps, channels=channels, across=taps, **words)
        )
        for part in ("time1", "time2"):
            values, after = after, Buffer(width * filters)
            found.append(Layer(f"{block}.{part}", values, after, channels=filters, time=TAPS, **words))
        values, channels = after, filters
    side = Buffer(3 * architecture.inception)
    found += _inception_of(architecture, values, side)
    return [*found, Layer("lstm0", side, nothing, channels=side.width, **gates)]


def _inception_of(architecture: DeepLob, values: Buffer, side: Buffer) -> list[Layer]:
    """Three branches side by side, step by step: what is next to one another waits for nothing of it."""
    filters, inner = architecture.filters, architecture.inception
    short, long, largest = Buffer(inner), Buffer(inner), Buffer(filters)
    points: dict[str, Any] = {"channels": filters, "outputs": inner}
    times: dict[str, Any] = {"channels": inner, "outputs": inner}
    return [
        Layer("short.point", values, short, **points, meets=False),
        Layer("long.point", values, long, **points, meets=False),
        Layer("largest", values, largest, time=SHORT, outputs=filters),
        Layer("short.time", short, side, 0, time=SHORT, **times, meets=False),
        Layer("long.time", long, side, inner, time=LONG, **times, meets=False),
        Layer("pooled.point", largest, side, 2 * inner, **points),
    ]


def place(layers: list[Layer]) -> int:
    """Give every buffer the depth that its readers need, and its place, the first one at 0.

    Returns their size, with what older rows add up to behind them.
    """
    for layer in layers:
        layer.read.depth = max(layer.read.depth, layer.time)
    end, placed = 0, list[Buffer]()
    for buffer in (buffer for layer in layers for buffer in (layer.read, layer.write)):
        if not any(buffer is other for other in placed):
            buffer.offset, end = end, end + buffer.depth * buffer.width
            placed.append(buffer)
    return end + sum(layer.older for layer in layers)


def unit_by_unit(gates: Singles) -> Singles:
    """[4 * hidden, ...] in the order input, forget, cell, output to the four of every unit next to one another."""
    split = gates.reshape(4, -1, *gates.shape[1:])
    return np.ascontiguousarray(split.swapaxes(0, 1)).reshape(gates.shape)


def splits_of(outputs: int, inputs: int, threads: int) -> int:
    """Lanes that share an output, a power of two: as many as there are threads for, and inputs to share in fours."""
    splits = 1
    while splits < _LANES and 2 * splits * _TOGETHER <= inputs and outputs * 2 * splits <= threads:
        splits *= 2
    return splits


def table_of(layers: list[Layer], tensors: dict[str, Singles], threads: int, size: int) -> tuple[Any, Singles]:
    """int32[layers, 21] for the kernel on so many threads, and all weights and biases, inputs before outputs.

    size: of the buffers, as ``place`` gives it.
    """
    rows, end, older_at = [], 0, size - sum(layer.older for layer in layers)
    parts: list[Singles] = [np.zeros(0, np.float32)]
    for layer in layers:
        weight_at = bias_at = 0
        if not layer.is_largest:
            weight, bias = (
                tensors[f"{layer.name}.{'input' if layer.name == 'lstm0' else 'weight'}"],
                tensors[f"{layer.name}.bias"],
            )
            if layer.name == "lstm0":
                weight, bias = unit_by_unit(weight), unit_by_unit(bias)
            laid = (weight[:, :, None] if weight.ndim == 2 else weight).transpose(2, 1, 0).ravel()
            weight_at, bias_at = end, end + laid.size
            parts += [laid, bias]
            end += laid.size + layer.outputs
        read, write = layer.read, layer.write
        rings = (read.offset, read.depth, read.width, write.offset, write.depth, write.width, layer.write_at)
        shape = (layer.groups, layer.group_stride, layer.channels, layer.across, layer.time, layer.outputs)
        together = _TOGETHER if layer.groups >= _TOGETHER else 1
        splits = splits_of(-(-layer.groups // together) * layer.outputs, layer.inputs, threads)
        flags = (int(layer.leaky), int(layer.meets), splits, int(layer.is_aligned), older_at)
        rows.append((int(layer.is_largest), *rings, *shape, weight_at, bias_at, *flags))
        older_at += layer.older
    table: Integers = np.array(rows)
    return table.astype(np.int32), np.concatenate(parts)
