"""Market data in JSON, spot and USD-M futures."""

from __future__ import annotations

from collections.abc import Iterable

from sim.exchange.answers import Json, json_text
from sim.exchange.depth_feed import DepthChange
from sim.exchange.numbers import ms, rate
from sim.exchange.venue.events import TopChanged
from sim.exchange.venue.records import Depth, Funding, PublicTrade
from sim.exchange.writing import AggregateTrade, FuturesNumbers, SpotNumbers


class SpotStreams:
    """Writes the messages of spot."""

    def __init__(self, numbers: SpotNumbers) -> None:
        self._numbers = numbers

    def top(self, event: TopChanged, server_ns: int) -> str:
        """Best prices."""
        numbers, symbol = self._numbers, event.symbol
        return json_text(
            {
                "u": event.update_id,
                "s": symbol,
                "b": numbers.price(symbol, event.bid_ticks),
                "B": numbers.quantity(symbol, event.bid_lots),
                "a": numbers.price(symbol, event.ask_ticks),
                "A": numbers.quantity(symbol, event.ask_lots),
            }
        )

    def trades(self, trades: list[PublicTrade], server_ns: int) -> Iterable[str]:
        """Trades, one message each."""
        for trade in trades:
            yield json_text(
                {
                    "e": "trade",
                    "E": ms(server_ns),
                    "s": trade.symbol,
                    "t": trade.trade_id,
                    "p": self._numbers.price(trade.symbol, trade.price_ticks),
                    "q": self._numbers.quantity(trade.symbol, trade.quantity_lots),
                    "b": trade.buyer_order_id,
                    "a": trade.seller_order_id,
                    "T": ms(trade.time_ns),
                    "m": trade.buyer_is_maker,
                    "M": True,
                }
            )

    def aggregate(self, trade: AggregateTrade, server_ns: int) -> str:
        """Trades of one taker order."""
        head: dict[str, Json] = {"e": "aggTrade", "E": ms(server_ns), "s": trade.symbol}
        return json_text({**head, **self._numbers.aggregate(trade), "M": True})

    def change(self, change: DepthChange, server_ns: int) -> str:
        """Changes of the book."""
        return json_text(
            {
                "e": "depthUpdate",
                "E": ms(server_ns),
                "s": change.symbol,
                "U": change.first_id,
                "u": change.last_id,
                "b": self._numbers.levels(change.symbol, change.bids),
                "a": self._numbers.levels(change.symbol, change.asks),
            }
        )

    def book(self, depth: Depth, server_ns: int) -> str:
        """Best levels of the book."""
        return json_text(
            {
                "lastUpdateId": depth.last_update_id,
                "bids": self._numbers.levels(depth.symbol, depth.bids),
                "asks": self._numbers.levels(depth.symbol, depth.asks),
            }
        )


class FuturesStreams:
    """Writes the messages of USD-M futures."""

    def __init__(self, numbers: FuturesNumbers) -> None:
        self._numbers = numbers
        self._book_ids: dict[str, int] = {}

    def top(self, event: TopChanged, server_ns: int) -> str:
        """Best prices."""
        numbers, symbol = self._numbers, event.symbol
        return json_text(
            {
                "e": "bookTicker",
                "u": event.update_id,
                "s": symbol,
                "b": numbers.price(symbol, event.bid_ticks),
                "B": numbers.quantity(symbol, event.bid_lots),
                "a": numbers.price(symbol, event.ask_ticks),
                "A": numbers.quantity(symbol, event.ask_lots),
                "T": ms(event.time_ns),
                "E": ms(server_ns),
            }
        )

    def trades(self, trades: list[PublicTrade], server_ns: int) -> Iterable[str]:
        """Trades, one message each."""
        for trade in trades:
            yield json_text(
                {
                    "e": "trade",
                    "E": ms(server_ns),
                    "T": ms(trade.time_ns),
                    "s": trade.symbol,
                    "t": trade.trade_id,
                    "p": self._numbers.price(trade.symbol, trade.price_ticks),
                    "q": self._numbers.quantity(trade.symbol, trade.quantity_lots),
                    "X": "MARKET",
                    "m": trade.buyer_is_maker,
                }
            )

    def aggregate(self, trade: AggregateTrade, server_ns: int) -> str:
        """Trades of one taker order."""
        head: dict[str, Json] = {"e": "aggTrade", "E": ms(server_ns), "s": trade.symbol}
        return json_text({**head, **self._numbers.aggregate(trade)})

    def change(self, change: DepthChange, server_ns: int) -> str:
        """Changes of the book."""
        return json_text(
            {
                "e": "depthUpdate",
                "E": ms(server_ns),
                "T": ms(change.time_ns),
                "s": change.symbol,
                "U": change.first_id,
                "u": change.last_id,
                "pu": change.previous_id,
                "b": self._numbers.levels(change.symbol, change.bids),
                "a": self._numbers.levels(change.symbol, change.asks),
            }
        )

    def book(self, depth: Depth, server_ns: int) -> str:
        """Best levels of the book, as a change to a book of which nothing is known."""
        previous = self._book_ids.get(depth.symbol, depth.last_update_id)
        self._book_ids[depth.symbol] = depth.last_update_id
        return json_text(
            {
                "e": "depthUpdate",
                "E": ms(server_ns),
                "T": ms(depth.time_ns),
                "s": depth.symbol,
                "U": min(previous + 1, depth.last_update_id),
                "u": depth.last_update_id,
                "pu": previous,
                "b": self._numbers.levels(depth.symbol, depth.bids),
                "a": self._numbers.levels(depth.symbol, depth.asks),
            }
        )

    def mark(self, funding: Funding, server_ns: int) -> str:
        """Mark price and funding; the index price is the mark price, as there is no index."""
        price = self._numbers.price(funding.symbol, funding.mark_ticks)
        return json_text(
            {
                "e": "markPriceUpdate",
                "E": ms(server_ns),
                "s": funding.symbol,
                "p": price,
                "ap": price,
                "i": price,
                "P": price,
                "r": rate(funding.rate_ppb),
                "T": ms(funding.next_ns),
            }
        )
