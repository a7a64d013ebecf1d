"""Books that arrive in several messages: their levels, kept until the last piece.

A piece continues what its market collected if it is of the same template and identifier, and starts anew if not. A gap
in the channel gives up what the channel's markets collected.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from market.native.kernel import inline, part
from market.native.memory import get, put
from market.wire.records import Words

PLACES: Final = 32
"""Books that can be incomplete at the same time."""
LEVELS: Final = 4096
"""Levels per side that a place holds."""
_OWNER: Final = 0
"""Market + 1, 0 when free."""
_CHANNEL: Final = 1
_TEMPLATE: Final = 2
_IDENTIFIER: Final = 3
_BIDS: Final = 4
_ASKS: Final = 5
_HEADER: Final = 8
_ASK_ROWS: Final = _HEADER + 2 * LEVELS
_PLACE: Final = _HEADER + 4 * LEVELS


def new_pieces() -> Words:
    """Places for incomplete books, all free."""
    return np.zeros(PLACES * _PLACE, dtype=np.int64)


@part
def find_pieces(pieces: int, market: int, template: int, identifier: int) -> int:
    """Address of what a market has collected of a book, 0 if nothing; of another book it is given up."""
    for index in range(PLACES):
        place = pieces + 8 * _PLACE * index
        if get(place, _OWNER) == market + 1:
            if get(place, _TEMPLATE) == template and get(place, _IDENTIFIER) == identifier:
                return place
            put(place, _OWNER, 0)
    return 0


@part
def begin_pieces(pieces: int, market: int, channel: int, template: int, identifier: int) -> int:
    """Address of a place for a market's book, 0 if all are taken."""
    for index in range(PLACES):
        place = pieces + 8 * _PLACE * index
        if get(place, _OWNER) == 0:
            put(place, _OWNER, market + 1)
            put(place, _CHANNEL, channel)
            put(place, _TEMPLATE, template)
            put(place, _IDENTIFIER, identifier)
            put(place, _BIDS, 0)
            put(place, _ASKS, 0)
            return place
    return 0


@inline
def give_up_pieces(place: int) -> None:
    """Free a place."""
    put(place, _OWNER, 0)


@part
def give_up_channel(pieces: int, channel: int) -> None:
    """Free what a channel's markets collected."""
    for index in range(PLACES):
        place = pieces + 8 * _PLACE * index
        if get(place, _OWNER) != 0 and get(place, _CHANNEL) == channel:
            put(place, _OWNER, 0)


@inline
def collected_levels(place: int) -> int:
    """Levels of the fuller side."""
    return max(get(place, _BIDS), get(place, _ASKS))


@inline
def free_bids(place: int) -> tuple[int, int]:
    """Address of the next free bid row, and rows free."""
    used = get(place, _BIDS)
    return place + 8 * _HEADER + 16 * used, LEVELS - used


@inline
def free_asks(place: int) -> tuple[int, int]:
    """Address of the next free ask row, and rows free."""
    used = get(place, _ASKS)
    return place + 8 * _ASK_ROWS + 16 * used, LEVELS - used


@inline
def keep_pieces(place: int, bids: int, asks: int) -> None:
    """Count levels that were written to the free rows as collected."""
    put(place, _BIDS, get(place, _BIDS) + bids)
    put(place, _ASKS, get(place, _ASKS) + asks)


@part
def copy_pieces(place: int, bids: int, asks: int) -> tuple[int, int]:
    """Write all collected levels to rows at two addresses; gives their numbers."""
    for word in range(2 * get(place, _BIDS)):
        put(bids, word, get(place, _HEADER + word))
    for word in range(2 * get(place, _ASKS)):
        put(asks, word, get(place, _ASK_ROWS + word))
    return get(place, _BIDS), get(place, _ASKS)
