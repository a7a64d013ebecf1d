"""The simplest venue: every order is answered after the same time, filled in full or not at all.

For replays in which the recording cannot say what would have become of an order. What it does not model: the book,
queues, partial fills, market impact, balances that run out, stop prices (an order with one rests until cancelled).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, StrEnum

import msgspec

from market.errors import Fatal, Rejected
from market.instruments import Catalogue, Listing
from market.orders.events import Acknowledged, Cancelled, CancelRefused, Expired, Filled, OrderEvent, Refused, Sent
from market.orders.kinds import Liquidity, OrderType, TimeInForce
from market.orders.machine import advance, replay
from market.orders.order import Fill, Order, new_order
from market.orders.reports import Balances, GatewayReport, OpenOrders, OrderUpdate, VenueOrder, VenuePositions
from market.protocols import Clock
from market.risk.notional import fee, notional
from sim.gateway.balances import AssetKey, SimulatedBalances


class SettleMode(StrEnum):
    """What becomes of orders that can trade at once."""

    UNFILLED = "unfilled"
    """Immediate orders expire, others rest until cancelled."""
    FILLED = "filled"
    """Limit orders trade in full at their limit."""


@dataclass(frozen=True)
class SettlingSettings:
    """How the venue answers.

    Parameters
    ----------
    latency_ns: from any call to its answer.
    maker_ppb, taker_ppb: fees by venue number, parts per billion; a venue that is not there is free of charge.
    balances: by venue and asset at the beginning.
    """

    mode: SettleMode
    latency_ns: int
    maker_ppb: Mapping[int, int] = field(default_factory=dict)
    taker_ppb: Mapping[int, int] = field(default_factory=dict)
    balances: Mapping[AssetKey, Decimal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.latency_ns < 0:
            raise Fatal(f"latency was {self.latency_ns} ns; expected 0 or more")


class _Ask(Enum):
    """What was asked of the venue."""

    SUBMIT = 1
    CANCEL = 2
    QUERY = 3
    OPEN_ORDERS = 4
    BALANCES = 5
    POSITIONS = 6


@dataclass(frozen=True, slots=True)
class _Request:
    due_ns: int
    ask: _Ask
    order: str = ""
    venue: int = 0


class SettlingGateway:
    """A gateway without a matching engine; see the module.

    Market and stop orders without a limit price are refused, as there is no price here to fill them at.
    """

    def __init__(self, settings: SettlingSettings, clock: Clock, catalogue: Catalogue) -> None:
        self._settings = settings
        self._clock = clock
        self._catalogue = catalogue
        self._requests: deque[_Request] = deque()
        self._orders: dict[str, Order] = {}
        self._history: dict[str, list[OrderEvent]] = {}
        self._balances = SimulatedBalances(settings.balances)

    def submit(self, order: Order) -> None:
        """Take an order; raises Rejected for a market that is not listed."""
        self._catalogue.listing(order.intent.instrument, order.intent.venue)
        self._request(_Ask.SUBMIT, order=order.client_order_id)
        if order.client_order_id not in self._orders:
            self._orders[order.client_order_id] = advance(new_order(order.intent), Sent(time_ns=self._clock.now_ns()))

    def submit_oco(self, limit: Order, stop: Order) -> None:
        """Raises Rejected: stop prices are not modelled here."""
        raise Rejected(
            f"orders {limit.client_order_id} and {stop.client_order_id}: this venue has no stop orders; expected one "
            "that matches orders"
        )

    def cancel(self, order: Order) -> None:
        """Cancel an order, if it still rests when the request arrives."""
        self._request(_Ask.CANCEL, order=order.client_order_id)

    def query(self, order: Order) -> None:
        """Report again all that happened to an order."""
        self._request(_Ask.QUERY, order=order.client_order_id)

    def request_open_orders(self, venue: int) -> None:
        """Report the orders that rest."""
        self._request(_Ask.OPEN_ORDERS, venue=venue)

    def request_balances(self, venue: int) -> None:
        """Report the balances of the assets that listings name."""
        self._request(_Ask.BALANCES, venue=venue)

    def request_positions(self, venue: int) -> None:
        """Report what the fills add up to."""
        self._request(_Ask.POSITIONS, venue=venue)

    def next_ns(self) -> int | None:
        """When the next answer is due; the latency is constant, so that answers come in the order of requests."""
        return self._requests[0].due_ns if self._requests else None

    def take(self, until_ns: int) -> Sequence[GatewayReport]:
        """The answers that are due; they depend on what the venue knows at their own time."""
        reports: list[GatewayReport] = []
        while self._requests and self._requests[0].due_ns <= until_ns:
            reports += self._answers(self._requests.popleft())
        return reports

    def _request(self, ask: _Ask, order: str = "", venue: int = 0) -> None:
        due_ns = self._clock.now_ns() + self._settings.latency_ns
        self._requests.append(_Request(due_ns, ask, order, venue))

    def _answers(self, request: _Request) -> Sequence[GatewayReport]:
        if request.ask is _Ask.OPEN_ORDERS:
            resting = tuple(_as_listed(order) for order, _ in self._resting(request.venue))
            return [OpenOrders(time_ns=request.due_ns, venue=request.venue, orders=resting)]
        if request.ask is _Ask.BALANCES:
            held = self._balances.report(request.venue, self._resting(request.venue))
            return [Balances(time_ns=request.due_ns, venue=request.venue, balances=tuple(held))]
        if request.ask is _Ask.POSITIONS:
            return [VenuePositions(time_ns=request.due_ns, venue=request.venue, quantities=self._held(request.venue))]
        return [OrderUpdate(client_order_id=request.order, event=event) for event in self._order_events(request)]

    def _order_events(self, request: _Request) -> Sequence[OrderEvent]:
        order = self._orders.get(request.order)
        if order is None:
            unknown = "the venue knows no such order"
            if request.ask is _Ask.CANCEL:
                return [CancelRefused(time_ns=request.due_ns, reason=unknown)]
            return [Refused(time_ns=request.due_ns, reason=unknown)]
        if request.ask is _Ask.CANCEL:
            if not order.is_working:
                return [CancelRefused(time_ns=request.due_ns, reason=f"the order is {order.state.name}")]
            return self._happened(order, [Cancelled(time_ns=request.due_ns, executed=order.filled)])
        if request.order in self._history:
            return [_heard_at(event, request.due_ns) for event in self._history[request.order]]
        return self._happened(order, self._outcome(order, request.due_ns))

    def _outcome(self, order: Order, time_ns: int) -> Sequence[OrderEvent]:
        """What becomes of an order on its arrival."""
        intent = order.intent
        if not intent.limit_price:
            return [Refused(time_ns=time_ns, reason=f"{intent.type.name} orders have no price here")]
        opened = Acknowledged(time_ns=time_ns, venue_order_id=str(len(self._history) + 1))
        if intent.type is not OrderType.LIMIT:
            return [opened]
        if self._settings.mode is SettleMode.FILLED:
            return [opened, Filled(fill=self._fill(order, time_ns))]
        if intent.time_in_force is TimeInForce.GTC:
            return [opened]
        return [opened, Expired(time_ns=time_ns, reason=f"{intent.time_in_force.name} without a fill")]

    def _fill(self, order: Order, time_ns: int) -> Fill:
        intent = order.intent
        rates = self._settings.maker_ppb if intent.post_only else self._settings.taker_ppb
        return Fill(
            fill_id="1",
            price=intent.limit_price,
            quantity=intent.quantity,
            fee=fee(notional(intent.limit_price, intent.quantity), rates.get(intent.venue, 0)),
            liquidity=Liquidity.MAKER if intent.post_only else Liquidity.TAKER,
            venue_ns=time_ns,
            receive_ns=time_ns,
        )

    def _happened(self, order: Order, events: Sequence[OrderEvent]) -> Sequence[OrderEvent]:
        """Keep what happened to an order."""
        for event in events:
            if isinstance(event, Filled):
                listing = self._catalogue.listing(order.intent.instrument, order.intent.venue)
                self._balances.book(listing, order.intent.side, event.fill)
        self._orders[order.client_order_id] = replay(order, events)
        self._history.setdefault(order.client_order_id, []).extend(events)
        return events

    def _held(self, venue: int) -> dict[int, int]:
        """What the fills of a venue add up to, by instrument."""
        held: dict[int, int] = {}
        for order in self._orders.values():
            if order.intent.venue == venue and order.filled:
                number = order.intent.instrument
                held[number] = held.get(number, 0) + order.intent.side.sign * order.filled
        return held

    def _resting(self, venue: int) -> list[tuple[Order, Listing]]:
        """Orders of a venue that are known there and have not ended, oldest first."""
        return [
            (order, self._catalogue.listing(order.intent.instrument, venue))
            for order in self._orders.values()
            if order.is_working and order.intent.venue == venue and order.client_order_id in self._history
        ]


def _as_listed(order: Order) -> VenueOrder:
    return VenueOrder(
        client_order_id=order.client_order_id,
        venue_order_id=order.venue_order_id,
        instrument=order.intent.instrument,
        side=order.intent.side,
        limit_price=order.intent.limit_price,
        quantity=order.intent.quantity,
        filled=order.filled,
    )


def _heard_at(event: OrderEvent, time_ns: int) -> OrderEvent:
    """An event reported again."""
    if isinstance(event, Filled):
        return Filled(fill=msgspec.structs.replace(event.fill, receive_ns=time_ns))
    return msgspec.structs.replace(event, time_ns=time_ns)
