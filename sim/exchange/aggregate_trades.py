"""Trades put together by taker order and price, as the exchange publishes them beside the single ones."""

from __future__ import annotations

from collections import deque
from typing import Final

from sim.exchange.venue.events import Traded, VenueEvent
from sim.exchange.venue.records import PublicTrade
from sim.exchange.writing import AggregateTrade

_KEPT: Final = 1_000


class AggregateTrades:
    """Puts trades together, numbers the aggregates per symbol from 1 and keeps the newest.

    All trades of one taker order happen in one call of the venue, so an aggregate is complete with the batch of events
    in which it begins.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._kept: dict[str, deque[AggregateTrade]] = {}

    def take(self, events: list[VenueEvent]) -> list[AggregateTrade]:
        """The aggregates of a batch of events, in order."""
        taken: list[AggregateTrade] = []
        open_trades: list[PublicTrade] = []
        for event in events:
            if isinstance(event, Traded):
                if open_trades and not _together(open_trades[-1], event.trade):
                    taken.append(self._closed(open_trades))
                    open_trades = []
                open_trades.append(event.trade)
        if open_trades:
            taken.append(self._closed(open_trades))
        return taken

    def recent(self, symbol: str, limit: int) -> list[AggregateTrade]:
        """The newest ones of a symbol, oldest first."""
        return list(self._kept.get(symbol, ()))[-limit:]

    def _closed(self, trades: list[PublicTrade]) -> AggregateTrade:
        first, last = trades[0], trades[-1]
        number = self._numbers[first.symbol] = self._numbers.get(first.symbol, 0) + 1
        aggregate = AggregateTrade(
            symbol=first.symbol,
            number=number,
            price_ticks=first.price_ticks,
            quantity_lots=sum(trade.quantity_lots for trade in trades),
            first_trade_id=first.trade_id,
            last_trade_id=last.trade_id,
            taker_order_id=_taker(first),
            buyer_is_maker=first.buyer_is_maker,
            time_ns=first.time_ns,
        )
        self._kept.setdefault(first.symbol, deque(maxlen=_KEPT)).append(aggregate)
        return aggregate


def _taker(trade: PublicTrade) -> int:
    return trade.seller_order_id if trade.buyer_is_maker else trade.buyer_order_id


def _together(before: PublicTrade, after: PublicTrade) -> bool:
    return (before.symbol, before.price_ticks, before.buyer_is_maker, _taker(before)) == (
        after.symbol,
        after.price_ticks,
        after.buyer_is_maker,
        _taker(after),
    )
