"""What was traded in the last 24 hours, gathered by minutes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from sim.exchange.venue.events import Traded, VenueEvent
from sim.exchange.venue.records import PublicTrade

_MINUTE_NS: Final = 60 * 10**9
_DAY_NS: Final = 1_440 * _MINUTE_NS


@dataclass(slots=True)
class Traffic:
    """Trades of one minute, or of several put together; prices in ticks, ``worth`` in 1e-8 of the quote asset."""

    begun_ns: int
    open: int
    high: int
    low: int
    close: int
    lots: int
    worth: int
    first_id: int
    last_id: int
    last_lots: int

    def add(self, later: Traffic) -> None:
        """Put what came later to it."""
        self.high = max(self.high, later.high)
        self.low = min(self.low, later.low)
        self.close = later.close
        self.lots += later.lots
        self.worth += later.worth
        self.last_id = later.last_id
        self.last_lots = later.last_lots


class DayStatistics:
    """Hears of trades, and knows those of the last 24 hours, to the minute in which they begin."""

    def __init__(self) -> None:
        self._minutes: dict[str, deque[Traffic]] = {}

    def hear(self, events: list[VenueEvent], now_ns: int) -> None:
        """Count trades."""
        for event in events:
            if isinstance(event, Traded):
                self._count(event.trade)

    def of(self, symbol: str, now_ns: int) -> Traffic | None:
        """The trades of the last 24 hours; None if there were none."""
        minutes = self._minutes.get(symbol, deque())
        while minutes and minutes[0].begun_ns + _MINUTE_NS <= now_ns - _DAY_NS:
            minutes.popleft()
        if not minutes:
            return None
        whole = _copied(minutes[0])
        for place in range(1, len(minutes)):
            whole.add(minutes[place])
        return whole

    def _count(self, trade: PublicTrade) -> None:
        minutes = self._minutes.setdefault(trade.symbol, deque(maxlen=_DAY_NS // _MINUTE_NS + 1))
        begun_ns = trade.time_ns - trade.time_ns % _MINUTE_NS
        traffic = Traffic(
            begun_ns=begun_ns,
            open=trade.price_ticks,
            high=trade.price_ticks,
            low=trade.price_ticks,
            close=trade.price_ticks,
            lots=trade.quantity_lots,
            worth=trade.quote_units,
            first_id=trade.trade_id,
            last_id=trade.trade_id,
            last_lots=trade.quantity_lots,
        )
        if minutes and minutes[-1].begun_ns == begun_ns:
            minutes[-1].add(traffic)
        else:
            minutes.append(traffic)


def _copied(traffic: Traffic) -> Traffic:
    return Traffic(**{name: getattr(traffic, name) for name in Traffic.__slots__})
