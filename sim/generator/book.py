"""The limit order book of one generated venue.

A side works on *keys*: the tick of an ask, the negated tick of a bid. A smaller key is a better price on
either side, so one piece of code serves both.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Final

ASK: Final = 1
BID: Final = -1
_HEAP_SLACK: Final = 8192


class BookSide:
    """Levels of one side.

    Parameters
    ----------
    direction: ASK or BID; tick = key * direction.

    Attributes
    ----------
    levels: lots by key. changed: keys touched since the last depth message.
    resting: keys that may be cancelled, oldest first, with entries of levels that are gone.
    """

    __slots__ = ("_anchor", "_heap", "changed", "direction", "levels", "resting")

    def __init__(self, direction: int) -> None:
        self.direction = direction
        self.levels: dict[int, int] = {}
        self.changed: set[int] = set()
        self.resting: list[int] = []
        self._heap: list[int] = []
        self._anchor = 0

    def best(self) -> int:
        """Key of the best level; the side must have its anchor."""
        heap = self._heap
        levels = self.levels
        while heap[0] not in levels:
            heappop(heap)
        return heap[0]

    def add(self, key: int, lots: int) -> None:
        """Place a level that may be cancelled later, or replace the lots of one that is there."""
        if key not in self.levels:
            heappush(self._heap, key)
            self.resting.append(key)
        self.levels[key] = lots
        self.changed.add(key)

    def anchor(self, key: int, lots: int) -> None:
        """Place the one level that is never taken out, far from the market: a side is never empty."""
        self._anchor = key
        heappush(self._heap, key)
        self.levels[key] = lots

    def set(self, key: int, lots: int) -> None:
        """Replace the lots of a level that is there."""
        self.levels[key] = lots
        self.changed.add(key)

    def remove(self, key: int) -> None:
        """Take a level out; the anchor stays."""
        if key != self._anchor:
            del self.levels[key]
            self.changed.add(key)

    def remove_through(self, key: int) -> int:
        """Take out every level at least as good as a key but the anchor; returns how many."""
        removed = 0
        while (best := self.best()) <= key and best != self._anchor:
            self.remove(best)
            removed += 1
        return removed

    def take_changes(self) -> list[tuple[int, int]]:
        """(tick, lots) of every level touched since the last call, best first; 0 lots for one that is gone."""
        levels = self.levels
        direction = self.direction
        changes = [(key * direction, levels.get(key, 0)) for key in sorted(self.changed)]
        self.changed.clear()
        if len(self._heap) > _HEAP_SLACK + 4 * len(levels):
            self._heap = list(levels)
            heapify(self._heap)
        return changes

    def ranked(self) -> list[tuple[int, int]]:
        """(tick, lots) of every level, best first."""
        direction = self.direction
        return [(key * direction, self.levels[key]) for key in sorted(self.levels)]


class OrderBook:
    """Both sides and the update ids.

    Attributes
    ----------
    update_id: id of the newest change. first_id: id of the first change since the last depth message, 0 if none.
    previous_id: last id of the last depth message.
    """

    __slots__ = ("asks", "bids", "first_id", "previous_id", "update_id")

    def __init__(self, update_id: int) -> None:
        self.bids = BookSide(BID)
        self.asks = BookSide(ASK)
        self.update_id = update_id
        self.previous_id = update_id
        self.first_id = 0

    def side(self, direction: int) -> BookSide:
        """The side of a direction: ASK or BID."""
        return self.asks if direction == ASK else self.bids

    def advance(self, step: int, changes: int = 1) -> None:
        """Number a change, or several at once, ``step`` ids each."""
        if self.first_id == 0:
            self.first_id = self.update_id + step
        self.update_id += step * changes

    def top(self) -> tuple[int, int, int, int]:
        """Best bid tick and lots, best ask tick and lots."""
        bid, ask = self.bids.best(), self.asks.best()
        return -bid, self.bids.levels[bid], ask, self.asks.levels[ask]
