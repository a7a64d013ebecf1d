"""How much has lately traded at each price of one side: what explains why a level shrank.

A set-associative table of (price, lots not yet used, time of the last trade): 64 sets of 8. A price whose last trade
is older than the memory is forgotten. When a set is full its oldest price gives way and is counted, if it was not
forgotten already.
"""

from __future__ import annotations

from typing import Final

from market.native.kernel import inline, part
from market.native.memory import get, put
from market.signals.layout import LARGEST_QUANTITY

MEMORY_NS: Final = 0
EVICTED: Final = 1
"""Prices that gave way while they were remembered: removals there then count as cancellations."""
_ENTRIES: Final = 2
_SETS: Final = 64
_WAYS: Final = 8
_ENTRY: Final = 3
TABLE_WORDS: Final = _ENTRIES + _SETS * _WAYS * _ENTRY


@inline
def _set_of(table: int, price: int) -> int:
    """Address of a price's set; neighbouring prices lie in different sets."""
    return table + 8 * (_ENTRIES + (price & (_SETS - 1)) * _WAYS * _ENTRY)


@inline
def _remembered(table: int, entry: int, now: int) -> bool:
    return get(entry, 1) > 0 and now - get(entry, 2) <= get(table, MEMORY_NS)


@part
def add_traded(table: int, price: int, quantity: int, now: int) -> None:
    """Remember an admitted trade at its price."""
    entries = _set_of(table, price)
    oldest = entries
    for way in range(_WAYS):
        entry = entries + 8 * _ENTRY * way
        if get(entry, 0) == price:
            kept = get(entry, 1) if _remembered(table, entry, now) else 0
            put(entry, 1, min(kept + quantity, LARGEST_QUANTITY))
            put(entry, 2, now)
            return
        if not _remembered(table, entry, now):
            put(entry, 1, 0)
            put(entry, 2, -1)
        if get(entry, 2) < get(oldest, 2):
            oldest = entry
    if get(oldest, 1) > 0:
        put(table, EVICTED, get(table, EVICTED) + 1)
    put(oldest, 0, price)
    put(oldest, 1, quantity)
    put(oldest, 2, now)


@part
def use_traded(table: int, price: int, removed: int, now: int) -> int:
    """Lots of a removal at a price that trades explain; they are used up."""
    entries = _set_of(table, price)
    for way in range(_WAYS):
        entry = entries + 8 * _ENTRY * way
        if get(entry, 0) == price:
            if not _remembered(table, entry, now):
                return 0
            explained = min(removed, get(entry, 1))
            put(entry, 1, get(entry, 1) - explained)
            return explained
    return 0
