"""What every event passes before a signal sees it: times that never run back, and no impossible number.

A refused trade changes nothing but a counter. A refused top of book leaves no top of book: the last one is no
longer known to hold. Numbers are integers by the time they come here; text that is no number never does.
"""

from __future__ import annotations

from market.native.kernel import inline
from market.native.memory import get, put
from market.signals.layout import (
    BAD_AGGRESSOR,
    BAD_PRICE,
    BAD_QUANTITY,
    CROSSED,
    LARGEST_PRICE,
    LARGEST_QUANTITY,
    LARGEST_TIME,
    LATE,
    NOW,
)
from market.wire.records import AGGRESSOR_NONE, AGGRESSOR_SELL


@inline
def admit_time(header: int, time_ns: int) -> int:
    """The event's time, or the newest one before it when it runs back or is not in 0..2^62-1 (counted)."""
    now = get(header, NOW)
    if time_ns < now or time_ns > LARGEST_TIME:
        put(header, LATE, get(header, LATE) + 1)
        return now
    put(header, NOW, time_ns)
    return time_ns


@inline
def _refuse(header: int, counter: int) -> bool:
    put(header, counter, get(header, counter) + 1)
    return False


@inline
def admit_quantity(header: int, quantity: int) -> bool:
    """Whether a quantity is 1..LARGEST_QUANTITY; counted when not."""
    if quantity <= 0 or quantity > LARGEST_QUANTITY:
        return _refuse(header, BAD_QUANTITY)
    return True


@inline
def admit_trade(header: int, price: int, quantity: int, aggressor: int) -> bool:
    """Whether a trade is possible: price, quantity and aggressor in range; the first failure is counted."""
    if price <= 0 or price > LARGEST_PRICE:
        return _refuse(header, BAD_PRICE)
    if not admit_quantity(header, quantity):
        return False
    if aggressor < AGGRESSOR_NONE or aggressor > AGGRESSOR_SELL:
        return _refuse(header, BAD_AGGRESSOR)
    return True


@inline
def admit_top(header: int, bid: int, bid_quantity: int, ask: int, ask_quantity: int) -> bool:
    """Whether a top of book is possible: both sides in range and not crossed; the first failure is counted."""
    if bid <= 0 or ask <= 0 or bid > LARGEST_PRICE or ask > LARGEST_PRICE:
        return _refuse(header, BAD_PRICE)
    if not (admit_quantity(header, bid_quantity) and admit_quantity(header, ask_quantity)):
        return False
    if bid >= ask:
        return _refuse(header, CROSSED)
    return True
