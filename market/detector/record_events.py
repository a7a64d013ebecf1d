"""From a decoded record, and the book that has taken it, to the event that it is for the detector."""

from __future__ import annotations

from typing import Final

from market.book.book import (
    QUOTED,
    SYNCHRONISED,
    TOP_ASK,
    TOP_ASK_QUANTITY,
    TOP_BID,
    TOP_BID_QUANTITY,
    ask_side,
    bid_side,
)
from market.book.top import CHANGED, WITHDRAWN
from market.detector.depth_walk import walk_side
from market.detector.events import EventKind
from market.detector.layout import NONE
from market.detector.walls import ASKS, BIDS
from market.native.kernel import inline, shared
from market.native.memory import get, put
from market.wire.records import (
    AGGRESSOR,
    DIFF,
    GAP,
    KIND,
    PRICE,
    QUANTITY,
    RECEIVE_NS,
    SNAPSHOT,
    TRADE,
    TRADE_ID,
)

_TOP: Final = int(EventKind.TOP)
_TRADE: Final = int(EventKind.TRADE)
_BOOK: Final = int(EventKind.BOOK)
_GAP: Final = int(EventKind.GAP)
_WITHDRAWN: Final = int(EventKind.WITHDRAWN)


@inline
def _put_top(event: int, kind: int, book: int) -> None:
    """The book drops quotes and updates that it knows, so that they need no number here."""
    put(event, 0, kind)
    put(event, 2, NONE)
    put(event, 3, get(book, TOP_BID))
    put(event, 4, get(book, TOP_BID_QUANTITY))
    put(event, 5, get(book, TOP_ASK))
    put(event, 6, get(book, TOP_ASK_QUANTITY))


@shared
def _put_depth(detector: int, event: int, book: int) -> None:
    bid_lots, bid_worth = walk_side(detector, BIDS, bid_side(book))
    ask_lots, ask_worth = walk_side(detector, ASKS, ask_side(book))
    put(event, 7, bid_lots)
    put(event, 8, ask_lots)
    put(event, 9, bid_worth)
    put(event, 10, ask_worth)
    put(event, 11, NONE)
    put(event, 12, NONE)


@inline
def _put_trade(event: int, row: int) -> None:
    put(event, 0, _TRADE)
    put(event, 2, get(row, TRADE_ID))
    put(event, 3, get(row, PRICE))
    put(event, 4, get(row, QUANTITY))
    put(event, 5, get(row, AGGRESSOR))


@inline
def put_event(detector: int, event: int, book: int, row: int, change: int) -> bool:
    """Write the event of a record into the words of ``event``; whether there is one.

    Parameters
    ----------
    change: what the record changed about its book's top. Sizes of levels go into the detector's state.
    """
    kind = get(row, KIND)
    put(event, 1, get(row, RECEIVE_NS))
    if kind == TRADE:
        _put_trade(event, row)
    elif kind == GAP:
        put(event, 0, _GAP)
    elif change == WITHDRAWN:
        put(event, 0, _WITHDRAWN)
    elif (kind == DIFF or kind == SNAPSHOT) and get(book, SYNCHRONISED) != 0 and get(book, QUOTED) != 0:
        _put_top(event, _BOOK, book)
        _put_depth(detector, event, book)
    elif change == CHANGED:
        _put_top(event, _TOP, book)
    else:
        return False
    return True
