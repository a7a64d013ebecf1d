"""A leg that an earlier run left open: found by the positions that it left, and closed before anything else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from market.orders.kinds import Side
from market.orders.order import Order
from market.protocols import Intent, MarketKey, MarketView, TimerIntent
from orchestrator.strategies.leg_closing import ClosingSettings, LegClosing

FIRST_NUMBER: Final = 1 << 63
"""Decisions of a strategy about leftovers are numbered from here on, by instrument; triggers never come so far."""


class Leftover:
    """What one strategy holds of one instrument over all venues together, which should be nothing.

    Parameters
    ----------
    venues: of the instrument. epoch: of this run.

    Members
    -------
    number: of its timers and orders. is_closed: whether nothing is left that a venue would take.
    """

    def __init__(self, tag: str, instrument: int, venues: Iterable[int], epoch: int, settings: ClosingSettings) -> None:
        self.number = FIRST_NUMBER + instrument
        self.is_closed = False
        self._tag = tag
        self._instrument = instrument
        self._venues = tuple(venues)
        self._retry_ns = settings.retry_ns
        self._closing = LegClosing(
            tag=tag,
            epoch=epoch,
            number=self.number,
            timer=self.number,
            reason="open leg of an earlier run",
            settings=settings,
        )

    def hear(self, order: Order, view: MarketView) -> Sequence[Intent]:
        """Something became of one of its orders."""
        self._closing.hear(order, view)
        return self.check(view)

    def check(self, view: MarketView) -> Sequence[Intent]:
        """The next closing order, if one is needed."""
        if self._closing.is_working or self.is_closed:
            return ()
        net = sum(self._held(venue, view) for venue in self._venues)
        if not net:
            self.is_closed = True
            return ()
        market = self._market(net, view)
        quote = view.quote(*market)
        if quote is None:
            return [TimerIntent(at_ns=view.now_ns + self._retry_ns, number=self.number)]
        quantity = self._closing.closable(
            market, min(abs(net), abs(self._held(market[1], view))), quote.bid_price, view
        )
        if not quantity:
            self.is_closed = True
            return ()
        return self._closing.close(market, Side.BUY if net > 0 else Side.SELL, quantity, view)

    def _held(self, venue: int, view: MarketView) -> int:
        return view.position(self._instrument, venue, self._tag).quantity

    def _market(self, net: int, view: MarketView) -> MarketKey:
        """Where most of it is held: there it can be closed."""
        sign = 1 if net > 0 else -1
        venue = max(self._venues, key=lambda venue: (sign * self._held(venue, view), -venue))
        return self._instrument, venue
