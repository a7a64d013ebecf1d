"""What a sweep computes on the arrays of one device: compiled on the CPU, or ``kernels/indicator_sweep.cu``."""

from __future__ import annotations

from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from gpu.arrays import on_host
from gpu.columns import Floats, Integers
from gpu.kernel import KernelModule, KernelSource, LaunchShape
from market.native.kernel import entry, inline

BLOCK: Final = 256
"""Threads of a block, as in the source."""
SUMS: Final = 3
"""Events that fired, how often firing began, nanoseconds that it lasted."""
_MOST_BLOCKS: Final = 1024


class SweepTools(Protocol):
    """What computes on one device."""

    xp: Any

    def statistics(
        self, samples: Any, start: int, first: int, last: int, length: int, least: int, deviation: bool, floor: float
    ) -> Any:
        """float64[last - first + 1]: mean or deviation of the last ``length`` samples before each number of samples.

        ``samples[0]`` is sample number ``start``. NaN below ``least`` samples, and for what is not above ``floor``.
        """

    def count_fires(self, values: Any, counters: Any, times_ns: Any, base: Any, first: int, factors: Any) -> Integers:
        """int64[factors, SUMS] of rows from the second on: see ``count_rows``."""


def source() -> KernelSource:
    """The kernels."""
    return KernelSource.named("indicator_sweep")


class SweepKernels:
    """The kernels on one device.

    Parameters
    ----------
    module: the compiled source. xp: the array module whose arrays it takes.
    """

    def __init__(self, module: KernelModule, xp: Any) -> None:
        self._module = module
        self.xp = xp

    def statistics(
        self, samples: Any, start: int, first: int, last: int, length: int, least: int, deviation: bool, floor: float
    ) -> Any:
        """As ``SweepTools`` says."""
        out = self.xp.empty(last - first + 1, np.float64)
        numbers = (np.int64(number) for number in (start, first, last, length, least))
        arguments = (samples, *numbers, np.int32(deviation), np.float64(floor), out)
        self._module.launch("window_statistics", LaunchShape((-(-len(out) // BLOCK),), (BLOCK,)), arguments)
        return out

    def count_fires(self, values: Any, counters: Any, times_ns: Any, base: Any, first: int, factors: Any) -> Integers:
        """As ``SweepTools`` says."""
        sums = self.xp.zeros((len(factors), SUMS), np.uint64)
        shape = LaunchShape((min(_MOST_BLOCKS, -(-len(values) // BLOCK)), len(factors)), (BLOCK,))
        columns = (values, counters, times_ns, np.int64(len(values)), base, np.int64(first))
        self._module.launch("count_fires", shape, (*columns, factors, sums))
        found: Integers = on_host(sums).astype(np.int64)
        return found


class CompiledSweep:
    """The same on the CPU, compiled."""

    xp: Any = np

    def statistics(
        self, samples: Any, start: int, first: int, last: int, length: int, least: int, deviation: bool, floor: float
    ) -> Any:
        """As ``SweepTools`` says."""
        out = np.empty(last - first + 1)
        slide(samples, start, first, last, length, least, int(deviation), floor, out)
        return out

    def count_fires(self, values: Any, counters: Any, times_ns: Any, base: Any, first: int, factors: Any) -> Integers:
        """As ``SweepTools`` says."""
        sums: Integers = np.zeros((len(factors), SUMS), dtype=np.int64)
        for row, factor in enumerate(factors.tolist()):
            count_rows(values, counters, times_ns, base, first, factor, sums[row])
        return sums


@inline
def _add(sums: Floats, place: int, value: float) -> None:
    """Add to a sum of two parts, by Knuth's error-free addition."""
    high = sums[place]
    total = high + value
    back = total - high
    error = (high - (total - back)) + (value - back)
    rest = sums[place + 1] + error
    sums[place] = total + rest
    sums[place + 1] = rest - (sums[place] - total)


@entry("void(float64[::1], int64, int64, int64, int64, int64, int64, float64, float64[::1])")
def slide(
    samples: Floats,
    start: int,
    first: int,
    last: int,
    length: int,
    least: int,
    deviation: int,
    floor: float,
    out: Floats,
) -> None:
    """``SweepTools.statistics``; each sample comes and goes once."""
    sums = np.zeros(4)
    begin = max(start, first - length)
    for count in range(begin, last + 1):
        if count > begin:
            value = samples[count - 1 - start]
            _add(sums, 0, value)
            _add(sums, 2, value * value)
            if count - length > begin:
                oldest = samples[count - length - 1 - start]
                _add(sums, 0, -oldest)
                _add(sums, 2, -(oldest * oldest))
        if count >= first:
            number = min(count, length)
            found = np.nan
            if count >= least and count > 0:
                centre = sums[0] / number
                found = centre
                if deviation != 0:
                    found = np.sqrt(max(sums[2] / number - centre * centre, 0.0))
                if not found > floor:
                    found = np.nan
            out[count - first] = found
    for count in range(first, min(begin, last + 1)):
        out[count - first] = np.nan


@entry("void(float64[::1], int32[::1], int64[::1], float64[::1], int64, float64, int64[::1])")
def count_rows(
    values: Floats,
    counters: NDArray[np.int32],
    times_ns: Integers,
    base: Floats,
    first: int,
    factor: float,
    sums: Integers,
) -> None:
    """Add up when values lay above ``factor * base[counter - first]``, from the second row on.

    ``sums``, int64[SUMS], gets the rows above it, those of them whose row before was not, and the nanoseconds until the
    next row of each. NaN fires nothing, and neither does a limit that is not above 0.
    """
    limit = factor * base[counters[0] - first]
    fired = limit > 0.0 and values[0] > limit
    for row in range(1, len(values)):
        if fired:
            sums[2] += times_ns[row] - times_ns[row - 1]
        limit = factor * base[counters[row] - first]
        fires = limit > 0.0 and values[row] > limit
        sums[0] += fires
        sums[1] += fires and not fired
        fired = fires
