"""Price levels of one L2 book: a window of ticks with a two-level bitmap per side, and a hash for the rest.

A side's window holds ``WINDOW`` consecutive ticks. Bit i of the lower bitmap says that window index i is
live, bit w of the upper one that word w of the lower is not zero; the best index is cached. Bids are
indexed downward, so on both sides a better price has a smaller index and one search serves both.
Levels outside the window live in an open-addressing hash until the window is moved over them.

Cost: 8 to 15 ns per level; the best price is a load. A side is about 1.6 MB, touched where levels are.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from market.native.kernel import inline, shared
from market.native.memory import get, put, trailing_zeros
from market.wire.records import Rows

WINDOW_BITS: Final = 16
WINDOW: Final = 1 << WINDOW_BITS
_WORDS: Final = WINDOW // 64
_UPPER_WORDS: Final = _WORDS // 64
OVERFLOW_SLOTS: Final = 1 << 16
_OVERFLOW_LIMIT: Final = OVERFLOW_SLOTS * 3 // 4

# Words of one side.
BEST: Final = 0
"""Smallest live window index, WINDOW when the window is empty."""
USED: Final = 1
"""Hash slots in use, deleted levels included."""
LIVE: Final = 2
"""Levels in the hash."""
LOST: Final = 3
"""Levels that found no room in the hash: the book is then incomplete and must be resynchronised."""
DIRECTION: Final = 4
"""1 for bids, 0 for asks."""
BASE: Final = 5
"""Tick of the window's lowest price."""
BETTER_OUTSIDE: Final = 6
"""Whether a level better than the whole window was stored: the window must move."""
MIRROR: Final = 7
"""What turns a window offset into an index by exclusive or: all bits of an offset for bids, none for asks."""
_UPPER: Final = 8
_LOWER: Final = _UPPER + _UPPER_WORDS
_QUANTITY: Final = _LOWER + _WORDS
_KEYS: Final = _QUANTITY + WINDOW
_VALUES: Final = _KEYS + OVERFLOW_SLOTS
SIDE_WORDS: Final = _VALUES + OVERFLOW_SLOTS

BID: Final = 1
ASK: Final = 0
NO_PRICE: Final = -1
_HASH_MULTIPLIER: Final = 0x1E3779B97F4A7C15


@inline
def _index(side: int, tick: int) -> int:
    """Window index of a tick; outside 0..WINDOW-1 when it is not in the window."""
    offset = tick - get(side, BASE)
    return WINDOW - 1 - offset if get(side, DIRECTION) == BID else offset


@inline
def _tick(side: int, index: int) -> int:
    """Tick of a window index."""
    return get(side, BASE) + (WINDOW - 1 - index if get(side, DIRECTION) == BID else index)


@inline
def _next_index(side: int, word: int) -> int:
    """Smallest live index in the given word of the lower bitmap or after it, WINDOW when there is none."""
    if word >= _WORDS:
        return WINDOW
    bits = get(side, _LOWER + word)
    if bits != 0:
        return word * 64 + trailing_zeros(bits)
    upper = word >> 6
    # Bits at or below the current word are masked off; bit 63 has nothing above it.
    position = word & 63
    bits = get(side, _UPPER + upper) & ~((2 << position) - 1) if position < 63 else 0
    while bits == 0:
        upper += 1
        if upper == _UPPER_WORDS:
            return WINDOW
        bits = get(side, _UPPER + upper)
    found = upper * 64 + trailing_zeros(bits)
    return found * 64 + trailing_zeros(get(side, _LOWER + found))


@inline
def _slot(tick: int) -> int:
    return ((tick * _HASH_MULTIPLIER) >> 40) & (OVERFLOW_SLOTS - 1)


@shared
def _insert_outside(side: int, tick: int, quantity: int) -> None:
    """Insert a level that the hash does not hold and has room for."""
    slot = _slot(tick)
    while get(side, _KEYS + slot) != 0:
        slot = (slot + 1) & (OVERFLOW_SLOTS - 1)
    put(side, _KEYS + slot, tick)
    put(side, _VALUES + slot, quantity)
    put(side, USED, get(side, USED) + 1)
    put(side, LIVE, get(side, LIVE) + 1)


@shared
def _rebuild(side: int) -> None:
    """Give the slots of deleted levels back."""
    kept = np.empty((get(side, LIVE), 2), dtype=np.int64)
    count = 0
    for slot in range(OVERFLOW_SLOTS):
        if get(side, _VALUES + slot) != 0:
            kept[count, 0] = get(side, _KEYS + slot)
            kept[count, 1] = get(side, _VALUES + slot)
            count += 1
        put(side, _KEYS + slot, 0)
        put(side, _VALUES + slot, 0)
    put(side, USED, 0)
    put(side, LIVE, 0)
    for level in range(count):
        _insert_outside(side, kept[level, 0], kept[level, 1])


@shared
def _set_outside(side: int, tick: int, quantity: int) -> None:
    """Store a level outside the window; removing an unknown level does nothing."""
    slot = _slot(tick)
    key = get(side, _KEYS + slot)
    while key != 0 and key != tick:
        slot = (slot + 1) & (OVERFLOW_SLOTS - 1)
        key = get(side, _KEYS + slot)
    if key == 0:
        if quantity == 0:
            return
        if get(side, USED) >= _OVERFLOW_LIMIT:
            _rebuild(side)
            if get(side, USED) >= _OVERFLOW_LIMIT:
                put(side, LOST, get(side, LOST) + 1)
                return
            _insert_outside(side, tick, quantity)
            return
        put(side, _KEYS + slot, tick)
        put(side, USED, get(side, USED) + 1)
        put(side, LIVE, get(side, LIVE) + 1)
    elif (get(side, _VALUES + slot) == 0) != (quantity == 0):
        put(side, LIVE, get(side, LIVE) + (1 if quantity != 0 else -1))
    put(side, _VALUES + slot, quantity)


@inline
def set_level(side: int, tick: int, quantity: int) -> None:
    """Set the quantity at a tick; 0 removes the level. Ticks are positive."""
    index = (tick - get(side, BASE)) ^ get(side, MIRROR)
    if index & ~(WINDOW - 1) != 0:
        _set_outside(side, tick, quantity)
        if _index(side, tick) < 0 and quantity != 0:
            put(side, BETTER_OUTSIDE, 1)
        return
    # Whether a level comes or goes cannot be foreseen, so nothing branches on it but what is rare: the quantity of a
    # level that is not live means nothing, and a bit may be set or cleared again.
    word = index >> 6
    bit = 1 << (index & 63)
    bits = get(side, _LOWER + word)
    kept = bits | bit if quantity != 0 else bits & ~bit
    put(side, _QUANTITY + index, quantity)
    put(side, _LOWER + word, kept)
    if (bits == 0) != (kept == 0):
        put(side, _UPPER + (word >> 6), get(side, _UPPER + (word >> 6)) ^ (1 << (word & 63)))
    best = get(side, BEST)
    if index <= best:
        if quantity != 0:
            put(side, BEST, index)
        elif index == best:
            put(side, BEST, _next_index(side, word))


@shared
def _best_outside(side: int) -> int:
    """Best tick in the hash, by looking at every slot; NO_PRICE when it is empty."""
    best = NO_PRICE
    if get(side, LIVE) > 0:
        for slot in range(OVERFLOW_SLOTS):
            if get(side, _VALUES + slot) != 0:
                tick = get(side, _KEYS + slot)
                better = tick > best if get(side, DIRECTION) == BID else tick < best
                if best == NO_PRICE or better:
                    best = tick
    return best


@shared
def _quantity_outside(side: int, tick: int) -> int:
    slot = _slot(tick)
    key = get(side, _KEYS + slot)
    while key != 0 and key != tick:
        slot = (slot + 1) & (OVERFLOW_SLOTS - 1)
        key = get(side, _KEYS + slot)
    return get(side, _VALUES + slot) if key == tick else 0


@inline
def best_tick(side: int) -> int:
    """Best price of a side in ticks, NO_PRICE when the side is empty.

    A load, unless the window is empty or a better level lies outside it; then the hash is searched.
    """
    index = get(side, BEST)
    if get(side, BETTER_OUTSIDE) != 0 or (index == WINDOW and get(side, LIVE) > 0):
        outside = _best_outside(side)
        inside = _tick(side, index) if index < WINDOW else NO_PRICE
        if inside == NO_PRICE or outside == NO_PRICE:
            return outside if inside == NO_PRICE else inside
        return max(inside, outside) if get(side, DIRECTION) == BID else min(inside, outside)
    return _tick(side, index) if index < WINDOW else NO_PRICE


@inline
def quantity_at(side: int, tick: int) -> int:
    """Quantity in lots at a tick, 0 when there is no level."""
    index = _index(side, tick)
    if index < 0 or index >= WINDOW:
        return _quantity_outside(side, tick)
    live = get(side, _LOWER + (index >> 6)) & (1 << (index & 63))
    return get(side, _QUANTITY + index) if live != 0 else 0


@inline
def _index_after(side: int, index: int) -> int:
    """Smallest live index above the given one, WINDOW when there is none."""
    position = index & 63
    bits = get(side, _LOWER + (index >> 6)) & ~((2 << position) - 1) if position < 63 else 0
    if bits != 0:
        return (index >> 6) * 64 + trailing_zeros(bits)
    return _next_index(side, (index >> 6) + 1)


@inline
def next_tick(side: int, tick: int) -> int:
    """The next worse live price inside the window, NO_PRICE when there is none.

    Levels outside the window are not walked.
    """
    index = _index(side, tick)
    if index < 0 or index >= WINDOW:
        return NO_PRICE
    found = _index_after(side, index)
    return _tick(side, found) if found < WINDOW else NO_PRICE


@shared
def clear_side(side: int, direction: int, base: int) -> None:
    """Empty a side and place its window."""
    put(side, BEST, WINDOW)
    put(side, USED, 0)
    put(side, LIVE, 0)
    put(side, LOST, 0)
    put(side, DIRECTION, direction)
    put(side, MIRROR, WINDOW - 1 if direction == BID else 0)
    put(side, BASE, base)
    put(side, BETTER_OUTSIDE, 0)
    for word in range(_UPPER, _QUANTITY):
        put(side, word, 0)
    for word in range(_KEYS, SIDE_WORDS):
        put(side, word, 0)


@shared
def _worst_outside(side: int) -> int:
    """Worst tick of those outside the window, by looking at every slot; NO_PRICE when there is none."""
    worst = NO_PRICE
    if get(side, LIVE) > 0:
        for slot in range(OVERFLOW_SLOTS):
            if get(side, _VALUES + slot) != 0:
                tick = get(side, _KEYS + slot)
                worse = tick < worst if get(side, DIRECTION) == BID else tick > worst
                if worst == NO_PRICE or worse:
                    worst = tick
    return worst


@shared
def _next_outside(side: int, after: int) -> int:
    """Best tick outside the window that is worse than the given one, NO_PRICE when there is none."""
    best = NO_PRICE
    if get(side, LIVE) > 0:
        for slot in range(OVERFLOW_SLOTS):
            if get(side, _VALUES + slot) != 0:
                tick = get(side, _KEYS + slot)
                if get(side, DIRECTION) == BID:
                    if tick < after and tick > best:
                        best = tick
                elif tick > after and (best == NO_PRICE or tick < best):
                    best = tick
    return best


@inline
def next_level(side: int, tick: int) -> int:
    """The next worse live price, in the window or not; NO_PRICE when there is none.

    Looks at every slot of the hash when no level of the window follows, or a better one waits for the window to move.
    """
    index = _index(side, tick)
    found = WINDOW
    if index < 0:
        found = get(side, BEST)
    elif index < WINDOW:
        found = _index_after(side, index)
    inside = _tick(side, found) if found < WINDOW else NO_PRICE
    if get(side, LIVE) == 0 or (inside != NO_PRICE and get(side, BETTER_OUTSIDE) == 0):
        return inside
    outside = _next_outside(side, tick)
    if inside == NO_PRICE or outside == NO_PRICE:
        return outside if inside == NO_PRICE else inside
    return max(inside, outside) if get(side, DIRECTION) == BID else min(inside, outside)


@shared
def truncate(side: int, limit: int) -> int:
    """Drop the worst levels until at most ``limit`` are left; returns how many were dropped.

    Costs a walk over the levels of the window when there is nothing to do, and a search of the hash for each level
    that is dropped there.
    """
    excess = level_count(side) - limit
    if excess <= 0:
        return 0
    left = excess
    while left > 0 and get(side, LIVE) > 0 and get(side, BETTER_OUTSIDE) == 0:
        set_level(side, _worst_outside(side), 0)
        left -= 1
    if left > 0:
        tick = best_tick(side)
        for _ in range(limit):
            tick = next_level(side, tick)
        while tick != NO_PRICE:
            following = next_level(side, tick)
            set_level(side, tick, 0)
            tick = following
    return excess


@inline
def level_count_bound(side: int) -> int:
    """At least as many levels as the side holds."""
    return WINDOW + get(side, LIVE)


@shared
def level_count(side: int) -> int:
    """Levels that the side holds; walks those of the window."""
    count = get(side, LIVE)
    index = get(side, BEST)
    while index < WINDOW:
        count += 1
        index = _index_after(side, index)
    return count


@shared
def collect(side: int, rows: Rows) -> int:
    """Write every level as rows of (tick, quantity): the window's from the best on, then the others.

    ``rows`` is int64[n, 2] with n of at least ``level_count_bound``. Returns the number of levels.
    """
    count = 0
    index = get(side, BEST)
    while index < WINDOW:
        rows[count, 0] = _tick(side, index)
        rows[count, 1] = get(side, _QUANTITY + index)
        count += 1
        index = _index_after(side, index)
    for slot in range(OVERFLOW_SLOTS):
        if get(side, _VALUES + slot) != 0:
            rows[count, 0] = get(side, _KEYS + slot)
            rows[count, 1] = get(side, _VALUES + slot)
            count += 1
    return count


@shared
def move_window(side: int, base: int) -> None:
    """Place a side's window anew, keeping every level."""
    lost = get(side, LOST)
    levels = np.empty((level_count_bound(side), 2), dtype=np.int64)
    count = collect(side, levels)
    clear_side(side, get(side, DIRECTION), base)
    put(side, LOST, lost)
    for level in range(count):
        set_level(side, levels[level, 0], levels[level, 1])


@inline
def _misses_best(side: int) -> bool:
    """Whether the side's best price may lie outside its window."""
    return get(side, BETTER_OUTSIDE) != 0 or (get(side, BEST) == WINDOW and get(side, LIVE) > 0)


@shared
def centre_windows(bids: int, asks: int) -> bool:
    """Move both sides' windows when the mid has left their middle half or a best price lies outside.

    Whether they were moved; a move to the same place is not made.
    """
    bid = best_tick(bids)
    ask = best_tick(asks)
    if bid == NO_PRICE and ask == NO_PRICE:
        return False
    middle = (bid + ask) // 2 if bid != NO_PRICE and ask != NO_PRICE else max(bid, ask)
    offset = middle - get(bids, BASE)
    if WINDOW // 4 <= offset <= WINDOW * 3 // 4 and not _misses_best(bids) and not _misses_best(asks):
        return False
    base = middle - WINDOW // 2
    if base == get(bids, BASE):
        return False
    move_window(bids, base)
    move_window(asks, base)
    return True
