"""A model that stays on a GPU and answers rows one by one: ``kernels/live_model.cu`` and its host.

Convolutions keep the few rows that they look back on, in rings, so that a row's vector costs what one row costs. Of
every window that has begun the LSTMs' states are kept: a new row finishes the oldest window with a single step of the
LSTMs, whose logits go out, and then takes the others a step further. Logits equal those of whole windows.

Protocol, all words of 64 bits in memory that both sides see: the host writes a row into the ring, then ``published``;
the kernel writes logits into their ring, then ``finished``. It ends once ``stop_at`` rows are taken. Each word has one
writer, and the host never has more rows under way than the ring has places.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from gpu.columns import Integers
from gpu.cupy_module import CupyModule
from gpu.device import require_gpu
from gpu.kernel import KernelModule, KernelSource, LaunchShape
from gpu.models.architecture import BLOCKS, LONG, SHORT, TAPS, Bilinear, DeepLob, vectors_per_window
from gpu.models.weights import Model, Singles
from gpu.models_cuda import SHARED_BYTES
from market.errors import Fatal, Rejected

BLOCK: Final = 256
WINDOWS: Final = 16
"""Both as in the source."""
RING: Final = 64
"""Rows that may be under way."""
FOREVER: Final = (1 << 62) - 1
_MOST_LOOKS: Final = 100_000_000
"""At a word before the kernel is given up, some seconds."""
_PUBLISHED: Final = 0
_STOP_AT: Final = 1


def source() -> KernelSource:
    """The kernel."""
    return KernelSource.named("live_model", contracts=True)


@dataclass
class _Buffer:
    """A ring of rows of one layer's values."""

    width: int
    depth: int = 1
    offset: int = 0


@dataclass(frozen=True)
class _Layer:
    """One layer of the row part: what it reads, where it writes, and its weights; see ``Layer`` in the source."""

    name: str
    read: _Buffer
    write: _Buffer
    write_at: int = 0
    groups: int = 1
    group_stride: int = 1
    channels: int = 1
    across: int = 1
    time: int = 1
    outputs: int = 1
    leaky: bool = True

    @property
    def is_largest(self) -> bool:
        """Whether it takes the largest of rows, and has no weights."""
        return self.name == "largest"


def layers_of(architecture: DeepLob | Any) -> list[_Layer]:
    """The row part, layer by layer; the last one writes the vector."""
    values = _Buffer(architecture.features)
    vector = _Buffer(architecture.row_width)
    if not isinstance(architecture, DeepLob):
        return [_Layer("lstm0", values, vector, channels=architecture.features, outputs=vector.width, leaky=False)]
    filters, width, found = architecture.filters, architecture.features, list[_Layer]()
    channels = 1
    for block, taps in zip(BLOCKS, (2, 2, architecture.levels), strict=True):
        width //= taps
        words: dict[str, Any] = {"groups": width, "outputs": filters}
        after = _Buffer(width * filters)
        found.append(
            _Layer(f"{block}.across", values, after, group_stride=taps, channels=channels, across=taps, **words)
        )
        for part in ("time1", "time2"):
            values, after = after, _Buffer(width * filters)
            found.append(_Layer(f"{block}.{part}", values, after, channels=filters, time=TAPS, **words))
        values, channels = after, filters
    inner = architecture.inception
    side = _Buffer(3 * inner)
    for number, (name, taps) in enumerate((("short", SHORT), ("long", LONG))):
        point = _Buffer(inner)
        found.append(_Layer(f"{name}.point", values, point, channels=filters, outputs=inner))
        found.append(_Layer(f"{name}.time", point, side, number * inner, channels=inner, time=taps, outputs=inner))
    largest = _Buffer(filters)
    found.append(_Layer("largest", values, largest, time=SHORT, outputs=filters))
    found.append(_Layer("pooled.point", largest, side, 2 * inner, channels=filters, outputs=inner))
    found.append(_Layer("lstm0", side, vector, channels=3 * inner, outputs=vector.width, leaky=False))
    return found


class SharedMemory(Protocol):
    """Memory that host and device both read and write while a kernel runs.

    Members
    -------
    is_concurrent: whether the host goes on while a kernel runs.
    """

    is_concurrent: bool

    def arrays(self, shape: tuple[int, ...], dtype: Any) -> tuple[Any, Any]:
        """Zeros, as the host and as the device sees them."""


class HostMemory:
    """For the CPU's runner: host and device are one."""

    is_concurrent = False

    def arrays(self, shape: tuple[int, ...], dtype: Any) -> tuple[Any, Any]:
        """As ``SharedMemory`` says."""
        array = np.zeros(shape, dtype)
        return array, array


class MappedMemory:
    """Pinned memory of the host that the GPU reads over the bus."""

    is_concurrent = True

    def __init__(self, cupy: Any) -> None:
        self._cupy = cupy

    def arrays(self, shape: tuple[int, ...], dtype: Any) -> tuple[Any, Any]:
        """As ``SharedMemory`` says. Pinned memory has one address for both."""
        cuda, size = self._cupy.cuda, int(np.prod(shape)) * np.dtype(dtype).itemsize
        pinned = cuda.alloc_pinned_memory(size)
        host = np.frombuffer(pinned, dtype, int(np.prod(shape))).reshape(shape)
        host[...] = 0
        memory = cuda.UnownedMemory(pinned.ptr, size, pinned)
        return host, self._cupy.ndarray(shape, dtype, cuda.MemoryPointer(memory, 0))


class LiveModel:
    """A model of LSTMs (DeepLOB among them) that takes rows one by one.

    Parameters
    ----------
    module: compiles a source. xp: the array module whose arrays it takes. memory: what host and device share.
    stream: entered for each launch; None: launches go where others go.

    Raises Rejected for a bilinear model, which needs no kernel, and for LSTMs whose gates do not fit a block.
    """

    def __init__(
        self,
        model: Model,
        module: Callable[[KernelSource], KernelModule],
        xp: Any,
        memory: SharedMemory,
        stream: AbstractContextManager[Any] | None = None,
    ) -> None:
        if isinstance(model.architecture, Bilinear):
            raise Rejected("a bilinear model has no recurrence to keep on a GPU: use WindowModel")
        self.architecture = model.architecture
        hidden = model.architecture.hidden
        self._shared_bytes = 4 * 4 * hidden * WINDOWS
        if self._shared_bytes > SHARED_BYTES:
            raise Rejected(f"gates of {hidden} units take {self._shared_bytes} bytes, a block has {SHARED_BYTES}")
        self._module, self._xp = module(source()), xp
        self._stream: AbstractContextManager[Any] = stream or nullcontext()
        self._is_concurrent, self._runs = memory.is_concurrent, False
        self._rows, rows = memory.arrays((RING, model.architecture.features), np.float32)
        self._control, control = memory.arrays((2,), np.int64)
        self._logits, logits = memory.arrays((RING, model.architecture.classes), np.float32)
        self._finished, finished = memory.arrays((1,), np.int64)
        self._arguments = (rows, control, logits, finished, *self._loaded(model))

    def run(self, stop_at: int = FOREVER) -> None:
        """Launch the kernel, which takes rows until so many were taken in all; it goes on where the last one ended.

        On a GPU this returns at once and the kernel waits for rows; the CPU's runner returns when it has ended.
        """
        self._control[_STOP_AT] = stop_at
        with self._stream:
            self._module.launch("run_live", LaunchShape((1,), (BLOCK,), self._shared_bytes), self._arguments)
        self._runs = self._is_concurrent

    def __enter__(self) -> LiveModel:
        return self

    def __exit__(self, *failure: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Have the kernel end once the rows that were published are taken; it can be launched again then."""
        self._control[_STOP_AT] = self._control[_PUBLISHED]
        self._runs = False

    def answer(self, row: Singles) -> Singles | None:
        """Logits of the window that ends with this row, None before the first; launches the kernel if it does not run.

        Raises as ``publish`` does, and Fatal when the kernel does not answer.
        """
        number = self.publish(row)
        if not self._runs:
            self.run(FOREVER if self._is_concurrent else number + 1)
        for _ in range(_MOST_LOOKS):
            if self._finished[0] > number:
                return self.logits(number)
        raise Fatal(f"row {number} was not answered: the GPU may be busy with other work")

    def publish(self, row: Singles) -> int:
        """Give a row to the kernel; returns its number. Raises Rejected for another shape, for what is not finite, and
        when the ring is full."""
        number = int(self._control[_PUBLISHED])
        if row.shape != (self.architecture.features,) or not np.isfinite(row).all():
            raise Rejected(
                f"a row must be {self.architecture.features} finite numbers, was {row.dtype}{list(row.shape)}"
            )
        if number - self.finished >= RING:
            raise Rejected(f"{RING} rows are under way: read their logits first")
        self._rows[number % RING] = row
        self._control[_PUBLISHED] = number + 1
        return number

    @property
    def finished(self) -> int:
        """Rows whose logits are out."""
        return int(self._finished[0])

    def logits(self, number: int) -> Singles | None:
        """float32[classes] of the window that ends with a row; None while fewer rows than a window were before it.

        Raises Fatal for a row that is not finished, or whose place in the ring was taken since.
        """
        if not self.finished - RING <= number < self.finished:
            raise Fatal(f"row {number} has no logits here: {self.finished} rows are finished, {RING} are kept")
        if number < self.architecture.window - 1:
            return None
        found: Singles = self._logits[number % RING].copy()
        return found

    def _loaded(self, model: Model) -> tuple[Any, ...]:
        """What the kernel takes beside the shared memory, on the device."""
        xp, architecture = self._xp, self.architecture
        tensors = {name: np.ascontiguousarray(tensor) for name, tensor in model.tensors.items()}
        layers = layers_of(architecture)
        size = _place(layers)
        table, weights = _table(layers, tensors)
        hidden, steps, lstms = architecture.hidden, vectors_per_window(architecture), architecture.layers
        states = (lstms * -(-steps // WINDOWS) * hidden * WINDOWS,)

        def stacked(part: str, begin: int) -> Any:
            found = [tensors[f"lstm{layer}.{part}"].T.ravel() for layer in range(begin, lstms)]
            return xp.asarray(np.concatenate(found) if found else np.zeros(1, np.float32))

        return (
            xp.asarray(table),
            np.int32(len(layers)),
            xp.asarray(weights),
            xp.zeros(size, np.float32),
            np.int32(layers[-1].write.offset),
            stacked("recurrent", 0),
            stacked("input", 1),
            stacked("bias", 1),
            xp.zeros(states, np.float32),
            xp.zeros(states, np.float32),
            *(np.int32(number) for number in (lstms, hidden, steps)),
            xp.asarray(tensors["dense.weight"]),
            xp.asarray(tensors["dense.bias"]),
            *(np.int32(number) for number in (architecture.features, architecture.classes, RING)),
        )


def live_on_gpu(model: Model) -> LiveModel:
    """The model on the current GPU, with rows and logits in mapped memory and a stream of its own.

    To be used in a ``with`` statement: a kernel that nobody ends waits for ever. Raises ``MissingExtra`` without a GPU.
    """
    cupy = require_gpu()
    live = LiveModel(model, CupyModule, cupy, MappedMemory(cupy), cupy.cuda.Stream(non_blocking=True))
    # What was loaded must be there before another stream reads it.
    cupy.cuda.Device().synchronize()
    return live


def _place(layers: list[_Layer]) -> int:
    """Give every buffer the depth that its readers need, and its place, the first one at 0; returns their size."""
    for layer in layers:
        layer.read.depth = max(layer.read.depth, layer.time)
    end, placed = 0, list[_Buffer]()
    for buffer in (buffer for layer in layers for buffer in (layer.read, layer.write)):
        if not any(buffer is other for other in placed):
            buffer.offset, end = end, end + buffer.depth * buffer.width
            placed.append(buffer)
    return end


def _table(layers: list[_Layer], tensors: dict[str, Singles]) -> tuple[Any, Singles]:
    """int32[layers, 17] for the kernel, and all weights and biases, inputs before outputs."""
    rows, end = [], 0
    parts: list[Singles] = [np.zeros(0, np.float32)]
    for layer in layers:
        weight_at = bias_at = 0
        if not layer.is_largest:
            weight = tensors["lstm0.input" if layer.name == "lstm0" else f"{layer.name}.weight"]
            laid = (weight[:, :, None] if weight.ndim == 2 else weight).transpose(2, 1, 0).ravel()
            weight_at, bias_at = end, end + laid.size
            parts += [laid, tensors[f"{layer.name}.bias"]]
            end += laid.size + layer.outputs
        read, write = layer.read, layer.write
        rings = (read.offset, read.depth, read.width, write.offset, write.depth, write.width, layer.write_at)
        shape = (layer.groups, layer.group_stride, layer.channels, layer.across, layer.time, layer.outputs)
        rows.append((int(layer.is_largest), *rings, *shape, weight_at, bias_at, int(layer.leaky)))
    table: Integers = np.array(rows)
    return table.astype(np.int32), np.concatenate(parts)
