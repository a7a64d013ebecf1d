"""A bounded map from int64 keys to small numbers in flat words: linear probing, and no tombstones.

At most half of the slots are used, so a search is short and always ends. Removing moves the followers of the slot back.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from market.native.kernel import inline, part
from market.native.memory import get, put, shift_right_logical
from market.wire.records import Words

_MASK: Final = 0
_HEADER: Final = 1
_MULTIPLIER: Final = 0x1E3779B97F4A7C15
ABSENT: Final = -1


def map_words(capacity: int) -> int:
    """Words of a map for so many keys."""
    return _HEADER + 2 * _slots(capacity)


def new_map(words: Words, capacity: int) -> None:
    """Prepare zeroed words as an empty map."""
    words[_MASK] = _slots(capacity) - 1


def _slots(capacity: int) -> int:
    return 1 << max(2, (2 * capacity - 1).bit_length())


@inline
def _home(table: int, key: int) -> int:
    return shift_right_logical(key * _MULTIPLIER, 24) & get(table, _MASK)


@inline
def _key(table: int, slot: int) -> int:
    return get(table, _HEADER + 2 * slot)


@inline
def _value(table: int, slot: int) -> int:
    """The slot's number + 1, 0 in a free slot."""
    return get(table, _HEADER + 2 * slot + 1)


@inline
def _set(table: int, slot: int, key: int, value: int) -> None:
    put(table, _HEADER + 2 * slot, key)
    put(table, _HEADER + 2 * slot + 1, value)


@inline
def _locate(table: int, key: int) -> int:
    """The key's slot, or the free one where it belongs."""
    mask = get(table, _MASK)
    slot = _home(table, key)
    while _value(table, slot) != 0 and _key(table, slot) != key:
        slot = (slot + 1) & mask
    return slot


@inline
def map_find(table: int, key: int) -> int:
    """The key's number, ABSENT if there is none."""
    return _value(table, _locate(table, key)) - 1


@inline
def map_insert(table: int, key: int, value: int) -> None:
    """Add a key that is not there; the caller keeps to the capacity."""
    _set(table, _locate(table, key), key, value + 1)


@part
def map_remove(table: int, key: int) -> int:
    """Remove a key; gives the number that it had, ABSENT if it was not there."""
    mask = get(table, _MASK)
    hole = _locate(table, key)
    found = _value(table, hole) - 1
    if found == ABSENT:
        return ABSENT
    slot = hole
    while True:
        slot = (slot + 1) & mask
        value = _value(table, slot)
        if value == 0:
            break
        # A follower may fill the hole unless its home lies behind the hole, around the end of the table.
        if ((slot - _home(table, _key(table, slot))) & mask) >= ((slot - hole) & mask):
            _set(table, hole, _key(table, slot), value)
            hole = slot
    _set(table, hole, 0, 0)
    return found


@part
def map_clear(table: int) -> None:
    """Remove every key."""
    for word in range(_HEADER, _HEADER + 2 * (get(table, _MASK) + 1)):
        put(table, word, 0)


def empty_map(capacity: int) -> Words:
    """A map of its own."""
    words = np.zeros(map_words(capacity), dtype=np.int64)
    new_map(words, capacity)
    return words
