"""Events as they arrive: what an engine is fed with, or makes of the messages in a frame."""

from __future__ import annotations

from typing import NamedTuple

from market.fastpath.specification import Side


class QuoteEvent(NamedTuple):
    """A top of book as it arrives; prices and quantities are mantissas."""

    instrument: int
    venue: int
    price_exponent: int
    quantity_exponent: int
    sequence: int
    bid_price: int
    bid_quantity: int
    ask_price: int
    ask_quantity: int


class TradeEvent(NamedTuple):
    """A trade as it arrives; price and quantity are mantissas."""

    instrument: int
    venue: int
    price_exponent: int
    quantity_exponent: int
    aggressor: Side
    price: int
    quantity: int
