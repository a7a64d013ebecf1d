"""Volume buckets, compiled: one pass over the trades, a search per bucket edge.

A tile of trades at a time is summed block by block, which vector instructions do at the speed of memory, and checked as
it goes. Each edge is looked up among the blocks' prefix sums and then trade by trade in its block, while the tile still
lies in the processor's cache. Threads take ranges of whole blocks and know the sums before them.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from gpu.columns import LARGEST_TOTAL, Floats, Integers, Sides
from market.native.kernel import entry, inline, part
from market.signals.layout import LARGEST_QUANTITY
from market.wire.records import AGGRESSOR_BUY, AGGRESSOR_NONE

BLOCK: Final = 64
"""Trades that are summed together."""
TILE: Final = 64
"""Blocks that are summed before their edges are looked up."""

# Sums, and the word beside them that says which tile is next.
VOLUME: Final = 0
BOUGHT: Final = 1
UNKNOWN: Final = 2
NEXT: Final = 3
STATE: Final = 4

# Columns of a bucket size.
SIZE: Final = 0
EDGE: Final = 1
"""Next edge, as cumulative volume."""
ROW: Final = 2
"""Its row of the output."""
CURSOR: Final = 3

DONE: Final = 0
WRONG: Final = -1
"""A quantity or side is impossible."""
TOO_MUCH: Final = -2
"""The cumulative volume would leave its range."""

_BUY: Final = AGGRESSOR_BUY
_NONE: Final = AGGRESSOR_NONE
_LARGEST: Final = LARGEST_QUANTITY


@inline
def _known(quantity: int, side: int) -> int:
    """The quantity, 0 where its side is unknown."""
    return quantity & -int(side != _NONE)


@inline
def _bought(quantity: int, side: int) -> int:
    return quantity & -int(side == _BUY)


@part
def _sum_blocks(quantities: Integers, sides: Sides, first: int, last: int, state: Integers, sums: Integers) -> int:
    """Add the trades of the blocks first..last-1 to ``state``; returns DONE, WRONG or TOO_MUCH.

    ``sums``, int64[>= last - first + 1, 2], gets volume and bought volume before each block and after the last one, as
    far as it has rows.
    """
    wrong = 0
    for block in range(first, last):
        volume = bought = total = 0
        start = block * BLOCK
        # A slice has no index below 0, which is what lets the compiler use vector instructions.
        lots = quantities[start : start + BLOCK]
        codes = sides[start : start + BLOCK]
        for index in range(len(lots)):
            quantity = lots[index]
            side = int(codes[index])
            wrong |= (quantity - 1) | (_LARGEST - quantity) | side | (2 - side)
            total += quantity
            volume += _known(quantity, side)
            bought += _bought(quantity, side)
        if block - first < len(sums):
            sums[block - first, VOLUME] = state[VOLUME]
            sums[block - first, BOUGHT] = state[BOUGHT]
        state[VOLUME] += volume
        state[BOUGHT] += bought
        state[UNKNOWN] += total - volume
        if wrong < 0:
            return WRONG
        if state[VOLUME] > LARGEST_TOTAL or state[UNKNOWN] > LARGEST_TOTAL:
            return TOO_MUCH
    if last - first < len(sums):
        sums[last - first, VOLUME] = state[VOLUME]
        sums[last - first, BOUGHT] = state[BOUGHT]
    return DONE


@entry("int64(int64[::1], int8[::1], int64, int64, int64[::1])")
def sum_trades(quantities: Integers, sides: Sides, first: int, last: int, state: Integers) -> int:
    """Add the trades of the blocks first..last-1 to ``state``, int64[STATE]; returns DONE, WRONG or TOO_MUCH."""
    return _sum_blocks(quantities, sides, first, last, state, np.empty((0, 2), dtype=np.int64))


@inline
def _block_before(sums: Integers, low: int, high: int, wanted: int) -> int:
    """Last row of low..high-1 whose volume lies below ``wanted``; that of ``low`` does, that of ``high`` does not."""
    while high - low > 1:
        middle = (low + high) >> 1
        if sums[middle, VOLUME] < wanted:
            low = middle
        else:
            high = middle
    return low


@inline
def _gather(
    quantities: Integers, sides: Sides, sums: Integers, first: int, count: int, cursor: Integers, out: Integers
) -> None:
    """Bought volume at the edges of one bucket size that lie inside the ``count`` blocks from ``first`` on."""
    size = cursor[SIZE]
    edge = cursor[EDGE]
    row = cursor[ROW]
    end = sums[count, VOLUME]
    block = -1
    index = after = bought = side = 0
    while edge <= end:
        if block < 0 or edge > sums[block + 1, VOLUME]:
            block = _block_before(sums, max(block, 0), count, edge)
            index = (first + block) * BLOCK - 1
            after = sums[block, VOLUME]
            bought = sums[block, BOUGHT]
        while after < edge:
            index += 1
            quantity = quantities[index]
            side = int(sides[index])
            after += _known(quantity, side)
            bought += _bought(quantity, side)
        out[row, 0] = bought - _bought(after - edge, side)
        out[row, 1] = index
        row += 1
        edge += size
    cursor[EDGE] = edge
    cursor[ROW] = row


@entry("int64(int64[::1], int8[::1], int64, int64[::1], int64[:, ::1], int64[:, ::1], int64[:, :, ::1])")
def scan_edges(
    quantities: Integers, sides: Sides, last: int, state: Integers, cursors: Integers, sums: Integers, out: Integers
) -> int:
    """Bought volume at every bucket edge from block ``state[NEXT]`` up to block ``last``.

    Parameters
    ----------
    state: int64[STATE], sums before the next block. cursors: int64[m, CURSOR]. Both are left as after the last block.
    sums: int64[TILE + 1, 2], room to work in.
    out: int64[m, k, 2], bought volume up to the edge and index of the trade that reached it, by bucket size.

    Returns DONE, WRONG, TOO_MUCH, or how many rows a size needs that has no room for the next tile; nothing of that
    tile has been taken then, so that the call can go on with a new ``out``.
    """
    held = np.empty(STATE, dtype=np.int64)
    while state[NEXT] < last:
        first = state[NEXT]
        count = min(TILE, last - first)
        held[:] = state
        failed = _sum_blocks(quantities, sides, first, first + count, held, sums)
        if failed != DONE:
            return failed
        for size in range(len(cursors)):
            needed = (held[VOLUME] - cursors[size, EDGE]) // cursors[size, SIZE] + 1
            if cursors[size, ROW] + needed > out.shape[1]:
                return int(needed)
        for size in range(len(cursors)):
            if cursors[size, EDGE] <= held[VOLUME]:
                _gather(quantities, sides, sums, first, count, cursors[size], out[size])
        state[:] = held
        state[NEXT] = first + count
    return DONE


@inline
def share(part: int, whole: int, inside: int) -> int:
    """``floor(part * inside / whole)`` exactly, for 0 <= part, inside <= whole < 2^62."""
    if whole <= 3_037_000_499:
        return part * inside // whole
    quotient = remainder = 0
    for bit in range(61, -1, -1):
        quotient *= 2
        remainder *= 2
        if remainder >= whole:
            remainder -= whole
            quotient += 1
        if (inside >> bit) & 1:
            remainder += part
            if remainder >= whole:
                remainder -= whole
                quotient += 1
    return quotient


@entry("void(int64[::1], int64[::1], int64, int64, int64, int64, int64[:, ::1])")
def gather_bar_edges(
    volumes: Integers, bought_volumes: Integers, volume: int, bought: int, size: int, edge: int, out: Integers
) -> None:
    """Bought volume at every edge of one bucket size, for bars of which only a part was bought.

    An edge inside a bar gets its share of what was bought, rounded down. ``volume`` and ``bought`` are the sums before
    the first bar, ``edge`` the first one beyond them, ``out`` int64[k, 2] as for ``scan_edges``.
    """
    row = 0
    for index in range(len(volumes)):
        after = volume + volumes[index]
        while edge <= after:
            out[row, 0] = bought + share(bought_volumes[index], volumes[index], edge - volume)
            out[row, 1] = index
            row += 1
            edge += size
        volume = after
        bought += bought_volumes[index]


@entry("void(int64[::1], int64, int64, float64[::1])")
def mean_imbalances(imbalances: Integers, bucket_lots: int, window: int, out: Floats) -> None:
    """``sum of the last n imbalances / (n V)`` for the last ``len(out)`` of them; NaN where there are fewer than n."""
    skipped = len(imbalances) - len(out)
    total = 0
    for index in range(max(0, skipped - window + 1), len(imbalances)):
        total += imbalances[index]
        if index >= window and index - window >= max(0, skipped - window + 1):
            total -= imbalances[index - window]
        if index >= skipped:
            out[index - skipped] = total / (window * bucket_lots) if index + 1 >= window else np.nan
