"""Conditions on a market that wake a strategy, judged in compiled code, so that its Python runs only then."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from market.native.kernel import part
from market.native.memory import get, put


class WakeKind(IntEnum):
    """What wakes. Prices and quantities are counts: ticks and lots, or whatever the caller counts in."""

    MID_MOVED = 1
    """The middle is at least ``LEVEL`` halves of a price count away from where it was when this last fired or began."""
    TOP_CHANGED = 2
    """Best prices changed, or one of their quantities by more than ``LEVEL``."""
    SPREAD_REACHED = 3
    """The spread rose to at least ``LEVEL``; again only after it was below."""
    IMBALANCE_ABOVE = 4
    """(bid - ask) / (bid + ask) of the best quantities rose above ``LEVEL`` millionths; again only after it was not."""
    IMBALANCE_BELOW = 5
    TRADED = 6
    """A trade of at least ``LEVEL``."""


class Wake(IntEnum):
    """Words of a wake condition."""

    KIND = 0
    """0: a place that is free."""
    MARKET = 1
    LEVEL = 2
    REFERENCE = 3
    """MID_MOVED: twice the middle. Crossings: 1 while beyond. TOP_CHANGED: bid, its quantity, ask, its quantity."""
    FIRED = 7
    """1 when what was judged last fired it."""


WAKE_WIDTH: Final = 8

_KIND: Final = int(Wake.KIND)
_LEVEL: Final = int(Wake.LEVEL)
_REFERENCE: Final = int(Wake.REFERENCE)
_MID_MOVED: Final = int(WakeKind.MID_MOVED)
_TOP_CHANGED: Final = int(WakeKind.TOP_CHANGED)
_SPREAD_REACHED: Final = int(WakeKind.SPREAD_REACHED)
_IMBALANCE_ABOVE: Final = int(WakeKind.IMBALANCE_ABOVE)
_TRADED: Final = int(WakeKind.TRADED)
_MILLION: Final = 1_000_000


@part
def _is_beyond(kind: int, level: int, bid: int, bid_quantity: int, ask: int, ask_quantity: int) -> bool:
    """Whether a spread or an imbalance is beyond its level."""
    if kind == _SPREAD_REACHED:
        return ask - bid >= level
    signed = (bid_quantity - ask_quantity) / (bid_quantity + ask_quantity) * _MILLION
    return signed > level if kind == _IMBALANCE_ABOVE else signed < level


@part
def _top_changed(wake: int, level: int, bid: int, bid_quantity: int, ask: int, ask_quantity: int) -> bool:
    moved = get(wake, _REFERENCE) != bid or get(wake, _REFERENCE + 2) != ask
    changed = abs(get(wake, _REFERENCE + 1) - bid_quantity) > level
    if not moved and not changed and abs(get(wake, _REFERENCE + 3) - ask_quantity) <= level:
        return False
    put(wake, _REFERENCE, bid)
    put(wake, _REFERENCE + 1, bid_quantity)
    put(wake, _REFERENCE + 2, ask)
    put(wake, _REFERENCE + 3, ask_quantity)
    return True


@part
def judge_top(wake: int, bid: int, bid_quantity: int, ask: int, ask_quantity: int) -> bool:
    """Whether a condition fires at new best prices, which are both there with quantities above 0."""
    kind, level = get(wake, _KIND), get(wake, _LEVEL)
    if kind == _MID_MOVED:
        middle, before = bid + ask, get(wake, _REFERENCE)
        if before != 0 and abs(middle - before) < level:
            return False
        put(wake, _REFERENCE, middle)
        return before != 0
    if kind == _TOP_CHANGED:
        return _top_changed(wake, level, bid, bid_quantity, ask, ask_quantity)
    if kind == _TRADED:
        return False
    beyond = _is_beyond(kind, level, bid, bid_quantity, ask, ask_quantity)
    fires = beyond and get(wake, _REFERENCE) == 0
    put(wake, _REFERENCE, 1 if beyond else 0)
    return fires


@part
def judge_trade(wake: int, quantity: int) -> bool:
    """Whether a condition fires at a trade."""
    return get(wake, _KIND) == _TRADED and quantity >= get(wake, _LEVEL)
