"""The backtest as a gateway of the run loop: orders are matched against the tape of the recordings that are replayed.

The exchanges are played ahead of the loop's time by at most the least latency of a request: whatever is sent from then
on arrives later. What comes of it is told when it would be heard, so that the loop never knows more than it could.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from market.errors import Fatal, Rejected
from market.instruments import Listing
from market.orders.events import CancelRefused, Filled, OrderEvent, Refused, Sent
from market.orders.kinds import OrderType, Side, TimeInForce
from market.orders.machine import advance
from market.orders.order import Order
from market.orders.reports import Balances, GatewayReport, OpenOrders, OrderUpdate, VenueOrder, VenuePositions
from market.protocols import Clock, MarketKey
from sim.backtest.core import BacktestCore
from sim.backtest.layout import EXCHANGE_NS, FOREVER, FUNDED, TAPE_FUNDING, TAPE_KIND, Outcome, Report
from sim.backtest.telling import event_of, heard_at
from sim.gateway.balances import AssetKey, SimulatedBalances
from sim.matching.layout import ASK, BID, EventKind, Prevention, Term

_TERMS: Final = {TimeInForce.GTC: Term.GTC, TimeInForce.IOC: Term.IOC, TimeInForce.FOK: Term.FOK}
_RESTED: Final = int(EventKind.RESTED)


@dataclass(frozen=True)
class BacktestMarket:
    """A market of the tape that is traded.

    Parameters
    ----------
    number: on the tape. is_derivative: whether positions, not balances, say what is held.
    """

    number: int
    listing: Listing
    is_derivative: bool = False


@dataclass(frozen=True)
class FundingPaid:
    """Funding of one position at one time, in counts of its instrument.

    Parameters
    ----------
    venue_ns, heard_ns: when it was paid, and heard of. quantity: held, signed. mark_doubled: twice the price it was
        reckoned with. amount: in notional counts, below 0: received.
    """

    key: MarketKey
    venue_ns: int
    heard_ns: int
    quantity: int
    mark_doubled: int
    amount: int


@dataclass
class _Known:
    """An order at its venue: what happened to it, with the exchange's times."""

    number: int
    market: BacktestMarket
    order: Order
    happened: list[tuple[int, OrderEvent]] = field(default_factory=list)


class BacktestGateway:
    """Orders against a tape; used in the loop's own thread.

    Parameters
    ----------
    core: made for this gateway alone, without received books. markets: those that may be traded.
    balances: by venue and asset at the beginning. positions: held at the beginning, in quantity counts.
    """

    def __init__(
        self,
        core: BacktestCore,
        markets: Mapping[MarketKey, BacktestMarket],
        clock: Clock,
        balances: Mapping[AssetKey, Decimal] | None = None,
        positions: Mapping[MarketKey, int] | None = None,
    ) -> None:
        self._core = core
        self._markets = dict(markets)
        self._clock = clock
        self._balances = SimulatedBalances(balances or {})
        self._positions: dict[MarketKey, int] = dict(positions or {})
        self._orders: dict[str, _Known] = {}
        self._by_number: list[_Known] = []
        self._alive = 0
        self._on_way: list[tuple[int, int, GatewayReport]] = []
        self._told = 0
        self._asked: deque[tuple[int, Callable[[int, int], Sequence[GatewayReport]]]] = deque()
        self._lead_ns = core.lead_ns
        rows = core.tape.rows
        self._funded_ns: list[int] = rows[rows[:, TAPE_KIND] == TAPE_FUNDING, EXCHANGE_NS].tolist()
        self._keys = {market.number: key for key, market in self._markets.items()}
        self._funding: list[FundingPaid] = []

    @property
    def funding(self) -> Sequence[FundingPaid]:
        """What was paid on positions, as far as the exchanges were played."""
        return self._funding

    def funding_paid(self, key: MarketKey, heard_ns: int) -> int:
        """Funding of a market that was heard of by a time, in notional counts; below 0: received."""
        return sum(paid.amount for paid in self._funding if paid.key == key and paid.heard_ns <= heard_ns)

    def submit(self, order: Order) -> None:
        """Send an order; raises Rejected for a market or a kind of order that is not simulated, Retry for too many."""
        name, intent = order.client_order_id, order.intent
        if name in self._orders:
            self.query(order)
            return
        market = self._market(order)
        if intent.type not in (OrderType.LIMIT, OrderType.MARKET):
            raise Rejected(f"order {name}: {intent.type.name} orders are not simulated; expected LIMIT or MARKET")
        listing = market.listing
        if intent.limit_price % listing.tick or intent.quantity % listing.lot:
            raise Rejected(f"{listing}: order {name} is not in whole ticks and lots")
        self._core.order(
            market.number,
            len(self._by_number),
            BID if intent.side is Side.BUY else ASK,
            intent.limit_price // listing.tick,
            intent.quantity // listing.lot,
            term=Term.POST_ONLY if intent.post_only else _TERMS[intent.time_in_force],
            prevention=Prevention.EXPIRE_MAKER,
            sent_ns=self._clock.now_ns(),
        )
        sent = advance(order, Sent(time_ns=self._clock.now_ns())) if not order.sent_ns else order
        known = _Known(len(self._by_number), market, sent)
        self._orders[name] = known
        self._by_number.append(known)
        self._alive += 1

    def submit_oco(self, limit: Order, stop: Order) -> None:
        """Refuse a pair of orders: one of them waits for a price, which is not simulated."""
        raise Rejected(f"orders {limit.client_order_id} and {stop.client_order_id}: pairs are not simulated")

    def cancel(self, order: Order) -> None:
        """Ask for a cancellation; raises Retry when too much is on its way."""
        known = self._orders.get(order.client_order_id)
        if known is None:
            self._ask(lambda at_ns, now_ns: [_unknown(order, now_ns, of_cancel=True)])
            return
        self._core.cancel(known.market.number, known.number, sent_ns=self._clock.now_ns())

    def query(self, order: Order) -> None:
        """Ask what became of an order."""
        name = order.client_order_id

        def answer(at_ns: int, now_ns: int) -> Sequence[GatewayReport]:
            known = self._orders.get(name)
            if known is None:
                return [_unknown(order, now_ns, of_cancel=False)]
            events = [heard_at(event, now_ns) for time_ns, event in known.happened if time_ns <= at_ns]
            return [OrderUpdate(client_order_id=name, event=event) for event in events]

        self._ask(answer)

    def request_open_orders(self, venue: int) -> None:
        """Ask for the orders that work."""

        def answer(at_ns: int, now_ns: int) -> Sequence[GatewayReport]:
            return [OpenOrders(time_ns=now_ns, venue=venue, orders=tuple(map(_listed, self._working(venue))))]

        self._ask(answer)

    def request_balances(self, venue: int) -> None:
        """Ask for the balances."""

        def answer(at_ns: int, now_ns: int) -> Sequence[GatewayReport]:
            working = [(known.order, known.market.listing) for known in self._working(venue)]
            held = self._balances.report(venue, working)
            return [Balances(time_ns=now_ns, venue=venue, balances=tuple(held))]

        self._ask(answer)

    def request_positions(self, venue: int) -> None:
        """Ask for the positions; a venue that is not on the tape has none."""

        def answer(at_ns: int, now_ns: int) -> Sequence[GatewayReport]:
            held = {instrument: lots for (instrument, at), lots in self._positions.items() if at == venue}
            return [VenuePositions(time_ns=now_ns, venue=venue, quantities=held)]

        self._ask(answer)

    def next_ns(self) -> int | None:
        """When something is heard, or when the exchanges must be looked at again, as something might be by then."""
        due_ns = FOREVER
        if self._on_way:
            due_ns = self._on_way[0][0]
        if self._asked:
            due_ns = min(due_ns, self._asked[0][0])
        if self._alive:
            next_ns = self._core.next_at_exchange_ns
            if next_ns < FOREVER:
                due_ns = min(due_ns, max(next_ns + self._core.least_response_ns, self._clock.now_ns()))
        # Funding is paid on what is held, whether orders work or not.
        place = bisect_right(self._funded_ns, self._core.now_ns)
        if place < len(self._funded_ns) and any(self._positions.values()):
            due_ns = min(due_ns, max(self._funded_ns[place] + self._core.least_response_ns, self._clock.now_ns()))
        return due_ns if due_ns < FOREVER else None

    def take(self, until_ns: int) -> Sequence[GatewayReport]:
        """What was heard by a time."""
        self._play(until_ns + self._lead_ns)
        reports: list[GatewayReport] = []
        while True:
            heard_ns = self._on_way[0][0] if self._on_way else FOREVER
            asked_ns = self._asked[0][0] if self._asked else FOREVER
            if min(heard_ns, asked_ns) > until_ns:
                return reports
            if heard_ns <= asked_ns:
                reports.append(heapq.heappop(self._on_way)[2])
            else:
                due_ns, answer = self._asked.popleft()
                reports += answer(due_ns - self._core.least_response_ns, due_ns)

    def _ask(self, answer: Callable[[int, int], Sequence[GatewayReport]]) -> None:
        """Ask something that changes nothing; it takes the least latencies there and back."""
        due_ns = self._clock.now_ns() + self._lead_ns + self._core.least_response_ns
        self._asked.append((due_ns, answer))

    def _play(self, until_ns: int) -> None:
        """Let time pass at the exchanges, and note what comes of it."""
        while True:
            outcome = self._core.advance(until_ns)
            for number in range(len(self._core.tape.markets)):
                for report in self._core.reports(number, FOREVER).tolist():
                    self._take_report(number, report)
            if outcome is Outcome.TIME:
                return
            if outcome is not Outcome.ROOM:
                raise Fatal(f"the backtest stopped at {self._core.now_ns} with {outcome.name}; expected TIME")

    def _take_report(self, number: int, report: list[int]) -> None:
        """Note what an exchange says of an order, to be told when it is heard."""
        if report[Report.KIND] == _RESTED:
            return
        if report[Report.KIND] == FUNDED:
            self._take_funding(number, report)
            return
        known = self._by_number[report[Report.ID]]
        event = event_of(report, known.market.listing, known.order)
        known.happened.append((report[Report.EXCHANGE_NS], event))
        if not isinstance(event, CancelRefused):
            was_working = known.order.is_working
            known.order = advance(known.order, event)
            self._alive -= was_working and not known.order.is_working
        if isinstance(event, Filled):
            intent = known.order.intent
            key = (intent.instrument, intent.venue)
            self._positions[key] = self._positions.get(key, 0) + intent.side.sign * event.fill.quantity
            if not known.market.is_derivative:
                self._balances.book(known.market.listing, intent.side, event.fill)
        self._told += 1
        update = OrderUpdate(client_order_id=known.order.client_order_id, event=event)
        heapq.heappush(self._on_way, (report[Report.RECEIVE_NS], self._told, update))

    def _take_funding(self, number: int, report: list[int]) -> None:
        """Note what an exchange took for a position."""
        key = self._keys[number]
        listing = self._markets[key].listing
        self._funding.append(
            FundingPaid(
                key=key,
                venue_ns=report[Report.EXCHANGE_NS],
                heard_ns=report[Report.RECEIVE_NS],
                quantity=report[Report.LOTS] * listing.lot,
                mark_doubled=report[Report.PRICE] * listing.tick,
                amount=report[Report.FEE] * listing.tick * listing.lot,
            )
        )

    def _working(self, venue: int) -> list[_Known]:
        return [
            known
            for known in self._by_number
            if known.order.is_working and known.happened and known.order.intent.venue == venue
        ]

    def _market(self, order: Order) -> BacktestMarket:
        key = (order.intent.instrument, order.intent.venue)
        market = self._markets.get(key)
        if market is None:
            known = ", ".join(str(market.listing) for market in self._markets.values())
            raise Rejected(f"order {order.client_order_id}: {key} is not on the tape; expected one of {known}")
        return market


def _unknown(order: Order, now_ns: int, *, of_cancel: bool) -> OrderUpdate:
    reason = "the venue knows no such order"
    event = CancelRefused(time_ns=now_ns, reason=reason) if of_cancel else Refused(time_ns=now_ns, reason=reason)
    return OrderUpdate(client_order_id=order.client_order_id, event=event)


def _listed(known: _Known) -> VenueOrder:
    order = known.order
    return VenueOrder(
        client_order_id=order.client_order_id,
        venue_order_id=str(known.number),
        instrument=order.intent.instrument,
        side=order.intent.side,
        limit_price=order.intent.limit_price,
        quantity=order.intent.quantity,
        filled=order.filled,
    )
