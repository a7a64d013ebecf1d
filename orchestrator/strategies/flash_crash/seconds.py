"""One-second candles of trades, and the volume of the seconds before."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

SECOND_NS: Final = 1_000_000_000
LONGEST_PAUSE_S: Final = 2
"""Time is told ten times a second: after a longer pause nobody looked, and what was traded is not known."""


@dataclass(frozen=True, slots=True)
class Candle:
    """The trades of one second, at least one; prices and volume in counts.

    Parameters
    ----------
    second: its number since the epoch.
    """

    second: int
    open: int
    high: int
    low: int
    close: int
    volume: int

    @property
    def start_ns(self) -> int:
        """When it began."""
        return self.second * SECOND_NS

    @property
    def is_bullish(self) -> bool:
        """Whether it closed above where it opened."""
        return self.close > self.open

    @property
    def is_bearish(self) -> bool:
        """Whether it closed below where it opened."""
        return self.close < self.open

    @property
    def range(self) -> int:
        """From the lowest to the highest price."""
        return self.high - self.low

    def traded(self, price: int, quantity: int) -> Candle:
        """After one more trade."""
        return Candle(
            self.second, self.open, max(self.high, price), min(self.low, price), price, self.volume + quantity
        )


@dataclass(frozen=True, slots=True)
class ClosedCandle:
    """A candle that is over.

    Parameters
    ----------
    earlier_volume: traded in the ``earlier_seconds`` whole seconds right before it.
    """

    candle: Candle
    earlier_volume: int
    earlier_seconds: int


class Seconds:
    """Makes candles; a second without trades has none, and a volume of 0.

    Parameters
    ----------
    window: seconds whose volume is remembered. volumes: of the seconds before, as an earlier run knew them.

    Members
    -------
    open: the candle of the running second. last: the candle closed last.
    """

    def __init__(self, window: int, volumes: tuple[int, ...] = (), second: int = -1) -> None:
        self._volumes = deque(volumes, maxlen=window)
        self._second = second
        self._partial = True
        self.open: Candle | None = None
        self.last: Candle | None = None

    @property
    def volumes(self) -> tuple[int, ...]:
        """Of the last whole seconds, oldest first."""
        return tuple(self._volumes)

    @property
    def second(self) -> int:
        """Number of the running second; -1 before the first."""
        return self._second

    def advance(self, now_ns: int) -> ClosedCandle | None:
        """Let time pass; returns the candle of the running second when that is over and was seen from its start."""
        second = now_ns // SECOND_NS
        if second <= self._second:
            return None
        before, self._second = self._second, second
        if before < 0:
            return None
        closed = self._close()
        if second - before > LONGEST_PAUSE_S:
            self._volumes.clear()
            self._partial = True
            return None
        elif second - before == LONGEST_PAUSE_S:
            self._volumes.append(0)
        return closed

    def take_trade(self, price: int, quantity: int) -> Candle | None:
        """A trade of now; returns the candle before when this trade opens the one right after it."""
        if self.open is not None:
            self.open = self.open.traded(price, quantity)
            return None
        self.open = Candle(self._second, price, price, price, price, quantity)
        is_next = self.last is not None and self.last.second == self._second - 1
        return self.last if is_next else None

    def _close(self) -> ClosedCandle | None:
        """End the running second."""
        candle, self.open, self.last = self.open, None, self.open
        if self._partial:
            self._partial = False
            return None
        closed = ClosedCandle(candle, sum(self._volumes), len(self._volumes)) if candle is not None else None
        self._volumes.append(candle.volume if candle is not None else 0)
        return closed


def is_volume_sufficient(closed: ClosedCandle, window: int, multiple_ppm: int, minimum: int) -> bool:
    """E1: volume above a multiple, in millionths, of the mean of the window before, which must be known, and a minimum.

    Exact: both sides are multiplied out.
    """
    volume = closed.candle.volume
    is_known = closed.earlier_seconds == window
    return is_known and volume * window * 1_000_000 > multiple_ppm * closed.earlier_volume and volume > minimum
