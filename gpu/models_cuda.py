"""Launches of ``kernels/models.cu``: rows of an order book to the logits of every window, all on one device.

The vector of a row is computed once, whatever windows hold it: convolutions in time are causal and unpadded, so that it
is the same in each. Results equal those of windows computed one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np

from gpu.kernel import KernelModule, KernelSource, LaunchShape
from gpu.models.architecture import (
    BLOCKS,
    LONG,
    SHORT,
    Architecture,
    Bilinear,
    DeepLob,
    Lstm,
    Transformer,
    vectors_per_window,
)
from gpu.models.weights import Model, Singles
from gpu.models_bfloat16 import (
    TOGETHER,
    DeepLobRows,
    bfloat16_pairs,
    fragments,
    has_lstm,
    has_rows,
    lstm_source,
    product_source,
)
from gpu.transformer_cuda import TransformerRows, attention_fits
from market.errors import Rejected

BLOCK: Final = 256
POSITIONS: Final = 128
"""Positions and outputs of a tile of a product; these three as in the source."""
OUTPUTS: Final = 32
SHARED_BYTES: Final = 96 * 1024
"""Of a block, so that two of them fit a multiprocessor."""
NARROW_WINDOWS: Final = 16
"""Of a block of the LSTM in bfloat16."""
_WINDOWS: Final = (16, 8, 4, 1)


class Precision(StrEnum):
    """Of the products."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    """Factors of 8 bits by matrix instructions, sums in float32; LSTMs without such a kernel recur in float32."""


def windows_together(architecture: Architecture) -> int:
    """Windows that a block computes together. Raises Rejected when the states of one are too large for it."""
    for windows in _WINDOWS:
        if state_bytes(architecture, windows) <= SHARED_BYTES:
            return windows
    raise Rejected(
        f"{architecture}: the states of one window are {state_bytes(architecture, 1)} bytes, more than the "
        f"{SHARED_BYTES} of a block: use backend='cpu'"
    )


def fits(architecture: Architecture) -> bool:
    """Whether a GPU's blocks can hold a model."""
    if isinstance(architecture, Transformer):
        return attention_fits(architecture, SHARED_BYTES)
    return state_bytes(architecture, 1) <= SHARED_BYTES


def state_bytes(architecture: Architecture, windows: int) -> int:
    """Shared memory that the LSTMs of some windows take: outputs and cells of every layer, and the gates of one."""
    if not isinstance(architecture, DeepLob | Lstm):
        return 0
    hidden = architecture.row_width // 4
    return 4 * windows * hidden * (2 * architecture.layers + 4)


def source(architecture: Architecture) -> KernelSource:
    """The kernels for a shape."""
    return KernelSource.named("models", {"WINDOWS": windows_together(architecture)}, contracts=True)


@dataclass(frozen=True, eq=False)
class _Product:
    """Weights of a product on the device: [taps * channels, outputs] or their fragments, and a bias per output."""

    weight: Any
    bias: Any
    channels: int
    taps: int
    outputs: int


class ModelKernels:
    """A model's weights and kernels on one device.

    Parameters
    ----------
    module: compiles a source: ``CupyModule``, or the CPU's runner in tests. xp: the array module whose arrays it takes.
    precision: of products.

    Raises Rejected for a model whose states, or keys and values, do not fit a block.
    """

    def __init__(
        self,
        model: Model,
        module: Callable[[KernelSource], KernelModule],
        xp: Any,
        precision: Precision = Precision.FLOAT32,
    ) -> None:
        self.architecture = model.architecture
        self.xp = xp
        self._module = module(source(model.architecture))
        is_narrow = precision is Precision.BFLOAT16
        self._narrow_products = module(product_source()) if is_narrow else None
        self._narrow_rows = DeepLobRows(model, module, xp) if is_narrow and has_rows(model.architecture) else None
        self._tensors = {name: np.ascontiguousarray(tensor) for name, tensor in model.tensors.items()}
        self._products = {name: self._of(name) for name in _affine_names(model)}
        self._transformer: TransformerRows | None = None
        if isinstance(self.architecture, Transformer):
            self._transformer = TransformerRows(model, module, xp, self._dense, SHARED_BYTES)
        if isinstance(self.architecture, DeepLob | Lstm):
            self._load_lstm()
        self._narrow_lstm: KernelModule | None = None
        if is_narrow and has_lstm(model.architecture):
            self._narrow_lstm = module(lstm_source(model.architecture))
            self._pairs = xp.asarray(bfloat16_pairs(self._tensors["lstm0.recurrent"]))

    @property
    def bytes_per_row(self) -> int:
        """Device memory that a row takes on its way, at most."""
        widest = self.architecture.features
        if isinstance(self.architecture, DeepLob):
            widest = 2 * self.architecture.levels * self.architecture.filters + 4 * self.architecture.inception
        if isinstance(self.architecture, Transformer):
            widest = max(widest, 3 * self.architecture.width + self.architecture.expanded)
        return 4 * (2 * widest + 3 * self.architecture.row_width + 64)

    def logits(self, rows: Any) -> Any:
        """float32[n - window + 1, classes] of float32[n, features] on the device, n at least ``window``."""
        return self.window_logits(self.row_vectors(rows))

    def row_vectors(self, rows: Any) -> Any:
        """float32[n - reach + 1, row_width]."""
        if self._narrow_rows is not None:
            return self._narrow_rows.vectors(rows)
        if self._transformer is not None:
            return self._transformer.vectors(rows)
        if isinstance(self.architecture, Bilinear):
            return self._dense("rows", rows, leaky=True)
        if isinstance(self.architecture, DeepLob):
            rows = self._inception(self._tower(rows))
        return self._dense("lstm0", rows)

    def window_logits(self, vectors: Any) -> Any:
        """float32[k - vectors_per_window + 1, classes] of vectors that follow one another."""
        count = len(vectors) - vectors_per_window(self.architecture) + 1
        if isinstance(self.architecture, Bilinear):
            moments = self._along("time", vectors[:, :, None], leaky=True)
            return self._dense("dense", moments.reshape(count, -1))
        if isinstance(self.architecture, Transformer):
            return self._dense("dense", vectors)
        hidden, layers = self.architecture.row_width // 4, self.architecture.layers
        states = self.xp.empty((count, hidden), np.float32)
        if self._narrow_lstm is not None:
            blocks = LaunchShape((-(-count // NARROW_WINDOWS),), (4 * hidden,))
            lengths = (np.int64(count), np.int32(vectors_per_window(self.architecture)))
            self._narrow_lstm.launch("last_states_bfloat16", blocks, (vectors, self._pairs, *lengths, states))
            return self._dense("dense", states)
        windows = windows_together(self.architecture)
        shape = LaunchShape((-(-count // windows),), (BLOCK,), state_bytes(self.architecture, windows))
        sizes = (np.int64(count), *(np.int32(size) for size in (vectors_per_window(self.architecture), layers, hidden)))
        self._module.launch(
            "last_states", shape, (vectors, self._recurrent, self._inputs, self._biases, *sizes, states)
        )
        return self._dense("dense", states)

    def _tower(self, rows: Any) -> Any:
        values = rows[:, :, None]
        for block in BLOCKS:
            values = self._across(f"{block}.across", values)
            values = self._along(f"{block}.time1", values)
            values = self._along(f"{block}.time2", values)
        return values[:, 0, :]

    def _inception(self, values: Any) -> Any:
        """The branches side by side, each cut to the rows that the longest has."""
        assert isinstance(self.architecture, DeepLob)
        width, rows = self.architecture.inception, len(values) - LONG + 1
        out = self.xp.empty((rows, 3 * width), np.float32)
        cut = values[LONG - SHORT :]
        short = self._dense("short.point", cut, leaky=True)
        self._product("short.time", short, rows, (1, 1, 0, 1), out, 0, leaky=True)
        long = self._dense("long.point", values, leaky=True)
        self._product("long.time", long, rows, (1, 1, 0, 1), out, width, leaky=True)
        largest = self.xp.empty((rows, values.shape[1]), np.float32)
        sizes = (np.int64(rows), np.int32(values.shape[1]), np.int32(SHORT))
        shape = LaunchShape((-(-largest.size // BLOCK),), (BLOCK,))
        self._module.launch("largest_of_rows", shape, (cut, *sizes, largest))
        self._product("pooled.point", largest, rows, (1, 1, 0, 1), out, 2 * width, leaky=True)
        return out

    def _across(self, name: str, values: Any) -> Any:
        """[n, width, channels] to [n, width / taps, filters]."""
        product, (rows, width, _) = self._products[name], values.shape
        out = self.xp.empty((rows, width // product.taps, product.outputs), np.float32)
        self._product(name, values, rows * out.shape[1], (out.shape[1], width, product.taps, 1), out, 0, leaky=True)
        return out

    def _along(self, name: str, values: Any, *, leaky: bool = True) -> Any:
        """[n, width, channels] to [n - taps + 1, width, filters]."""
        product, (rows, width, _) = self._products[name], values.shape
        out = self.xp.empty((rows - product.taps + 1, width, product.outputs), np.float32)
        self._product(name, values, len(out) * width, (width, width, 1, width), out, 0, leaky=leaky)
        return out

    def _dense(self, name: str, values: Any, *, leaky: bool = False) -> Any:
        out = self.xp.empty((len(values), self._products[name].outputs), np.float32)
        self._product(name, values, len(values), (1, 1, 0, 0), out, 0, leaky=leaky)
        return out

    def _product(
        self,
        name: str,
        values: Any,
        positions: int,
        strides: tuple[int, int, int, int],
        out: Any,
        offset: int,
        *,
        leaky: bool,
    ) -> None:
        """Launch a product; ``strides``: groups of a row, and vectors from row to row, group to group, tap to tap."""
        product, width = self._products[name], out.shape[-1]
        whole = (product.channels, product.taps, product.outputs, width, offset, int(leaky))
        numbers = (np.int64(positions), *(np.int32(number) for number in (*strides, *whole)))
        shape = LaunchShape((-(-positions // POSITIONS), -(-product.outputs // OUTPUTS)), (BLOCK,))
        arguments = (values, product.weight, product.bias, out, *numbers)
        if self._narrow_products is not None:
            self._narrow_products.launch("product_bfloat16", shape, arguments)
        else:
            self._module.launch("product", shape, arguments)

    def _of(self, name: str) -> _Product:
        """A tensor [outputs, channels, taps], without taps, or [outputs, taps] over time, as a product."""
        weight = self._tensors["lstm0.input" if name == "lstm0" else f"{name}.weight"]
        if name == "time":
            weight = weight[:, None, :]
        elif weight.ndim == 2:
            weight = weight[:, :, None]
        outputs, channels, taps = weight.shape
        laid: Singles = np.ascontiguousarray(weight.transpose(2, 1, 0)).reshape(taps * channels, outputs)
        kept = laid if self._narrow_products is None else fragments(laid, TOGETHER)
        return _Product(self.xp.asarray(kept), self.xp.asarray(self._tensors[f"{name}.bias"]), channels, taps, outputs)

    def _load_lstm(self) -> None:
        """Weights of all layers, inputs before gates; those of the first layer's input are a product's."""
        layers = range(self.architecture.layers)  # type: ignore[union-attr]

        def stacked(part: str, begin: int) -> Any:
            found = [self._tensors[f"lstm{layer}.{part}"].T for layer in layers[begin:]]
            # A kernel's argument is an array, also where there is no second layer.
            return self.xp.asarray(np.ascontiguousarray(np.stack(found)) if found else np.zeros(1, np.float32))

        self._recurrent, self._inputs, self._biases = stacked("recurrent", 0), stacked("input", 1), stacked("bias", 1)


def _affine_names(model: Model) -> list[str]:
    names = [name.removesuffix(".weight") for name in model.tensors if name.endswith(".weight")]
    return [*names, "lstm0"] if isinstance(model.architecture, DeepLob | Lstm) else names
