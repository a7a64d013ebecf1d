"""Each venue's rule for the sequence of its depth updates.

The rules are the venues' own: Binance ``web-socket-streams.md`` (spot: U, u; futures: U, u, pu), OKX API v5 guide,
"Sequence ID" (``seqId``, ``prevSeqId``; equal ones are a heartbeat, a smaller ``seqId`` that follows its predecessor
restarts the numbers after maintenance), Bybit "Orderbook" (``u``), Deribit ``prev_change_id``. Kraken and Coinbase
number no book; there a checksum, or the connection's own numbers and delivery guarantee, stand in.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from market.native.kernel import inline


class Rule(IntEnum):
    """How a venue numbers its depth updates."""

    OVERLAPPING = 0
    """First and last id; the next update may begin at most one above the last (Binance spot)."""
    CHAINED_OVERLAP = 1
    """Names its predecessor; the first after a snapshot must straddle or follow it (Binance futures)."""
    CHAINED = 2
    """Names its predecessor exactly, the snapshot included (OKX, Deribit)."""
    CONSECUTIVE = 3
    """One id, each one above the last (Bybit)."""
    UNNUMBERED = 4
    """No ids: every update is applied (Kraken, Coinbase)."""


OVERLAPPING: Final = int(Rule.OVERLAPPING)
CHAINED_OVERLAP: Final = int(Rule.CHAINED_OVERLAP)
CHAINED: Final = int(Rule.CHAINED)
CONSECUTIVE: Final = int(Rule.CONSECUTIVE)
UNNUMBERED: Final = int(Rule.UNNUMBERED)

APPLY: Final = 0
DROP: Final = 1
"""Older than the book: it is already in it."""
GAP: Final = 2
"""Updates are missing in between: the book needs a snapshot."""


@inline
def judge(rule: int, fresh: bool, last: int, update_first: int, update_last: int, previous: int) -> int:
    """What to do with an update, given the book's last id and whether that came from a snapshot."""
    if rule == OVERLAPPING:
        if update_last <= last:
            return DROP
        return GAP if update_first > last + 1 else APPLY
    if rule == CHAINED_OVERLAP:
        if fresh:
            if update_last < last:
                return DROP
            # A snapshot of a quiet market is that of the last update: the next one starts above it and names it.
            return APPLY if update_first <= last or previous == last else GAP
        if previous == last:
            return APPLY
        return DROP if update_last <= last else GAP
    if rule == CHAINED:
        if previous == last:
            return APPLY
        return DROP if update_last <= last else GAP
    if rule == CONSECUTIVE:
        if update_last == last + 1:
            return APPLY
        return DROP if update_last <= last else GAP
    return APPLY
