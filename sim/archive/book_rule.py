"""A synthetic book around trades: what might have stood there, made by a rule from what had traded until then.

The rule is stated in docs/importing.md. It is integer arithmetic on trades and on the bars that have ended, so the same
trades give the same book, and no state of it knows a later trade.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_SCALE: Final = 1 << 16
_FAST_BARS: Final = 8
_SLOW_BARS: Final = 512
_LARGEST: Final = 1 << 46

Levels = dict[int, int]
"""Lots by tick of one side, best first."""


@dataclass(frozen=True)
class BookRule:
    """Numbers of the rule.

    Parameters
    ----------
    levels: per side. least_spread_ticks: the spread is never smaller. spread_percent: spread, of the mean range of a
    bar. depth_percent: lots at the best prices in a calm market, of the mean volume of a bar. interval_ns: from one
    depth update to the next; a second is a whole number of them.
    """

    levels: int = 10
    least_spread_ticks: int = 1
    spread_percent: int = 5
    depth_percent: int = 100
    interval_ns: int = 100_000_000


class SyntheticBook:
    """The book after the trades so far; there is none before the first bar has ended."""

    def __init__(self, rule: BookRule) -> None:
        self._rule = rule
        self._fast_range = self._slow_range = self._slow_volume = 0
        self._bars = 0
        self._price, self._is_sell = 0, False
        self.spread = rule.least_spread_ticks
        self.lots = 1

    @property
    def is_there(self) -> bool:
        """Whether a bar has ended."""
        return self._bars > 0

    def trade(self, price: int, is_sell: bool) -> None:
        """A trade, in ticks: its price is now the best of the side that it came to."""
        self._price, self._is_sell = price, is_sell

    def bar(self, spread: int, volume: int) -> None:
        """A bar has ended: its highest less its lowest price in ticks, and its volume in lots."""
        if self._bars == 0:
            self._fast_range = self._slow_range = spread * _SCALE
            self._slow_volume = volume
        else:
            self._fast_range += (spread * _SCALE - self._fast_range) // min(self._bars + 1, _FAST_BARS)
            self._slow_range += (spread * _SCALE - self._slow_range) // min(self._bars + 1, _SLOW_BARS)
            self._slow_volume += (volume - self._slow_volume) // min(self._bars + 1, _SLOW_BARS)
        self._bars += 1
        rule = self._rule
        self.spread = max(rule.least_spread_ticks, self._fast_range * rule.spread_percent // 100 // _SCALE)
        calm = max(self._slow_range, 1)
        lots = self._slow_volume * rule.depth_percent * calm // (100 * max(self._fast_range, calm))
        self.lots = min(max(lots, 1), _LARGEST)

    def top(self) -> tuple[int, int]:
        """Best bid and best ask, in ticks."""
        if self._is_sell:
            return self._price, self._price + self.spread
        bid = max(self._price - self.spread, 1)
        return bid, max(self._price, bid + 1)

    def sides(self) -> tuple[Levels, Levels]:
        """Bids and asks."""
        bid, ask = self.top()
        lots, step = self.lots, self.spread
        sizes = [lots * (2 + number) // 2 for number in range(self._rule.levels)]
        bids = {bid - step * number: size for number, size in enumerate(sizes) if bid - step * number > 0}
        return bids, {ask + step * number: size for number, size in enumerate(sizes)}
