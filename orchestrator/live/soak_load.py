"""Market data at a steady rate: quantities at the best prices change as often as it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from market.orders.kinds import Side
from sim.exchange.venue.venue import SimulatedVenue
from sim.generator.chance import Chance

_NS_PER_S: Final = 1_000_000_000
_MOST_AT_ONCE_NS: Final = 1_000_000_000
"""A server that is later than this leaves out what it has missed: more is not made up for in a burst."""
_LOTS: Final = 2_000


class Load:
    """Changes the best levels of a venue's symbols in turn; a ``Player`` of a served venue.

    What the venue publishes without it counts, too: the load only makes up for what is missing to the rate.

    Parameters
    ----------
    published: messages that the venue has published so far.

    Members
    -------
    missed: messages that were not made because the server was late.
    """

    def __init__(self, venue: SimulatedVenue, seed: int, published: Callable[[], int]) -> None:
        self.missed = 0
        self._venue = venue
        self._symbols = tuple(model.symbol for model in venue.model.symbols)
        self._chance = Chance(seed, stream=1)
        self._published = published
        self._rate = 0.0
        self._since_ns = 0
        self._before = 0
        self._due = 0.0
        self._turn = 0

    def set_rate(self, rate: float, now_ns: int) -> None:
        """Go on with so many messages per second; 0: make none."""
        self._rate = rate
        self._since_ns = now_ns
        self._before = self._published()
        self._due = 0.0

    def advance(self, now_ns: int) -> None:
        """Make the changes that are due."""
        if not self._rate:
            return
        elapsed_ns = max(now_ns - self._since_ns, 0)
        self._since_ns = now_ns
        late_ns = max(elapsed_ns - _MOST_AT_ONCE_NS, 0)
        self.missed += round(late_ns * self._rate / _NS_PER_S)
        self._due += (elapsed_ns - late_ns) * self._rate / _NS_PER_S
        lacking = int(self._due) - (self._published() - self._before)
        for _ in range(lacking):
            self._change(now_ns)

    def _change(self, now_ns: int) -> None:
        """Another quantity at a best price: a message at least."""
        symbol = self._symbols[self._turn % len(self._symbols)]
        self._turn += 1
        depth = self._venue.depth(symbol, 1)
        side = Side.BUY if self._chance.sign() > 0 else Side.SELL
        levels = depth.bids if side is Side.BUY else depth.asks
        if levels:
            lots = levels[0][1] + 1 + self._chance.below(_LOTS) - _LOTS // 2
            self._venue.set_level(symbol, side, levels[0][0], max(lots, _LOTS), now_ns)
