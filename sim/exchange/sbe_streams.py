"""Market data in SBE, by Binance's schema of its streams. Mantissas are money units, so all exponents are -8."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from market.wire.sbe import encode, load_schema
from market.wire.schemas import BINANCE_STREAM
from sim.exchange.depth_feed import DepthChange
from sim.exchange.numbers import us
from sim.exchange.symbols import Symbols
from sim.exchange.venue.events import TopChanged
from sim.exchange.venue.records import Depth, Level, PublicTrade

_EXPONENTS: Final[Mapping[str, int]] = {"priceExponent": -8, "qtyExponent": -8}


class SbeStreams:
    """Writes the messages of SBE streams."""

    def __init__(self, symbols: Symbols) -> None:
        self._schema = load_schema(BINANCE_STREAM)
        self._steps = {model.symbol: (model.tick_units, model.lot_units) for model in symbols}

    def top(self, event: TopChanged, server_ns: int) -> bytes:
        """Best prices."""
        tick, lot = self._steps[event.symbol]
        return self._encoded(
            "BestBidAskStreamEvent",
            event.symbol,
            {
                "eventTime": us(server_ns),
                "bookUpdateId": event.update_id,
                "bidPrice": event.bid_ticks * tick,
                "bidQty": event.bid_lots * lot,
                "askPrice": event.ask_ticks * tick,
                "askQty": event.ask_lots * lot,
            },
        )

    def trades(self, trades: list[PublicTrade], server_ns: int) -> Iterable[bytes]:
        """Trades of one moment, in one message."""
        first = trades[0]
        tick, lot = self._steps[first.symbol]
        yield self._encoded(
            "TradesStreamEvent",
            first.symbol,
            {
                "eventTime": us(server_ns),
                "transactTime": us(trades[-1].time_ns),
                "trades": [
                    {
                        "id": trade.trade_id,
                        "price": trade.price_ticks * tick,
                        "qty": trade.quantity_lots * lot,
                        "isBuyerMaker": int(trade.buyer_is_maker),
                    }
                    for trade in trades
                ],
            },
        )

    def change(self, change: DepthChange, server_ns: int) -> bytes:
        """Changes of the book."""
        return self._encoded(
            "DepthDiffStreamEvent",
            change.symbol,
            {
                "eventTime": us(server_ns),
                "firstBookUpdateId": change.first_id,
                "lastBookUpdateId": change.last_id,
                "bids": self._levels(change.symbol, change.bids),
                "asks": self._levels(change.symbol, change.asks),
            },
        )

    def book(self, depth: Depth, server_ns: int) -> bytes:
        """Best levels of the book."""
        return self._encoded(
            "DepthSnapshotStreamEvent",
            depth.symbol,
            {
                "eventTime": us(server_ns),
                "bookUpdateId": depth.last_update_id,
                "bids": self._levels(depth.symbol, depth.bids),
                "asks": self._levels(depth.symbol, depth.asks),
            },
        )

    def _encoded(self, message: str, symbol: str, values: dict[str, Any]) -> bytes:
        return encode(self._schema, message, {**values, **_EXPONENTS, "symbol": symbol})

    def _levels(self, symbol: str, levels: Iterable[Level]) -> list[dict[str, int]]:
        tick, lot = self._steps[symbol]
        return [{"price": ticks * tick, "qty": lots * lot} for ticks, lots in levels]
