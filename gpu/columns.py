"""Columns of trades, and the checks that every array passes before a kernel sees it.

Prices are in ticks, quantities in lots, times in ns since any epoch, all int64; sides are int8, 0 unknown, 1 bought
and 2 sold by the aggressor. Errors name the column and the first offending index.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gpu.arrays import all_on_gpu, first_true, gpu_array, is_on_gpu, module_of
from market.errors import Rejected
from market.native.kernel import entry
from market.signals.layout import LARGEST_PRICE, LARGEST_QUANTITY, LARGEST_TIME
from market.wire.records import AGGRESSOR_NONE, AGGRESSOR_SELL

Integers = NDArray[np.int64]
Sides = NDArray[np.int8]
Floats = NDArray[np.float64]

LARGEST_TOTAL: Final = (1 << 62) - 1
"""Largest sum of quantities of one stream of trades."""


@entry("int64(int64[::1], int64, int64)")
def first_outside(values: Integers, low: int, high: int) -> int:
    """Index of the first value outside low..high, -1 when there is none; high - low must be below 2^63."""
    for start in range(0, len(values), 4096):
        end = min(start + 4096, len(values))
        wrong = False
        for index in range(start, end):
            wrong |= (values[index] < low) | (values[index] > high)
        if wrong:
            for index in range(start, end):
                if values[index] < low or values[index] > high:
                    return index
    return -1


@entry("int64(int64[::1])")
def first_decrease(values: Integers) -> int:
    """Index of the first value below the one before it, -1 when there is none."""
    for start in range(1, len(values), 4096):
        end = min(start + 4096, len(values))
        wrong = False
        for index in range(start, end):
            wrong |= values[index] < values[index - 1]
        if wrong:
            for index in range(start, end):
                if values[index] < values[index - 1]:
                    return index
    return -1


def as_integers(name: str, values: ArrayLike, *, rows: int | None = None) -> Integers:
    """A column as int64[n] in one piece; copied only where it is something else.

    An array on a GPU stays there. Raises Rejected for another shape or length, and for what is not whole numbers:
    floats are refused even where they are whole, since whoever has floats has not decided on a tick or lot yet.
    """
    column = _one_dimension(name, values, rows)
    xp = module_of(column)
    if column.dtype.kind == "f":
        bad = first_true(~xp.isfinite(column))
        detail = f"{name}[{bad}] is {column[bad]}" if bad >= 0 else "convert to ticks, lots or ns first"
        raise Rejected(f"{name} must be whole numbers, was {column.dtype}: {detail}")
    if column.dtype.kind not in "iu":
        raise Rejected(f"{name} must be whole numbers, was {column.dtype}")
    if column.dtype == np.uint64 and len(column) and int(column.max()) > LARGEST_TOTAL:
        index = first_true(column > LARGEST_TOTAL)
        raise Rejected(f"{name}[{index}] is {column[index]}: does not fit int64")
    found: Integers = xp.ascontiguousarray(column, dtype=np.int64)
    return found


def _one_dimension(name: str, values: ArrayLike, rows: int | None) -> NDArray[Any]:
    column: NDArray[Any] = gpu_array(name, values) if is_on_gpu(values) else np.asarray(values)
    if not column.size and column.dtype == np.float64:
        column = column.astype(np.int64)
    if column.ndim != 1 or (rows is not None and len(column) != rows):
        expected = "(n,)" if rows is None else f"({rows},)"
        raise Rejected(f"{name} must have shape {expected}, was {column.shape}")
    return column


def require_range(name: str, values: Integers, low: int, high: int) -> None:
    """Raise Rejected naming the first value outside low..high."""
    index = first_true((values < low) | (values > high)) if is_on_gpu(values) else first_outside(values, low, high)
    if index >= 0:
        raise Rejected(f"{name}[{index}] is {values[index]}: must be from {low} to {high}")


def require_order(name: str, times_ns: Integers, not_before: int | None = None) -> None:
    """Raise Rejected naming the first time below the one before it, or below the last one of the part before."""
    if len(times_ns) and not_before is not None and times_ns[0] < not_before:
        raise Rejected(f"{name}[0] is {times_ns[0]}, before the part taken last, which ended at {not_before}")
    if is_on_gpu(times_ns):
        fall = first_true(times_ns[1:] < times_ns[:-1])
        index = fall + 1 if fall >= 0 else -1
    else:
        index = first_decrease(times_ns)
    if index >= 0:
        raise Rejected(
            f"{name}[{index}] is {times_ns[index]}, before {name}[{index - 1}] = {times_ns[index - 1]}: sort"
        )


def as_quantities(name: str, values: ArrayLike, *, rows: int | None = None) -> Integers:
    """A column of quantities, each 1..2^46-1 lots; raises Rejected otherwise: no trade has none, or less."""
    column = as_integers(name, values, rows=rows)
    require_range(name, column, 1, LARGEST_QUANTITY)
    return column


def as_sides(name: str, values: ArrayLike, *, rows: int | None = None) -> Sides:
    """A column of sides as int8[n]; raises Rejected for a value other than 0, 1 and 2."""
    column = _one_dimension(name, values, rows)
    if column.dtype != np.int8:
        wide = as_integers(name, column)
        require_range(name, wide, AGGRESSOR_NONE, AGGRESSOR_SELL)
        return wide.astype(np.int8)
    sides: Sides = module_of(column).ascontiguousarray(column)
    if len(sides) and int(sides.view(np.uint8).max()) > AGGRESSOR_SELL:
        index = first_true(sides.view(np.uint8) > AGGRESSOR_SELL)
        raise Rejected(f"{name}[{index}] is {sides[index]}: must be 0 (unknown), 1 (buy) or 2 (sell)")
    return sides


@dataclass(frozen=True, kw_only=True)
class Trades:
    """Trades of one instrument in the order in which they happened.

    Parameters
    ----------
    times_ns: [n], never decreasing, 0..2^62-1. prices: [n], 1..2^47-1 ticks. quantities: [n], 1..2^46-1 lots.
    aggressors: [n], 0 unknown, 1 buy, 2 sell; None: the venue does not say.
    bids, asks: [n], best prices in ticks just before each trade, 0 where there was none; None: there are no quotes.

    Any integer type is taken and kept as int64 (``aggressors`` as int8). Columns lie on the host or all on a GPU.
    Raises Rejected naming column and index.
    """

    times_ns: Integers
    prices: Integers
    quantities: Integers
    aggressors: Sides | None = None
    bids: Integers | None = None
    asks: Integers | None = None
    on_gpu: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        def keep(name: str, check: Callable[[str, ArrayLike], NDArray[Any]]) -> None:
            object.__setattr__(self, name, check(name, getattr(self, name)))

        names = ("times_ns", "prices", "quantities", "aggressors", "bids", "asks")
        object.__setattr__(self, "on_gpu", all_on_gpu(**{name: getattr(self, name) for name in names}))
        keep("times_ns", as_integers)
        rows = len(self.times_ns)
        require_range("times_ns", self.times_ns, 0, LARGEST_TIME)
        require_order("times_ns", self.times_ns)
        keep("prices", lambda name, values: as_integers(name, values, rows=rows))
        require_range("prices", self.prices, 1, LARGEST_PRICE)
        keep("quantities", lambda name, values: as_quantities(name, values, rows=rows))
        if self.aggressors is not None:
            keep("aggressors", lambda name, values: as_sides(name, values, rows=rows))
        if (self.bids is None) != (self.asks is None):
            raise Rejected("bids and asks come together: one of them was missing")
        for name in ("bids", "asks") if self.bids is not None else ():
            keep(name, lambda field, values: as_integers(field, values, rows=rows))
            require_range(name, getattr(self, name), 0, LARGEST_PRICE)

    def __len__(self) -> int:
        return len(self.times_ns)

    def part(self, start: int, end: int) -> Trades:
        """The trades from one row up to another."""

        def cut(column: NDArray[Any] | None) -> Any:
            return None if column is None else column[start:end]

        return Trades(
            times_ns=self.times_ns[start:end],
            prices=self.prices[start:end],
            quantities=self.quantities[start:end],
            aggressors=cut(self.aggressors),
            bids=cut(self.bids),
            asks=cut(self.asks),
        )


def require_host(what: str, columns: Trades | ArrayLike) -> None:
    """Raise Rejected for columns that lie on a GPU; ``what`` takes those of the host."""
    if columns.on_gpu if isinstance(columns, Trades) else is_on_gpu(columns):
        raise Rejected(f"{what} takes columns on the host, these lie on a GPU: move them with .get()")
