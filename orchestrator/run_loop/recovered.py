"""What a run takes over from the runs before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from market.errors import Fatal, Rejected
from market.instruments import Catalogue
from market.orders.kinds import OrderState
from market.orders.order import Order
from market.protocols import MarketKey
from market.risk.position import Position
from market.risk.room import Standing

Owned: TypeAlias = tuple[str | None, MarketKey]
"""Strategy, or None for all together, and market."""

_MAY_BE_FILLED_LATE = frozenset({OrderState.CANCELLED, OrderState.EXPIRED})


@dataclass(frozen=True)
class Recovered:
    """The state at the end of the last run, from what was written down alone.

    Parameters
    ----------
    orders: oldest first: all that had not ended, and those that ended so shortly before that a fill of theirs may not
        have been heard of.
    positions: of all fills ever, by strategy and over all of them.
    epoch: the greatest that any run used.
    decisions: by strategy, the greatest number of its own decisions in that epoch.
    components: the latest snapshot of each part of the system that made one.
    """

    orders: tuple[Order, ...] = ()
    positions: Mapping[Owned, Position] = field(default_factory=dict)
    epoch: int = 0
    decisions: Mapping[str, int] = field(default_factory=dict)
    components: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def to_ask(self) -> Sequence[Order]:
        """Orders that the venue has to be asked about before anything is traded."""
        return [order for order in self.orders if order.is_working or order.state in _MAY_BE_FILLED_LATE]

    @property
    def standings(self) -> Mapping[MarketKey, Standing]:
        """What the fast loop has to be told: positions, and what working orders may still fill."""
        standings = {
            key: Standing(position=position.quantity) for (owner, key), position in self.positions.items() if not owner
        }
        for order in self.orders:
            if order.is_working:
                key = (order.intent.instrument, order.intent.venue)
                standing = standings.get(key, Standing())
                standings[key] = standing.committed(order.intent.side, order.remaining)
        return {key: standing for key, standing in standings.items() if standing != Standing()}

    def check(self, epoch: int, catalogue: Catalogue) -> None:
        """Raises Fatal when a run of this epoch must not follow, or the markets of what is held are not listed."""
        if epoch <= self.epoch:
            raise Fatal(
                f"the run's epoch was {epoch}; expected more than {self.epoch}, which an earlier run used: the ids of "
                "orders would repeat"
            )
        for instrument, venue in self.standings:
            try:
                catalogue.listing(instrument, venue)
            except Rejected as missing:
                raise Fatal(
                    f"an earlier run left a position or orders in a market that there is not: {missing}"
                ) from missing
