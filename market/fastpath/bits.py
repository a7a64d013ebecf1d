"""The ``on`` bits: which conditions are true, so that only a rise makes a candidate.

A bit per (kind, seller, buyer) is held twice, in the seller's word and in the buyer's word, so that
an event touches other venues' words only where a bit changes.
"""

from __future__ import annotations

from market.fastpath import state
from market.native.kernel import inline, part
from market.native.memory import get, put, trailing_zeros


@part
def _mirror(row: int, venue: int, mirrored: int, changed: int) -> None:
    own = 1 << venue
    while changed:
        other = state.quote_of(row, trailing_zeros(changed))
        put(other, mirrored, get(other, mirrored) ^ own)
        changed &= changed - 1


@inline
def update_pairs(row: int, quote: int, venue: int, slot: int, mirrored: int, new: int) -> int:
    """Set a venue's pair bits in one role (``slot``; the others' word is ``mirrored``); returns the rises.

    Words have one bit per other venue.
    """
    old = get(quote, slot)
    changed = old ^ new
    if changed:
        put(quote, slot, new)
        _mirror(row, venue, mirrored, changed)
    return new & ~old


@inline
def update_imbalance(quote: int, new: int) -> int:
    """Set a venue's two IMBALANCE bits; returns the rises."""
    old = get(quote, state.IMBALANCE_ON)
    put(quote, state.IMBALANCE_ON, new)
    return new & ~old
