"""Prices, quantities and public trades as a venue writes them: spot with eight decimals, futures with its steps'."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import msgspec

from sim.exchange.answers import Json
from sim.exchange.numbers import decimals_of, eight, fixed, ms
from sim.exchange.symbols import Symbols
from sim.exchange.venue.records import Level


class AggregateTrade(msgspec.Struct, frozen=True, kw_only=True):
    """Trades of one taker order at one price."""

    symbol: str
    number: int
    price_ticks: int
    quantity_lots: int
    first_trade_id: int
    last_trade_id: int
    taker_order_id: int
    buyer_is_maker: bool
    time_ns: int


class Numbers(Protocol):
    """How one venue writes."""

    def price(self, symbol: str, ticks: int) -> str:
        """A price."""

    def quantity(self, symbol: str, lots: int) -> str:
        """A quantity."""

    def money(self, units: int) -> str:
        """An amount of quote asset."""

    def levels(self, symbol: str, levels: Iterable[Level]) -> list[Json]:
        """Pairs of price and quantity."""

    def aggregate(self, trade: AggregateTrade) -> dict[str, Json]:
        """An aggregate trade, as streams and answers have it."""


class SpotNumbers:
    """Eight digits after the point, whatever the steps are."""

    def __init__(self, symbols: Symbols) -> None:
        self._steps = {model.symbol: (model.tick_units, model.lot_units) for model in symbols}

    def price(self, symbol: str, ticks: int) -> str:
        """A price."""
        return eight(ticks * self._steps[symbol][0])

    def quantity(self, symbol: str, lots: int) -> str:
        """A quantity."""
        return eight(lots * self._steps[symbol][1])

    def money(self, units: int) -> str:
        """An amount of any asset."""
        return eight(units)

    def levels(self, symbol: str, levels: Iterable[Level]) -> list[Json]:
        """Pairs of price and quantity."""
        tick, lot = self._steps[symbol]
        return [[eight(ticks * tick), eight(lots * lot)] for ticks, lots in levels]

    def aggregate(self, trade: AggregateTrade) -> dict[str, Json]:
        """An aggregate trade."""
        return _aggregate(self, trade)


class FuturesNumbers:
    """As many digits after the point as the steps need; money with eight."""

    def __init__(self, symbols: Symbols) -> None:
        self._steps = {
            model.symbol: (
                model.tick_units,
                decimals_of(model.tick_units),
                model.lot_units,
                decimals_of(model.lot_units),
            )
            for model in symbols
        }

    def price(self, symbol: str, ticks: int) -> str:
        """A price."""
        tick, decimals, _, _ = self._steps[symbol]
        return fixed(ticks * tick, decimals)

    def quantity(self, symbol: str, lots: int) -> str:
        """A quantity, negative for a short position."""
        _, _, lot, decimals = self._steps[symbol]
        return fixed(lots * lot, decimals)

    def money(self, units: int) -> str:
        """An amount of any asset."""
        return eight(units)

    def levels(self, symbol: str, levels: Iterable[Level]) -> list[Json]:
        """Pairs of price and quantity."""
        tick, price_decimals, lot, quantity_decimals = self._steps[symbol]
        return [[fixed(ticks * tick, price_decimals), fixed(lots * lot, quantity_decimals)] for ticks, lots in levels]

    def aggregate(self, trade: AggregateTrade) -> dict[str, Json]:
        """An aggregate trade."""
        return _aggregate(self, trade)


def _aggregate(numbers: SpotNumbers | FuturesNumbers, trade: AggregateTrade) -> dict[str, Json]:
    return {
        "a": trade.number,
        "p": numbers.price(trade.symbol, trade.price_ticks),
        "q": numbers.quantity(trade.symbol, trade.quantity_lots),
        "f": trade.first_trade_id,
        "l": trade.last_trade_id,
        "T": ms(trade.time_ns),
        "m": trade.buyer_is_maker,
    }
