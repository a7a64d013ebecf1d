"""Questions about a market that anybody may ask, spot and futures alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sim.exchange import answers
from sim.exchange.aggregate_trades import AggregateTrades
from sim.exchange.answers import Json
from sim.exchange.calls import Call
from sim.exchange.day_statistics import DayStatistics
from sim.exchange.numbers import ms, quotient
from sim.exchange.parameters import Parameters
from sim.exchange.symbols import Symbols
from sim.exchange.venue.records import Level, PublicTrade
from sim.exchange.venue.venue import SimulatedVenue
from sim.exchange.writing import AggregateTrade, Numbers

_DEPTH_MOST: Final = 5_000
_FUTURES_DEPTHS: Final = (5, 10, 20, 50, 100, 500, 1_000)
_TRADES_MOST: Final = 1_000
_DAY_NS: Final = 86_400 * 10**9


class MarketData:
    """Time, book, trades and best prices of one venue.

    Parameters
    ----------
    numbers: how prices and quantities are written. aggregates: trades by taker order. day: of the last 24 hours.
    """

    def __init__(
        self,
        venue: SimulatedVenue,
        symbols: Symbols,
        numbers: Numbers,
        aggregates: AggregateTrades,
        day: DayStatistics,
        *,
        futures: bool,
    ) -> None:
        self._venue = venue
        self._symbols = symbols
        self._numbers = numbers
        self._aggregates = aggregates
        self._day = day
        self._futures = futures

    def ping(self, call: Call) -> Json:
        """Nothing, to see whether the server is there."""
        return {}

    def time(self, call: Call) -> Json:
        """The server's time."""
        return {"serverTime": ms(call.server_ns)}

    def depth(self, call: Call) -> Json:
        """The book."""
        limit = call.parameters.whole("limit", 500 if self._futures else 100)
        if self._futures and limit not in _FUTURES_DEPTHS:
            raise answers.ApiError(-4021, f"'{limit}' is not valid depth limit.")
        if limit < 1:
            raise answers.invalid("limit")
        symbol = self._symbols.named(call.parameters).symbol
        depth = self._venue.depth(symbol, min(limit, _DEPTH_MOST))
        times: dict[str, Json] = {}
        if self._futures:
            times = {"E": ms(call.server_ns), "T": ms(depth.time_ns)}
        return {
            "lastUpdateId": depth.last_update_id,
            **times,
            "bids": self._numbers.levels(symbol, depth.bids),
            "asks": self._numbers.levels(symbol, depth.asks),
        }

    def trades(self, call: Call) -> Json:
        """The newest trades."""
        symbol = self._symbols.named(call.parameters).symbol
        trades = self._venue.recent_trades(symbol, call.parameters.limit(500, _TRADES_MOST))
        return [self._trade(trade) for trade in trades]

    def aggregate_trades(self, call: Call) -> Json:
        """The newest trades by taker order."""
        symbol = self._symbols.named(call.parameters).symbol
        limit = call.parameters.limit(500, _TRADES_MOST)
        return [self._aggregate(trade) for trade in self._aggregates.recent(symbol, limit)]

    def price(self, call: Call) -> Json:
        """Price of the last trade."""
        return self._of_symbols(call, self._last_price)

    def book_ticker(self, call: Call) -> Json:
        """Best prices."""
        return self._of_symbols(call, self._best)

    def day_ticker(self, call: Call) -> Json:
        """What was traded in the last 24 hours."""
        return self._of_symbols(call, self._day_ticker)

    def _of_symbols(self, call: Call, written: Callable[[str, Call], Json]) -> Json:
        """Of the symbol that is named, or a list of all."""
        name = self._symbols.optional(call.parameters)
        if name:
            return written(name, call)
        return [written(model.symbol, call) for model in self._symbols]

    def _last_price(self, symbol: str, call: Call) -> Json:
        times: dict[str, Json] = {"time": ms(call.server_ns)} if self._futures else {}
        return {"symbol": symbol, "price": self._numbers.price(symbol, self._venue.last_ticks(symbol)), **times}

    def _best(self, symbol: str, call: Call) -> Json:
        depth = self._venue.depth(symbol, 1)
        bid, ask = _first(depth.bids), _first(depth.asks)
        times: dict[str, Json] = {"time": ms(depth.time_ns)} if self._futures else {}
        return {
            "symbol": symbol,
            "bidPrice": self._numbers.price(symbol, bid[0]),
            "bidQty": self._numbers.quantity(symbol, bid[1]),
            "askPrice": self._numbers.price(symbol, ask[0]),
            "askQty": self._numbers.quantity(symbol, ask[1]),
            **times,
        }

    def _day_ticker(self, symbol: str, call: Call) -> Json:
        day = self._day.of(symbol, call.now_ns)
        last = self._venue.last_ticks(symbol)
        opened = day.open if day else last
        base = self._symbols.model(symbol).base_units(day.lots) if day else 0
        depth = self._venue.depth(symbol, 1)
        bid, ask = _first(depth.bids), _first(depth.asks)
        price, quantity = self._numbers.price, self._numbers.quantity
        best: dict[str, Json] = {
            "bidPrice": price(symbol, bid[0]),
            "bidQty": quantity(symbol, bid[1]),
            "askPrice": price(symbol, ask[0]),
            "askQty": quantity(symbol, ask[1]),
        }
        return {
            "symbol": symbol,
            "priceChange": price(symbol, last - opened),
            "priceChangePercent": quotient((last - opened) * 100, opened, 3),
            "weightedAvgPrice": quotient(day.worth if day else 0, base, 8),
            "lastPrice": price(symbol, last),
            "lastQty": quantity(symbol, day.last_lots if day else 0),
            **({} if self._futures else best),
            "openPrice": price(symbol, opened),
            "highPrice": price(symbol, day.high if day else last),
            "lowPrice": price(symbol, day.low if day else last),
            "volume": quantity(symbol, day.lots if day else 0),
            "quoteVolume": self._numbers.money(day.worth if day else 0),
            "openTime": ms(max(day.begun_ns if day else 0, call.now_ns - _DAY_NS)),
            "closeTime": ms(call.server_ns),
            "firstId": day.first_id if day else -1,
            "lastId": day.last_id if day else -1,
            "count": day.last_id - day.first_id + 1 if day else 0,
        }

    def _trade(self, trade: PublicTrade) -> Json:
        best: dict[str, Json] = {} if self._futures else {"isBestMatch": True}
        return {
            "id": trade.trade_id,
            "price": self._numbers.price(trade.symbol, trade.price_ticks),
            "qty": self._numbers.quantity(trade.symbol, trade.quantity_lots),
            "quoteQty": self._numbers.money(trade.quote_units),
            "time": ms(trade.time_ns),
            "isBuyerMaker": trade.buyer_is_maker,
            **best,
        }

    def _aggregate(self, trade: AggregateTrade) -> Json:
        best: dict[str, Json] = {} if self._futures else {"M": True}
        return {**self._numbers.aggregate(trade), **best}


def depth_weight(*steps: tuple[int, int]) -> Callable[[Parameters], int]:
    """Weight of a depth request: of the first step (limit, weight) whose limit is not below what is asked for."""

    def weight(parameters: Parameters) -> int:
        limit = parameters.whole("limit", steps[0][0])
        return next((weight for most, weight in steps if limit <= most), steps[-1][1])

    return weight


def _first(levels: tuple[Level, ...]) -> Level:
    return levels[0] if levels else (0, 0)
