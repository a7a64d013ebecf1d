"""Where one Coinbase message is put together, and the values that both of its APIs write alike."""

from __future__ import annotations

from typing import Final

from market.native.kernel import inline, shared
from market.native.memory import get, put
from market.wire.json_walk import read_count, read_text
from market.wire.levels import read_number
from market.wire.markets import PRICE_DECIMALS, QUANTITY_DECIMALS, market_count
from market.wire.records import AGGRESSOR_BUY, AGGRESSOR_NONE, AGGRESSOR_SELL, GAP
from market.wire.staging import (
    MISSING_FIELD,
    STAGE_OWN,
    STAGE_TABLE,
    add_mark,
    add_trade,
    market_at,
    market_named,
)
from market.wire.text import OK, packed, read_string, skip_value
from market.wire.timestamps import read_iso_time

CHANNEL: Final = STAGE_OWN
"""Channel of an Advanced Trade message, NO_NAME when it names none."""
TYPE: Final = STAGE_OWN + 1
"""Type of an Exchange message, NO_NAME when it names none."""
TIME_NS: Final = STAGE_OWN + 2
SEQUENCE: Final = STAGE_OWN + 3
EVENTS: Final = STAGE_OWN + 4
"""Whether there were events, and whether they came before what they need: the message is then read again."""
EARLY: Final = STAGE_OWN + 5
"""Whether a value came before what it needs: the object is then read again."""
MARKET: Final = STAGE_OWN + 6
BIDS: Final = STAGE_OWN + 7
ASKS: Final = STAGE_OWN + 8
PRICE: Final = STAGE_OWN + 9
QUANTITY: Final = STAGE_OWN + 10
SIDE: Final = STAGE_OWN + 11
TRADE_ID: Final = STAGE_OWN + 12
TRADE_NS: Final = STAGE_OWN + 13
EVENT_TYPE: Final = STAGE_OWN + 14
MARKS: Final = STAGE_OWN + 15
"""Whether the message's marks of a gap were added."""

NO_NAME: Final = -1
OTHER: Final = 0
BOOK: Final = 1
TRADES: Final = 2
BOOK_SNAPSHOT: Final = 3
NO_MARKET: Final = -1
UNNAMED: Final = -2
SIDE_BID: Final = 1
SIDE_ASK: Final = 2

_BUY_LOW, _ = packed("buy")
_SELL_LOW, _ = packed("sell")
_BUY_CAPITALS_LOW, _ = packed("BUY")
_SELL_CAPITALS_LOW, _ = packed("SELL")
_BID_LOW, _ = packed("bid")
_OFFER_LOW, _ = packed("offer")


@shared
def name_market(at: int, cursor: int) -> tuple[int, int]:
    """Value of ``product_id``."""
    length, end, reason = read_string(at)
    if reason == OK:
        put(cursor, MARKET, market_named(cursor, at + 1, length))
    return end, reason


@shared
def read_side(at: int, cursor: int) -> tuple[int, int]:
    """A side, ``buy``, ``BUY`` or ``bid``, ``sell``, ``SELL`` or ``offer``, into SIDE."""
    low, _, length, end, reason = read_text(at)
    side = 0
    if length == 3 and (low == _BUY_LOW or low == _BUY_CAPITALS_LOW or low == _BID_LOW):
        side = SIDE_BID
    elif (length == 4 and (low == _SELL_LOW or low == _SELL_CAPITALS_LOW)) or (length == 5 and low == _OFFER_LOW):
        side = SIDE_ASK
    put(cursor, SIDE, side)
    return end, reason


@shared
def read_scaled(at: int, cursor: int, is_price: bool) -> tuple[int, int]:
    """A price or quantity in the market's scale, into PRICE or QUANTITY."""
    if get(cursor, MARKET) < 0:
        if get(cursor, MARKET) == UNNAMED:
            put(cursor, EARLY, 1)
        return skip_value(at)
    market = market_at(cursor, get(cursor, MARKET))
    value, _, end, reason = read_number(at, get(market, PRICE_DECIMALS if is_price else QUANTITY_DECIMALS))
    put(cursor, PRICE if is_price else QUANTITY, value)
    return end, reason


@shared
def read_time(at: int, cursor: int, slot: int) -> tuple[int, int]:
    """A time into a word."""
    time_ns, end, reason = read_iso_time(at)
    put(cursor, slot, time_ns)
    return end, reason


@shared
def read_number_word(at: int, cursor: int, slot: int) -> tuple[int, int]:
    """A whole number, quoted or not, into a word."""
    value, end, reason = read_count(at)
    put(cursor, slot, value)
    return end, reason


@inline
def clear_trade(cursor: int) -> None:
    """Forget the fields of a trade or level."""
    for slot in (PRICE, QUANTITY, TRADE_ID, TRADE_NS):
        put(cursor, slot, -1)
    put(cursor, SIDE, 0)


@inline
def put_trade(cursor: int) -> int:
    """Add the trade whose fields were read. The side is the maker's: a sale means that a buyer was the aggressor."""
    side = get(cursor, SIDE)
    aggressor = AGGRESSOR_NONE
    if side == SIDE_ASK:
        aggressor = AGGRESSOR_BUY
    elif side == SIDE_BID:
        aggressor = AGGRESSOR_SELL
    price = get(cursor, PRICE)
    quantity = get(cursor, QUANTITY)
    trade_id = get(cursor, TRADE_ID)
    time_ns = get(cursor, TRADE_NS)
    if min(price, quantity, trade_id, time_ns) < 0 or aggressor == AGGRESSOR_NONE:
        return MISSING_FIELD
    return add_trade(cursor, get(cursor, MARKET), time_ns, price, quantity, aggressor, trade_id)


@shared
def add_gaps(cursor: int) -> int:
    """Say for every market that messages are missing, once per message; returns a reject code."""
    if get(cursor, MARKS) != 0:
        return OK
    put(cursor, MARKS, 1)
    for market in range(market_count(get(cursor, STAGE_TABLE))):
        reason = add_mark(cursor, GAP, market, 0)
        if reason != OK:
            return reason
    return OK
