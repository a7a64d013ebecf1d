"""A model that stays on a GPU and answers rows one by one: ``kernels/live_model.cu`` and its host.

Convolutions keep the few rows that they look back on, in rings, so that a row's vector costs what one row costs. Of
every window that has begun the LSTMs' states are kept: a new row finishes the oldest window with a single step of the
LSTMs, whose logits go out, and then takes the others a step further. Logits equal those of whole windows. What that
last step takes of the states is multiplied before the row is there.

A DeepLOB takes one block of threads, an LSTM as many as it has units for: every block has some units of each layer.

Protocol, all words of 64 bits in memory that both sides see: the host writes a row into the ring, then ``published``;
the kernel writes logits into their ring, then ``finished``. It ends once ``stop_at`` rows are taken. Each word has one
writer, and the host never has more rows under way than the ring has places.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final, Protocol

import numpy as np

from gpu.cupy_module import CupyModule
from gpu.device import require_gpu
from gpu.kernel import KernelModule, KernelSource, LaunchShape
from gpu.live_layers import layers_of, place, splits_of, table_of, unit_by_unit
from gpu.models.architecture import DeepLob, Lstm, vectors_per_window
from gpu.models.weights import Model, Singles
from gpu.models_cuda import SHARED_BYTES
from market.errors import Fatal, Rejected

BLOCK: Final = 512
WINDOWS: Final = 16
"""Both as in the source."""
_FEWEST_UNITS: Final = 4
"""Of a block, where there are several: meeting takes as long as some thousand products."""
_ONE_BLOCK: Final = 32
"""Units of an LSTM that one block has by itself."""
RING: Final = 64
"""Rows that may be under way."""
FOREVER: Final = (1 << 62) - 1
_TIGHT_LOOKS: Final = 300
"""At a word without a pause, some 40 us: no other thread of Python runs meanwhile."""
_YIELDING_LOOKS: Final = 3_000
"""After which other threads may run each time, some milliseconds."""
_LOOK_EVERY_S: Final = 0.001
_MOST_LOOKS: Final = _YIELDING_LOOKS + 5_000
"""Before the kernel is given up, some seconds."""
_PUBLISHED: Final = 0
_STOP_AT: Final = 1


def source() -> KernelSource:
    """The kernel."""
    return KernelSource.named("live_model", contracts=True)


def blocks_for(architecture: DeepLob | Lstm, most: int) -> int:
    """Blocks of threads that a model takes, of at most so many that the GPU runs at once."""
    if isinstance(architecture, DeepLob) or architecture.hidden <= _ONE_BLOCK:
        return 1
    units = -(-architecture.hidden // most)
    return -(-architecture.hidden // max(units, _FEWEST_UNITS))


class LaunchStream(Protocol):
    """Where launches go while it is entered."""

    def __enter__(self) -> Any: ...

    def __exit__(self, *failure: object) -> Any: ...

    def synchronize(self) -> None:
        """Wait until everything in it is done."""


class HostStream:
    """For the CPU's runner, whose launches return when they are done."""

    def __enter__(self) -> None:
        return

    def __exit__(self, *failure: object) -> None:
        return

    def synchronize(self) -> None:
        """Nothing is left to be done."""


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
    stream: entered for each launch; None: of the host. most_blocks: that the GPU runs at once.
    shared_bytes: of a block.

    Raises Rejected for a bilinear model and a transformer, which have no LSTM, and for windows so long that the states
    of one unit do not fit a block.
    """

    def __init__(
        self,
        model: Model,
        module: Callable[[KernelSource], KernelModule],
        xp: Any,
        memory: SharedMemory,
        stream: LaunchStream | None = None,
        *,
        most_blocks: int = 1,
        shared_bytes: int = SHARED_BYTES,
    ) -> None:
        if not isinstance(model.architecture, DeepLob | Lstm):
            raise Rejected(
                f"a {model.kind} model has no recurrence to keep on a GPU: use backend='cpu', or WindowModel"
            )
        self.architecture = model.architecture
        self._blocks = blocks_for(model.architecture, most_blocks)
        self._units = -(-model.architecture.hidden // self._blocks)
        self._together = self._units_together(shared_bytes)
        self._module, self._xp = module(source()), xp
        self._stream: LaunchStream = HostStream() if stream is None else stream
        self._is_concurrent, self._runs = memory.is_concurrent, False
        self._is_sound = True
        self._rows, rows = memory.arrays((RING, model.architecture.features), np.float32)
        self._control, control = memory.arrays((2,), np.int64)
        self._logits, logits = memory.arrays((RING, model.architecture.classes), np.float32)
        self._finished, finished = memory.arrays((1,), np.int64)
        # What a row takes on its way is looked up once.
        self._places, self._published = list(self._rows), 0
        self._zeros: Singles = np.zeros(model.architecture.features, np.float32)
        self._expected = f"a row must be {model.architecture.features} finite numbers"
        self._windows_from = model.architecture.window - 1
        self._arguments = (rows, control, logits, finished, *self._loaded(model))

    @property
    def blocks(self) -> int:
        """Of threads, which must be on the GPU at once."""
        return self._blocks

    def warm_up(self) -> None:
        """Compile, load and launch the kernel for no row, so that the first row does not wait for that.

        What a kernel takes to be loaded may not happen while another one stays on the GPU.
        """
        self.run(int(self._control[_PUBLISHED]))
        self._runs = False

    def run(self, stop_at: int = FOREVER) -> None:
        """Launch the kernel, which takes rows until so many were taken in all; it goes on where the last one ended.

        On a GPU this returns at once and the kernel waits for rows; the CPU's runner returns when it has ended.
        """
        self._control[_STOP_AT] = stop_at
        with self._stream:
            self._module.launch("run_live", LaunchShape((self._blocks,), (BLOCK,), self._shared_bytes), self._arguments)
        self._runs = self._is_concurrent

    def __enter__(self) -> LiveModel:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        """Have the kernel end, and wait until it has: it writes to memory that is free afterwards.

        One that did not answer is not waited for.
        """
        self.stop()
        if self._is_sound:
            self._stream.synchronize()

    def stop(self) -> None:
        """Have the kernel end once the rows that were published are taken; it can be launched again then."""
        self._control[_STOP_AT] = self._control[_PUBLISHED]
        self._runs = False

    def answer(self, row: Singles) -> Singles | None:
        """Logits of the window that ends with this row, None before the first.

        Raises as ``publish`` and ``wait`` do.
        """
        number = self.publish(row)
        self.wait(number)
        return self._found(number)

    def wait(self, number: int) -> None:
        """Return once a row that was published is finished; launches the kernel if it does not run.

        Raises Fatal when the kernel does not answer.
        """
        self._is_sound = False
        if not self._runs:
            self.run(FOREVER if self._is_concurrent else number + 1)
        for look in range(_MOST_LOOKS):
            if self._finished[0] > number:
                self._is_sound = True
                return
            if look > _TIGHT_LOOKS:
                time.sleep(0.0 if look < _YIELDING_LOOKS else _LOOK_EVERY_S)
        raise Fatal(f"row {number} was not answered: the GPU may be busy with other work")

    def publish(self, row: Singles) -> int:
        """Give a row to the kernel; returns its number. Raises Rejected for another shape, for what is not finite, and
        when the ring is full."""
        number = self._published
        if row.shape != self._zeros.shape:
            raise Rejected(f"{self._expected}, was {row.dtype}{list(row.shape)}")
        if number - int(self._finished[0]) >= RING:
            raise Rejected(f"{RING} rows are under way: read their logits first")
        place = self._places[number % RING]
        place[...] = row
        # Zero times a number is zero, and times what is not finite not a number: one call looks at all values.
        if self._zeros.dot(place) != 0.0:
            raise Rejected(f"{self._expected}, not all of these are finite")
        self._published = number + 1
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
        return self._found(number)

    def _found(self, number: int) -> Singles | None:
        if number < self._windows_from:
            return None
        found: Singles = self._logits[number % RING].copy()
        return found

    def _units_together(self, shared_bytes: int) -> int:
        """Units that a block takes a step further at a time: those whose gates of all windows it has room for."""
        groups = -(-vectors_per_window(self.architecture) // WINDOWS)
        kept, each = 16 * self._units * (self.architecture.layers + 1), 16 * groups * WINDOWS
        together = min(self._units, (shared_bytes - kept) // each)
        if together < 1:
            raise Rejected(
                f"{self.architecture}: {kept} bytes of gates and {each} of one unit's windows are more than the "
                f"{shared_bytes} bytes of a block: use a shorter window, or WindowModel"
            )
        self._shared_bytes = kept + max(together * each, 16 * self._units)
        return together

    def _loaded(self, model: Model) -> tuple[Any, ...]:
        """What the kernel takes beside the shared memory, on the device."""
        xp, architecture = self._xp, self.architecture
        tensors = {name: np.ascontiguousarray(tensor) for name, tensor in model.tensors.items()}
        layers = layers_of(architecture)
        size = place(layers)
        table, weights = table_of(layers, tensors, self._blocks * BLOCK, size)
        hidden, steps, lstms = architecture.hidden, vectors_per_window(architecture), architecture.layers
        states = lstms * -(-steps // WINDOWS) * hidden * WINDOWS
        lanes = splits_of(4 * self._units, hidden, BLOCK)

        def stacked(part: str, begin: int) -> Any:
            found = [unit_by_unit(tensors[f"lstm{layer}.{part}"]).T.ravel() for layer in range(begin, lstms)]
            return xp.asarray(np.concatenate(found) if found else np.zeros(1, np.float32))

        return (
            xp.asarray(table),
            np.int32(len(layers)),
            xp.asarray(weights),
            xp.zeros(size, np.float32),
            stacked("recurrent", 0),
            stacked("input", 1),
            stacked("bias", 1),
            xp.zeros(2 * states, np.float32),
            xp.zeros(states, np.float32),
            xp.zeros(lstms * hidden, np.float32),
            xp.zeros(2, np.uint64),
            *(np.int32(number) for number in (lstms, hidden, steps, self._units, self._together, lanes)),
            xp.asarray(tensors["dense.weight"]),
            xp.asarray(tensors["dense.bias"]),
            *(np.int32(number) for number in (architecture.features, architecture.classes, RING)),
        )


def live_on_gpu(model: Model, taken_blocks: int = 0) -> LiveModel:
    """The model on the current GPU, with rows and logits in mapped memory and a stream of its own, ready for rows.

    To be used in a ``with`` statement: a kernel that nobody ends waits for ever. Several models may stay on one GPU if
    all are made before the first is given a row.

    Parameters
    ----------
    taken_blocks: of models that stay there, too.

    Raises ``MissingExtra`` without a GPU, Rejected when others take the whole of it, and as ``LiveModel`` does.
    """
    cupy = require_gpu()
    blocks = int(cupy.cuda.Device().attributes["MultiProcessorCount"])
    if taken_blocks >= blocks:
        raise Rejected(f"models take {taken_blocks} of the GPU's {blocks} multiprocessors: there is no room for more")
    stream = cupy.cuda.Stream(non_blocking=True)
    live = LiveModel(model, CupyModule, cupy, MappedMemory(cupy), stream, most_blocks=blocks - taken_blocks)
    # What was loaded must be there before another stream reads it.
    cupy.cuda.Device().synchronize()
    live.warm_up()
    stream.synchronize()
    return live
