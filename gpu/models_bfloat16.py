"""What models compute in bfloat16 on a GPU: weights as matrix instructions take them, and which kernels a shape has.

Factors have 8 bits, sums are float32. ``product_bfloat16.cu`` has every dense layer and convolution of every model,
``rows_bfloat16.cu`` DeepLOB's whole row part in one launch, ``models_bfloat16.cu`` the recurrent part of one LSTM.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gpu.kernel import KernelModule, KernelSource, LaunchShape
from gpu.models.architecture import BLOCKS, TOWER_REACH, Architecture, DeepLob, Lstm
from gpu.models.weights import Model, Singles

BLOCK: Final = 256
TILE: Final = 128
"""Rows that a block of the row part takes, ``TILE - TOWER_REACH + 1`` vectors of them; both as in the source."""
MOST_HIDDEN: Final = 128
"""Units of an LSTM whose weights stay in registers."""
MOST_FILTERS: Final = 32
MOST_INCEPTION: Final = 64
"""Of a row part whose sums fit registers and whose vectors fit shared memory."""
_DEPTH: Final = 16
_TILE_OUTPUTS: Final = 8
TOGETHER: Final = 32
"""Outputs that a warp computes together, of a product and of the gates."""

Words = NDArray[np.uint32]


def bfloat16_pairs(weight: Singles) -> Words:
    """uint32[rows, columns / 2] of float32[rows, columns]: neighbours rounded to bfloat16, firsts in lower halves."""
    bits: Words = np.ascontiguousarray(weight, dtype=np.float32).view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
    return np.ascontiguousarray(rounded[:, 0::2] | (rounded[:, 1::2] << np.uint32(16)), dtype=np.uint32)


def fragments(weight: Singles, multiple: int = 8) -> Words:
    """What every lane takes of [inputs, outputs] at every instruction, with zeros up to multiples of 16 and of that.

    uint32[outputs / 8, inputs / 16, 32, 2], flat: PTX ISA, "Matrix Fragments for mma.m16n8k16", matrix B.
    """
    inputs, outputs = weight.shape
    whole = np.zeros((_up(inputs, _DEPTH), _up(outputs, multiple)), np.float32)
    whole[:inputs, :outputs] = weight
    pairs = bfloat16_pairs(whole.T)
    split = pairs.reshape(whole.shape[1] // _TILE_OUTPUTS, _TILE_OUTPUTS, whole.shape[0] // _DEPTH, 2, 4)
    return np.ascontiguousarray(split.transpose(0, 2, 1, 4, 3)).reshape(-1)


def product_source() -> KernelSource:
    """Dense layers and convolutions."""
    return KernelSource.named("product_bfloat16", contracts=True)


def has_lstm(architecture: Architecture) -> bool:
    """Whether the recurrent part of a model has a kernel in bfloat16: one LSTM, 16 to 128 units, a multiple of 16."""
    if not isinstance(architecture, DeepLob | Lstm) or architecture.layers != 1:
        return False
    return architecture.hidden % _DEPTH == 0 and architecture.hidden <= MOST_HIDDEN


def lstm_source(architecture: Architecture) -> KernelSource:
    """The recurrent part, for a shape that has it."""
    assert isinstance(architecture, DeepLob | Lstm)
    return KernelSource.named("models_bfloat16", {"HIDDEN": architecture.hidden}, contracts=True)


def has_rows(architecture: Architecture) -> bool:
    """Whether the row part of a model has a kernel of its own."""
    if not isinstance(architecture, DeepLob):
        return False
    return architecture.filters <= MOST_FILTERS and architecture.inception <= MOST_INCEPTION


def rows_source(architecture: DeepLob) -> KernelSource:
    """The row part, for a shape that has it."""
    sizes = {"FILTERS": _up(architecture.filters, _DEPTH), "INCEPTION": _up(architecture.inception, _DEPTH)}
    return KernelSource.named(
        "rows_bfloat16", sizes | {"LEVELS": architecture.levels, "HIDDEN": architecture.hidden}, contracts=True
    )


def rows_shared_bytes(architecture: DeepLob) -> int:
    """Shared memory of a block of the row part: two rooms for the vectors between layers, and those of the branches."""
    narrow, wide = _up(architecture.filters, _DEPTH) // 2 + 4, _up(architecture.inception, _DEPTH) // 2 + 4
    side = 3 * _up(architecture.inception, _DEPTH) // 2 + 4
    room = max((2 * TILE + _DEPTH) * narrow, (TILE + _DEPTH) * wide)
    return 4 * (2 * room + _up(TILE - TOWER_REACH + 1, _DEPTH) * side)


class DeepLobRows:
    """DeepLOB's row part in one launch.

    Parameters
    ----------
    module: compiles a source. xp: the array module whose arrays it takes.
    """

    def __init__(self, model: Model, module: Callable[[KernelSource], KernelModule], xp: Any) -> None:
        assert isinstance(model.architecture, DeepLob)
        self._architecture, self._xp = model.architecture, xp
        self._module = module(rows_source(model.architecture))
        pair, weights, biases = _laid_out(model)
        self._loaded = (xp.asarray(pair), xp.asarray(weights), xp.asarray(biases))

    def vectors(self, rows: Any) -> Any:
        """float32[n - 22, 4 * hidden] of float32[n, features]."""
        architecture, per_block = self._architecture, TILE - TOWER_REACH + 1
        count = len(rows) - TOWER_REACH + 1
        out = self._xp.empty((count, architecture.row_width), np.float32)
        shape = LaunchShape((-(-count // per_block),), (BLOCK,), rows_shared_bytes(architecture))
        self._module.launch("deeplob_rows", shape, (rows, *self._loaded, np.int64(count), out))
        return out


def _laid_out(model: Model) -> tuple[Singles, Words, Singles]:
    """The first layer's weight, those of all others, and all biases, as ``deeplob_rows`` takes them."""
    architecture, tensors = model.architecture, model.tensors
    assert isinstance(architecture, DeepLob)
    filters, inception = _up(architecture.filters, _DEPTH), _up(architecture.inception, _DEPTH)
    tower = [f"{block}.{part}" for block in BLOCKS for part in ("across", "time1", "time2")]
    branches = ("short.point", "short.time", "long.point", "long.time", "pooled.point")
    first = _filled(tensors["pair.across.weight"], 1, filters)
    parts = [
        *(fragments(_filled(tensors[f"{name}.weight"], filters, filters)) for name in tower[1:]),
        *(
            fragments(_filled(tensors[f"{name}.weight"], inception if name.endswith("time") else filters, inception))
            for name in branches
        ),
        fragments(_gates(tensors["lstm0.input"], architecture.inception, inception), TOGETHER),
    ]
    widths = (*[filters] * len(tower), *[inception] * len(branches), _up(architecture.row_width, TOGETHER))
    biases = [
        np.pad(bias, (0, width - len(bias)))
        for bias, width in zip(
            (tensors["lstm0.bias" if name == "lstm0" else f"{name}.bias"] for name in (*tower, *branches, "lstm0")),
            widths,
            strict=True,
        )
    ]
    return first, np.concatenate(parts), np.concatenate(biases)


def _filled(weight: Singles, channels: int, outputs: int) -> Singles:
    """[taps * channels, outputs] of [outputs, channels, taps] or [outputs, channels], zeros for what is none."""
    whole = weight if weight.ndim == 3 else weight[:, :, None]
    filled = np.zeros((whole.shape[2], channels, outputs), np.float32)
    filled[:, : whole.shape[1], : whole.shape[0]] = whole.transpose(2, 1, 0)
    return filled.reshape(-1, outputs)


def _gates(weight: Singles, branch: int, filled: int) -> Singles:
    """[3 * filled, gates] of [gates, 3 * branch]."""
    parts = [np.pad(part, ((0, 0), (0, filled - branch))) for part in np.split(weight, 3, axis=1)]
    return np.concatenate(parts, axis=1).T


def _up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
