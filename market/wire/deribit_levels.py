"""Numbers of Deribit's multicast messages as ticks and lots."""

from __future__ import annotations

from typing import Final

from market.native.kernel import inline, part
from market.native.memory import get, put
from market.wire.compiled import deribit_multicast as wire
from market.wire.doubles import count_of_double
from market.wire.levels import scale_lots
from market.wire.markets import PRICE_DECIMALS, QUANTITY_DECIMALS
from market.wire.records import Reject

OK: Final = int(Reject.NONE)
_MALFORMED: Final = int(Reject.MALFORMED)
_NEGATIVE: Final = int(Reject.NEGATIVE)
_TOO_LONG: Final = int(Reject.TOO_LONG)
_ASK: Final = 0
_BID: Final = 1
_DELETED: Final = 2

NO_PRICE: Final = -1
"""Price of an empty side, as books write it."""


@part
def ticks_and_lots(instrument: int, price_bits: int, amount_bits: int) -> tuple[int, int, int]:
    """Price in ticks and amount in lots, and a reject code; a price of 0 ticks has 0 lots."""
    price, reason = count_of_double(price_bits, get(instrument, PRICE_DECIMALS))
    if reason != OK or price == 0:
        return price, 0, reason
    amount, reason = count_of_double(amount_bits, get(instrument, QUANTITY_DECIMALS))
    if reason != OK:
        return price, 0, reason
    lots, reason = scale_lots(instrument, price, amount)
    return price, lots, reason


@inline
def best_of_side(instrument: int, price_bits: int, amount_bits: int) -> tuple[int, int, int]:
    """As ``ticks_and_lots``; a side without price or amount is NO_PRICE and 0 lots."""
    price, lots, reason = ticks_and_lots(instrument, price_bits, amount_bits)
    if price == 0 or amount_bits == 0:
        return NO_PRICE, 0, reason
    return price, lots, reason


@part
def write_levels(
    instrument: int, entries: int, count: int, is_diff: bool, bids: int, bid_room: int, asks: int, ask_room: int
) -> tuple[int, int, int]:
    """Entries of a book or snapshot message as rows (ticks, lots); gives bids, asks and a reject code.

    A deleted level has 0 lots, whatever its amount says.
    """
    bid_count, ask_count = 0, 0
    for _ in range(count):
        side = get(entries, wire.BOOK_CHANGES_SIDE)
        change = get(entries, wire.BOOK_CHANGES_CHANGE) if is_diff else 0
        if side > _BID or change > _DELETED:
            return 0, 0, _MALFORMED
        price_bits = get(entries, wire.BOOK_CHANGES_PRICE if is_diff else wire.SNAPSHOT_LEVELS_PRICE)
        amount_bits = get(entries, wire.BOOK_CHANGES_AMOUNT if is_diff else wire.SNAPSHOT_LEVELS_AMOUNT)
        price, lots, reason = ticks_and_lots(instrument, price_bits, 0 if change == _DELETED else amount_bits)
        if reason == OK and price == 0:
            reason = _NEGATIVE
        if reason == OK and (bid_count == bid_room or ask_count == ask_room):
            reason = _TOO_LONG
        if reason != OK:
            return 0, 0, reason
        if side == _ASK:
            put(asks, 2 * ask_count, price)
            put(asks, 2 * ask_count + 1, lots)
            ask_count += 1
        else:
            put(bids, 2 * bid_count, price)
            put(bids, 2 * bid_count + 1, lots)
            bid_count += 1
        entries += 8 * (wire.BOOK_CHANGES_WIDTH if is_diff else wire.SNAPSHOT_LEVELS_WIDTH)
    return bid_count, ask_count, OK
