"""The trade journal: each closed trade with its reasons, money and the market around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Final

import sqlalchemy as sa

from market.orders.kinds import Side
from orchestrator.storage.matching import ClosedTrade
from orchestrator.storage.names import Names
from orchestrator.storage.records import CandleClosed
from orchestrator.storage.repositories.observations import Observations
from orchestrator.storage.repositories.sessions import Sessions
from orchestrator.storage.repositories.trades import TradeFilter, Trades

WINDOW_NS: Final = 60_000_000_000
"""Candles are kept for so long before the entry and before the exit."""
_NS_PER_MS: Final = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Candle:
    """Prices over a second, as people write them."""

    start_ns: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


@dataclass(frozen=True, kw_only=True)
class JournalEntry:
    """One closed trade.

    Parameters
    ----------
    side: BUY: bought first. entry_price, exit_price: averages. return_bps: net profit by money that was put in.
    gross, fees, net: in the quote currency.
    entry_candles, exit_candles: of the venue, in the minute before, the second itself included; empty where there
        are none.
    """

    strategy: str
    instrument: str
    side: Side
    entry_venue: str
    exit_venue: str
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    gross: Decimal
    fees: Decimal
    net: Decimal
    return_bps: float
    opened_ns: int
    closed_ns: int
    held_ms: float
    entry_reason: str
    exit_reason: str
    entry_order: str
    exit_order: str
    session: int
    entry_candles: tuple[Candle, ...] = ()
    exit_candles: tuple[Candle, ...] = ()


COLUMNS: Final = tuple(field.name for field in fields(JournalEntry))


class TradeJournal:
    """Reads trades with what surrounds them, in one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._trades = Trades(connection)
        self._sessions = Sessions(connection)
        self._observations = Observations(connection)
        self._names: dict[int, Names] = {}

    def entries(self, wanted: TradeFilter, *, most: int) -> Sequence[JournalEntry]:
        """Trades, the last closed first."""
        return [self.entry(trade) for trade in self._trades.find(wanted, most=most)]

    def entry(self, trade: ClosedTrade) -> JournalEntry:
        """One trade with names and candles."""
        names, number = self.names(trade.epoch), trade.instrument
        return JournalEntry(
            strategy=trade.strategy,
            instrument=names.instrument(number),
            side=trade.side,
            entry_venue=names.venue(number, trade.entry_venue),
            exit_venue=names.venue(number, trade.exit_venue),
            quantity=names.quantity(number, trade.quantity),
            entry_price=names.average_price(number, trade.entry_notional, trade.quantity),
            exit_price=names.average_price(number, trade.exit_notional, trade.quantity),
            gross=names.money(number, trade.gross),
            fees=names.money(number, trade.fees),
            net=names.money(number, trade.net),
            return_bps=trade.net / trade.entry_notional * 1e4 if trade.entry_notional else 0.0,
            opened_ns=trade.opened_ns,
            closed_ns=trade.closed_ns,
            held_ms=trade.held_ns / _NS_PER_MS,
            entry_reason=trade.entry_reason,
            exit_reason=trade.exit_reason,
            entry_order=trade.entry_order,
            exit_order=trade.exit_order,
            session=trade.epoch,
            entry_candles=self._candles(names, number, trade.entry_venue, trade.opened_ns),
            exit_candles=self._candles(names, number, trade.exit_venue, trade.closed_ns),
        )

    def between(self, trade: ClosedTrade) -> Sequence[CandleClosed]:
        """Candles of the entry's venue while the trade was open."""
        return self._observations.candles(trade.instrument, trade.entry_venue, trade.opened_ns, trade.closed_ns)

    def names(self, epoch: int) -> Names:
        """What a session's numbers mean."""
        if epoch not in self._names:
            self._names[epoch] = Names(self._sessions.markets(epoch))
        return self._names[epoch]

    def _candles(self, names: Names, instrument: int, venue: int, time_ns: int) -> tuple[Candle, ...]:
        found = self._observations.candles(instrument, venue, time_ns - WINDOW_NS, time_ns + 1)
        return tuple(
            Candle(
                start_ns=candle.start_ns,
                open=names.price(instrument, candle.open),
                high=names.price(instrument, candle.high),
                low=names.price(instrument, candle.low),
                close=names.price(instrument, candle.close),
                volume=names.quantity(instrument, candle.volume),
            )
            for candle in found
        )


def candle_columns(candle: Candle) -> Mapping[str, object]:
    """A candle by the names of its columns."""
    return {field.name: getattr(candle, field.name) for field in fields(candle)}
