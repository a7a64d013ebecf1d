"""What is known of the market: top of book, P_t and depth, and forgetting them."""

from __future__ import annotations

from typing import Final

from market.detector.imbalance import judge_imbalance
from market.detector.layout import (
    ASK,
    ASK_LIQUIDITY,
    ASK_LOTS,
    ASK_WALLS,
    BID,
    BID_LIQUIDITY,
    BID_LOTS,
    BID_WALLS,
    BOOK_KNOWN,
    DOUBTED,
    DOUBTED_BOOK,
    DOUBTED_TOP,
    LAST_PRICE,
    PRICE_SOURCE,
    QUOTED,
)
from market.detector.liquidity import judge_liquidity
from market.detector.settings import PriceSource
from market.detector.spread import judge_spread
from market.native.kernel import inline
from market.native.memory import get, put

_MID: Final = int(PriceSource.MID)


@inline
def state_top(detector: int, bid: int, ask: int) -> None:
    """Take an admitted top of book."""
    put(detector, QUOTED, 1)
    put(detector, BID, bid)
    put(detector, ASK, ask)
    put(detector, DOUBTED, get(detector, DOUBTED) & ~DOUBTED_TOP)
    if get(detector, PRICE_SOURCE) == _MID:
        put(detector, LAST_PRICE, bid + ask)
    judge_spread(detector)


@inline
def state_trade_price(detector: int, price: int) -> None:
    """Take the price of an admitted trade."""
    if get(detector, PRICE_SOURCE) != _MID:
        put(detector, LAST_PRICE, 2 * price)


@inline
def state_depth(
    detector: int, bid_lots: int, ask_lots: int, bid_liquidity: int, ask_liquidity: int, bid_walls: int, ask_walls: int
) -> None:
    """Take admitted sums over the best levels; walls below 0 are counted from the sizes when they are asked for."""
    put(detector, BOOK_KNOWN, 1)
    put(detector, BID_LOTS, bid_lots)
    put(detector, ASK_LOTS, ask_lots)
    put(detector, BID_LIQUIDITY, bid_liquidity)
    put(detector, ASK_LIQUIDITY, ask_liquidity)
    put(detector, BID_WALLS, bid_walls)
    put(detector, ASK_WALLS, ask_walls)
    put(detector, DOUBTED, get(detector, DOUBTED) & ~DOUBTED_BOOK)
    judge_imbalance(detector)
    judge_liquidity(detector)


@inline
def doubt(detector: int, what: int) -> None:
    """A statement was refused: unless a good one comes before the second closes, what was known is forgotten."""
    put(detector, DOUBTED, get(detector, DOUBTED) | what)


@inline
def withdraw_top(detector: int) -> None:
    """There is no top of book any more."""
    put(detector, QUOTED, 0)
    if get(detector, PRICE_SOURCE) == _MID:
        put(detector, LAST_PRICE, 0)
    judge_spread(detector)


@inline
def withdraw_depth(detector: int) -> None:
    """The depth is not known any more."""
    put(detector, BOOK_KNOWN, 0)
    judge_imbalance(detector)
    judge_liquidity(detector)


@inline
def forget_doubted(detector: int) -> None:
    """A second closed: what was refused and not stated well since is not known."""
    doubted = get(detector, DOUBTED)
    if doubted & DOUBTED_TOP != 0:
        withdraw_top(detector)
    if doubted & DOUBTED_BOOK != 0:
        withdraw_depth(detector)
    put(detector, DOUBTED, 0)
