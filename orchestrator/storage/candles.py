"""One-second candles of what a run sees, for the trade journal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from market.protocols import Intent, MarketKey, MarketView, QuoteChanged, Traded, WakeCause, Wakes
from orchestrator.run_loop.access import PeriodicTask, RunAccess
from orchestrator.storage.records import CandleClosed

DURATION_NS: Final = 1_000_000_000


@dataclass(slots=True)
class _Bar:
    open: int
    high: int
    low: int
    close: int

    def add(self, price: int) -> None:
        self.high, self.low, self.close = max(self.high, price), min(self.low, price), price


@dataclass(slots=True)
class _Second:
    """What one market showed in the second that runs."""

    start_ns: int
    trades: _Bar | None = None
    middles: _Bar | None = None
    volume: int = 0

    def add_trade(self, price: int, quantity: int) -> None:
        self.volume += quantity
        if self.trades is None:
            self.trades = _Bar(price, price, price, price)
        else:
            self.trades.add(price)

    def add_middle(self, price: int) -> None:
        if self.middles is None:
            self.middles = _Bar(price, price, price, price)
        else:
            self.middles.add(price)


class CandleMaker:
    """Watches markets as a strategy that never trades.

    A candle is of the prices of the second's trades; of a second without trades, of the middles between bid and ask,
    rounded down. A second in which nothing changed has none.
    """

    def __init__(self, markets: Iterable[MarketKey]) -> None:
        self._markets = frozenset(markets)
        self._running: dict[MarketKey, _Second] = {}
        self._closed: list[CandleClosed] = []

    @property
    def tag(self) -> str:
        """The name under which it wakes."""
        return "candles"

    @property
    def wakes(self) -> Wakes:
        """Quotes and trades of its markets."""
        return Wakes(quotes=self._markets, trades=self._markets)

    def wake(self, cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        """Look; it wants nothing."""
        if isinstance(cause, Traded):
            trade = cause.trade
            second = self._second((trade.instrument, trade.venue), trade.time_ns)
            second.add_trade(trade.price, trade.quantity)
        elif isinstance(cause, QuoteChanged):
            quote = view.quote(cause.instrument, cause.venue)
            if quote is not None:
                second = self._second((cause.instrument, cause.venue), cause.time_ns)
                second.add_middle((quote.bid_price + quote.ask_price) // 2)
        return ()

    def take(self, now_ns: int) -> Sequence[CandleClosed]:
        """Candles of seconds that are over, and were not taken before."""
        for key in [key for key, second in self._running.items() if second.start_ns + DURATION_NS <= now_ns]:
            self._close(key, self._running.pop(key))
        closed, self._closed = self._closed, []
        return closed

    def _second(self, key: MarketKey, time_ns: int) -> _Second:
        start_ns = time_ns - time_ns % DURATION_NS
        second = self._running.get(key)
        if second is None or second.start_ns < start_ns:
            if second is not None:
                self._close(key, second)
            second = self._running[key] = _Second(start_ns)
        return second

    def _close(self, key: MarketKey, second: _Second) -> None:
        bar = second.trades or second.middles
        if bar is not None:
            self._closed.append(
                CandleClosed(
                    instrument=key[0],
                    venue=key[1],
                    start_ns=second.start_ns,
                    duration_ns=DURATION_NS,
                    open=bar.open,
                    high=bar.high,
                    low=bar.low,
                    close=bar.close,
                    volume=second.volume,
                )
            )


def candle_task(maker: CandleMaker, keep: Callable[[CandleClosed], None]) -> PeriodicTask:
    """Hand closed candles to whoever keeps them, every second."""

    def write(run: RunAccess, now_ns: int) -> None:
        for candle in maker.take(now_ns):
            keep(candle)

    return PeriodicTask("candles", DURATION_NS, write)
