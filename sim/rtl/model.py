"""A model as Python sees it: frames and control messages in, cycles by the batch, messages out."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from market.errors import Fatal, MissingInput

SETTLE_CYCLES: Final = 1_000_000
"""More than any single input can keep a core busy."""
LOG_BACKLOG_BYTES: Final = 8_192
"""Half of the core's ring for the event log."""


class Area(IntEnum):
    """What a model collects."""

    OUTPUTS = 0
    LOG = 1
    SENT = 2
    """Frames that the core sent, without preamble, and without those that it spoiled itself."""
    MARKS = 3
    """Pairs of int64: ``Mark`` and cycle."""
    SPOILED = 4
    """Frames that the core spoiled itself; they are collected where ``SENT`` is, too."""


class Mark(IntEnum):
    """Moments of a frame; each is the number of the cycle in which it shows on the core's ports."""

    FIRST_BEAT = 0
    LAST_BEAT = 1
    EARLY = 2
    FIRST_SENT = 3
    FRAME_GOOD = 4
    FRAME_DROPPED = 5


class Value(IntEnum):
    """Single numbers of a model."""

    CYCLE = 0
    PARITY = 1
    LAST_ID = 2
    KILLED = 3
    LAST_STEP = 4
    OVERRUN = 5
    """1 once a step was lost."""


class Model:
    """One simulated core, reset.

    Parameters
    ----------
    library: shared library as ``library_of`` makes it.
    sizes, addresses: the core's ports of these names, as little-endian bytes.
    keep: what to collect besides outputs, which are always kept.
    backlog: bytes of the event log that may wait in the core before further input waits, too.

    Inputs are given in order: before a control message all frames have been dealt with, and the other way round.
    Not safe to share between threads. ``close`` frees it; so does the garbage collector.
    """

    def __init__(
        self,
        library: Path,
        sizes: bytes,
        addresses: bytes = b"",
        *,
        keep: Sequence[Area] = (),
        backlog: int = LOG_BACKLOG_BYTES,
    ) -> None:
        self._functions = _load(library)
        lengths = [self._functions.soft_fpga_port_bytes(port) for port in range(2)]
        ports = [content.ljust(length, b"\0") for content, length in zip((sizes, addresses), lengths, strict=True)]
        if [len(port) for port in ports] != lengths:
            raise Fatal(f"sizes and addresses are {len(sizes)} and {len(addresses)} bytes; the ports have {lengths}")
        self._open: int | None = self._functions.soft_fpga_new(*ports, backlog)
        areas = sum(1 << area for area in {Area.OUTPUTS, *keep})
        self._functions.soft_fpga_keep(self._model, areas)

    @property
    def _model(self) -> int:
        if self._open is None:
            raise Fatal("the model was closed: make another")
        return self._open

    def close(self) -> None:
        """Free the model; nothing else can be called afterwards."""
        if self._open is not None:
            self._functions.soft_fpga_free(self._open)
            self._open = None

    def __del__(self) -> None:
        if getattr(self, "_open", None) is not None:
            self.close()

    def pace(self, cycles: int, octets: int) -> None:
        """Let a beat of frames come when the last of its bytes is there: the line takes ``cycles`` for ``octets``."""
        self._functions.soft_fpga_pace(self._model, cycles, octets)

    def frames(self, frames: Sequence[bytes], times_ns: Sequence[int], gap: int) -> None:
        """Give frames, check sequences included, one receive time each, ``gap`` idle cycles behind each."""
        self._check(self._functions.soft_fpga_frames(self._model, *_batch(frames, times_ns), gap))

    def control(self, messages: Sequence[bytes], times_ns: Sequence[int]) -> None:
        """Give control messages and host events; none may be empty."""
        self._check(self._functions.soft_fpga_control(self._model, *_batch(messages, times_ns)))

    def control_rows(self, rows: NDArray[np.uint8], times_ns: NDArray[np.int64]) -> None:
        """Give messages of one length, ``uint8[n, length]``, with ``int64[n]`` times."""
        contiguous = np.ascontiguousarray(rows)
        offsets = np.arange(len(rows) + 1, dtype=np.int64) * rows.shape[1]
        times = np.ascontiguousarray(times_ns, dtype=np.int64)
        addresses = (contiguous.ctypes.data, offsets.ctypes.data, times.ctypes.data)
        self._check(self._functions.soft_fpga_control(self._model, *addresses, len(rows)))

    def settle(self, cycles: int = SETTLE_CYCLES) -> None:
        """Run until nothing is under way; raises Fatal after so many cycles, and for a core that lost a step."""
        self._check(self._functions.soft_fpga_settle(self._model, cycles))
        if self.value(Value.OVERRUN):
            raise Fatal("the core had no room for a step and lost it: leave more idle cycles between frames")

    def run(self, cycles: int) -> None:
        """Run without input."""
        self._functions.soft_fpga_run(self._model, cycles)

    def kill(self, level: bool) -> None:
        """Set the kill pin."""
        self._functions.soft_fpga_kill(self._model, int(level))

    def probe(self, first: int, count: int) -> NDArray[np.uint64]:
        """Counters by their position in a count mask: ``uint64[count]``."""
        values: NDArray[np.uint64] = np.zeros(count, dtype=np.uint64)
        self._functions.soft_fpga_probe(self._model, first, count, values.ctypes.data)
        return values

    def value(self, which: Value) -> int:
        """A number that the core shows on a port, 0..2^64 - 1."""
        return int(self._functions.soft_fpga_value(self._model, int(which))) & (1 << 64) - 1

    def take(self, area: Area) -> bytes:
        """Drain an area: records of a length word, the bytes, and zeros up to a whole word."""
        buffer = bytearray(self._functions.soft_fpga_size(self._model, int(area)))
        if buffer:
            to = (ctypes.c_char * len(buffer)).from_buffer(buffer)
            self._functions.soft_fpga_take(self._model, int(area), ctypes.addressof(to))
        return bytes(buffer)

    def trace(self, path: Path | None) -> None:
        """Write a waveform (VCD) from now on, or end it; raises MissingInput where the library cannot."""
        name = None if path is None else str(path).encode()
        if self._functions.soft_fpga_trace(self._model, name):
            raise MissingInput("this model was built without waveforms: build it with trace=True")

    def _check(self, answer: int) -> None:
        if answer < 0:
            cycle = self.value(Value.CYCLE)
            raise Fatal(f"the core was still busy at cycle {cycle}, {SETTLE_CYCLES} cycles after its last input")


def _batch(items: Sequence[bytes], times_ns: Sequence[int]) -> tuple[bytes, Any, Any, int]:
    """The arguments of a call that takes many: bytes, offsets, times and how many."""
    offsets: NDArray[np.int64] = np.zeros(len(items) + 1, dtype=np.int64)
    np.cumsum([len(item) for item in items], out=offsets[1:])
    times: NDArray[np.int64] = np.array(times_ns, dtype=np.int64)
    return b"".join(items), _Pinned(offsets), _Pinned(times), len(items)


class _Pinned(ctypes.c_void_p):
    """An array's address that keeps the array alive for the call."""

    def __init__(self, array: NDArray[np.int64]) -> None:
        super().__init__(array.ctypes.data)
        self.array = array


def _load(library: Path) -> Any:
    """The functions of a library, declared."""
    functions = ctypes.CDLL(str(library))
    word, address = ctypes.c_int64, ctypes.c_void_p
    declared: dict[str, tuple[Any, list[Any]]] = {
        "port_bytes": (word, [word]),
        "new": (address, [ctypes.c_char_p, ctypes.c_char_p, word]),
        "free": (None, [address]),
        "keep": (None, [address, word]),
        "pace": (None, [address, word, word]),
        "frames": (word, [address, ctypes.c_char_p, address, address, word, word]),
        "control": (word, [address, address, address, address, word]),
        "settle": (word, [address, word]),
        "run": (None, [address, word]),
        "kill": (None, [address, word]),
        "probe": (None, [address, word, word, address]),
        "value": (word, [address, word]),
        "size": (word, [address, word]),
        "take": (None, [address, word, address]),
        "trace": (word, [address, ctypes.c_char_p]),
    }
    for name, (result, arguments) in declared.items():
        function = getattr(functions, f"soft_fpga_{name}")
        function.restype, function.argtypes = result, arguments
    return functions
