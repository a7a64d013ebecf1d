"""``python -m benchmarks.gpu.expected``: what a DeepLOB's windows should take on an H100, reckoned, not measured.

From bytes, matrix instructions and values of tanh per window, each over what the GPU does of them in a second, as if
nothing overlapped. Left out: all other instructions, and waiting at barriers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gpu.models.architecture import PUBLIC_DEEPLOB, TAPS, TOWER_REACH, DeepLob, vectors_per_window
from gpu.models_bfloat16 import TILE
from gpu.models_cuda import NARROW_WINDOWS

_MULTIPLICATIONS: Final = 16 * 8 * 16
"""Of a matrix instruction."""
_TANH_OF_CELL: Final = 5
_FLOAT: Final = 4
_PER_BLOCK: Final = TILE - TOWER_REACH + 1


@dataclass(frozen=True)
class Device:
    """What a GPU does in a second; an H100's are assumptions.

    Parameters
    ----------
    matrix_flops: of ``mma`` instructions, half of what larger ones reach. tanh: values. memory_bytes, cache_bytes: read
        and written in memory, and between the second-level cache and multiprocessors.
    """

    matrix_flops: float = 400e12
    tanh: float = 16 * 132 * 1.755e9
    memory_bytes: float = 3.0e12
    cache_bytes: float = 5.5e12


@dataclass(frozen=True)
class Line:
    """A part of the reckoning: how much a window takes, and how long that takes."""

    name: str
    amount: float
    unit: str
    seconds: float

    def __str__(self) -> str:
        amount = f"{self.amount:.1f}" if self.amount < 100 else f"{self.amount:,.0f}"
        return f"{amount} {self.unit}"


def tower_instructions(architecture: DeepLob) -> float:
    """Matrix instructions of the row part for a row, what neighbouring blocks both compute among them."""
    filters, inner, gates = (
        _up(size, 16) for size in (architecture.filters, architecture.inception, architecture.row_width)
    )
    level = [
        _instructions(2 * (TILE - 3), TAPS * filters, filters),
        _instructions(2 * (TILE - 6), TAPS * filters, filters),
        _instructions(TILE - 6, 2 * filters, filters),
        _instructions(TILE - 9, TAPS * filters, filters),
        _instructions(TILE - 12, TAPS * filters, filters),
        _instructions(TILE, filters, filters),
    ]
    rest = [
        _instructions(TILE - 15, TAPS * filters, filters),
        _instructions(_PER_BLOCK + 4, TAPS * filters, filters),
        _instructions(_PER_BLOCK + 2, filters, inner),
        _instructions(_PER_BLOCK + 4, filters, inner),
        _instructions(_PER_BLOCK, filters, inner),
        _instructions(_PER_BLOCK, 3 * inner, inner),
        _instructions(_PER_BLOCK, 5 * inner, inner),
        _instructions(_PER_BLOCK, 3 * inner, _up(gates, 32)),
    ]
    return (architecture.levels * sum(level) + sum(rest)) / _PER_BLOCK


def recurrent_instructions(architecture: DeepLob) -> float:
    """Matrix instructions of the LSTM and the last layer for a window; the first step has no states to multiply."""
    steps, hidden = vectors_per_window(architecture), architecture.hidden
    blocks = (steps - 1) * _instructions(NARROW_WINDOWS, hidden, 4 * hidden)
    return (blocks + _instructions(NARROW_WINDOWS, hidden, 32)) / NARROW_WINDOWS


def reckon(architecture: DeepLob, device: Device) -> list[Line]:
    """The lines for a window, with neighbours that share its rows."""
    steps, hidden, gates = vectors_per_window(architecture), architecture.hidden, architecture.row_width
    instructions = tower_instructions(architecture) + recurrent_instructions(architecture)
    flops, tanh = 2 * _MULTIPLICATIONS * instructions, _TANH_OF_CELL * steps * hidden
    memory = _FLOAT * (architecture.features + 2 * gates + 2 * hidden + architecture.classes)
    cache = _FLOAT * gates * (steps + NARROW_WINDOWS - 1) / NARROW_WINDOWS
    return [
        Line("matrix instructions", flops / 1e6, "MFLOP", flops / device.matrix_flops),
        Line("tanh", tanh, "values", tanh / device.tanh),
        Line("memory", memory, "bytes", memory / device.memory_bytes),
        Line("second-level cache", cache, "bytes", cache / device.cache_bytes),
    ]


def table(architecture: DeepLob = PUBLIC_DEEPLOB) -> str:
    """The reckoning as a table."""
    lines = reckon(architecture, Device())
    total = sum(line.seconds for line in lines)
    rows = [f"| {line.name} | {line} | {line.seconds * 1e9:.1f} |" for line in lines]
    rows.append(f"| together | {1e-6 / total:.0f} million windows per s | {total * 1e9:.1f} |")
    return "\n".join(["| Of a window | How much | ns |", "|---|---|---|", *rows])


def _instructions(positions: int, inputs: int, outputs: int) -> int:
    return -(-positions // 16) * (inputs // 16) * (outputs // 8)


def _up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple


if __name__ == "__main__":
    print(table())
