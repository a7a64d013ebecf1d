"""What a gateway tells us, in the order in which it heard it."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias

import msgspec

from market.orders.events import OrderEvent
from market.orders.kinds import Side


class OrderUpdate(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Something happened to an order."""

    client_order_id: str
    event: OrderEvent

    @property
    def time_ns(self) -> int:
        """When we heard of it."""
        return self.event.time_ns


class VenueOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order as its venue lists it; counts of the instrument's scales. The ids may be another program's."""

    client_order_id: str
    venue_order_id: str
    instrument: int
    side: Side
    limit_price: int
    quantity: int
    filled: int


class OpenOrders(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """All orders that work on a venue, in answer to a request."""

    time_ns: int
    venue: int
    orders: tuple[VenueOrder, ...]


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """What is held of one asset, as the venue writes it; ``locked`` is bound by working orders."""

    asset: str
    free: Decimal
    locked: Decimal


class Balances(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """All balances on a venue, in answer to a request."""

    time_ns: int
    venue: int
    balances: tuple[Balance, ...]


class VenuePositions(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """All positions on a venue of derivatives, in answer to a request.

    Parameters
    ----------
    quantities: signed, by instrument number, in quantity counts; what is missing is flat.
    """

    time_ns: int
    venue: int
    quantities: dict[int, int]


AccountReport: TypeAlias = OpenOrders | Balances | VenuePositions
"""What is about no single order."""
GatewayReport: TypeAlias = OrderUpdate | AccountReport
