"""The decoded form of order-by-order feeds: one int64 row per event of a book, a trade, or a loss.

A bridge turns a venue's packets into these rows; ``market.book.order_intake`` keeps the books and turns rows into the
quotes and trades that a replay reads. Prices are ticks; quantities are in the venue's own unit (``10**-decimals`` of
it), also for inverse instruments: they become base currency only when a quote is made of them.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np

from market.errors import Fatal
from market.wire.records import Reject, Rows


class OrderKind(IntEnum):
    """What a row says."""

    IGNORED = 0
    """A message that changes no book; it may end a transaction."""
    PUT = 1
    """An order is there with this price, quantity and priority, whatever it was before."""
    REDUCE = 2
    """An order has this smaller quantity and keeps its place."""
    DELETE = 3
    CLEAR = 4
    """The book is empty."""
    TRADE = 5
    GAP = 6
    """Messages are missing or unreadable: the book is no longer known."""
    SNAPSHOT_BEGIN = 7
    """A snapshot of all updates up to ``SEQUENCE``; ``COUNT`` orders follow, if it says how many."""
    SNAPSHOT_PUT = 8
    SNAPSHOT_END = 9
    SNAPSHOT_LOST = 10
    """A part of the snapshot is missing."""
    REJECTED = 11


class OrderColumn(IntEnum):
    """Columns of a row."""

    KIND = 0
    RECEIVE_NS = 1
    EVENT_NS = 2
    MARKET = 3
    """Index into the source's instruments; -1 for none."""
    SIDE = 4
    """1 bid, 0 ask; of a trade the ``AGGRESSOR`` of ``market.wire.records``."""
    ORDER = 5
    PRICE = 6
    QUANTITY = 7
    PRIORITY = 8
    """Orders of smaller numbers execute first."""
    KEEPS_PLACE = 9
    """Whether a PUT of the same price and no larger quantity leaves the order where it is."""
    ENDS = 10
    """Whether the transaction ends with this message."""
    SEQUENCE = 11
    """The message's number in its channel; of a snapshot that of the last update in it."""
    SINCE = 12
    """Of SNAPSHOT_END: number from which on the channel's messages are complete, -1 if none came yet."""
    COUNT = 13
    """Of SNAPSHOT_BEGIN: orders in the snapshot, -1 if it does not say."""
    CHANNEL = 14
    REASON = 15
    LINE = 16
    CYCLES = 17


ORDER_WIDTH: Final = 18

KIND: Final = int(OrderColumn.KIND)
RECEIVE_NS: Final = int(OrderColumn.RECEIVE_NS)
EVENT_NS: Final = int(OrderColumn.EVENT_NS)
MARKET: Final = int(OrderColumn.MARKET)
SIDE: Final = int(OrderColumn.SIDE)
ORDER: Final = int(OrderColumn.ORDER)
PRICE: Final = int(OrderColumn.PRICE)
QUANTITY: Final = int(OrderColumn.QUANTITY)
PRIORITY: Final = int(OrderColumn.PRIORITY)
KEEPS_PLACE: Final = int(OrderColumn.KEEPS_PLACE)
ENDS: Final = int(OrderColumn.ENDS)
SEQUENCE: Final = int(OrderColumn.SEQUENCE)
SINCE: Final = int(OrderColumn.SINCE)
COUNT: Final = int(OrderColumn.COUNT)
CHANNEL: Final = int(OrderColumn.CHANNEL)
REASON: Final = int(OrderColumn.REASON)
LINE: Final = int(OrderColumn.LINE)
CYCLES: Final = int(OrderColumn.CYCLES)

IGNORED: Final = int(OrderKind.IGNORED)
PUT: Final = int(OrderKind.PUT)
REDUCE: Final = int(OrderKind.REDUCE)
DELETE: Final = int(OrderKind.DELETE)
CLEAR: Final = int(OrderKind.CLEAR)
TRADE: Final = int(OrderKind.TRADE)
GAP: Final = int(OrderKind.GAP)
SNAPSHOT_BEGIN: Final = int(OrderKind.SNAPSHOT_BEGIN)
SNAPSHOT_PUT: Final = int(OrderKind.SNAPSHOT_PUT)
SNAPSHOT_END: Final = int(OrderKind.SNAPSHOT_END)
SNAPSHOT_LOST: Final = int(OrderKind.SNAPSHOT_LOST)
REJECTED: Final = int(OrderKind.REJECTED)

NO_REASON: Final = int(Reject.NONE)


class OrderBatch:
    """Rows that a bridge fills."""

    def __init__(self, rows: int = 65536) -> None:
        if rows < 1:
            raise Fatal(f"a batch needs room for rows, was {rows}")
        self.rows: Rows = np.zeros((rows, ORDER_WIDTH), dtype=np.int64)
        self.count = 0

    def filled(self) -> Rows:
        """View of the rows."""
        return self.rows[: self.count]
