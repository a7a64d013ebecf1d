"""One account on one simulated venue, over a line that may fail: requests, the user-data stream, and doubts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from market.errors import DataGap, Fatal, Rejected, Retry
from market.orders.events import CancelRefused, OrderEvent, OutcomeUnknown, Refused
from market.orders.order import Order
from market.orders.reports import Balances, GatewayReport, OpenOrders, OrderUpdate, VenuePositions
from sim.exchange.venue.events import OrderUpdated
from sim.exchange.venue.kinds import ExecutionKind, MarketKind
from sim.exchange.venue.records import VenueOrder, VenueTrade
from sim.faults.plan import Channel
from sim.gateway.emulated_pairs import EmulatedPairs
from sim.gateway.tracking import TrackedOrder
from sim.gateway.translation import TradedSymbol, balances_of, positions_of
from sim.virtual.line import OUTSIDE_WINDOW, Connection, Notice, Payload, Reply, Status, VenueLine
from sim.virtual.offset import ClockOffset

Told: TypeAlias = GatewayReport | DataGap
State: TypeAlias = tuple[VenueOrder, tuple[VenueTrade, ...]]
"""An order and its trades, as they are at one time."""

_NOT_WORKING: Final = -2011
_NO_SUCH_ORDER: Final = -2013


@dataclass(frozen=True, kw_only=True)
class SessionModel:
    """How patient we are.

    Parameters
    ----------
    timeout_ns: an answer that takes longer is not waited for; one that comes later is still taken.
    window_ns: how long a request is valid by its stamp.
    silence_ns: a user-data stream that says nothing for so long is given up.
    poll_ns: a working order of which nothing was heard for so long is asked about.
    reconnect_ns, longest_reconnect_ns: first pause before connecting again, and the longest that it doubles to.
    """

    timeout_ns: int = 1_000_000_000
    window_ns: int = 1_000_000_000
    silence_ns: int = 1_000_000_000
    poll_ns: int = 1_500_000_000
    reconnect_ns: int = 50_000_000
    longest_reconnect_ns: int = 2_000_000_000

    def __post_init__(self) -> None:
        if min(self.timeout_ns, self.window_ns, self.silence_ns, self.poll_ns, self.reconnect_ns) < 1:
            raise Fatal(f"{self}: expected times of at least 1 ns")


class VenueSession:
    """See the module; ``start`` connects it.

    Parameters
    ----------
    venue: the fast loop's number. symbols: by number of the instrument.
    tell: gets every report, and a DataGap for each break of the user-data stream, once it stands again.
    """

    def __init__(
        self,
        line: VenueLine,
        account: str,
        venue: int,
        symbols: Mapping[int, TradedSymbol],
        model: SessionModel,
        tell: Callable[[Told], None],
    ) -> None:
        self._line = line
        self._clock = line.clock
        self._account = account
        self._venue = venue
        self._symbols = dict(symbols)
        self._model = model
        self._tell = tell
        self._orders: dict[str, TrackedOrder] = {}
        self._pairs = EmulatedPairs(self.submit, self.cancel, self._refuse)
        self._offset = ClockOffset()
        self._banned_until_ns = 0
        self._connection: Connection | None = None
        self._is_connected = False
        self._has_been_connected = False
        self._heard_ns = 0
        self._pause_ns = model.reconnect_ns

    def start(self) -> None:
        """Connect the user-data stream, watch over it and over the orders."""
        self._connect()
        self._clock.after(self._model.silence_ns // 4, self._watch)

    # What the run asks for.

    def submit(self, order: Order) -> None:
        """Send an order; raises Retry while banned or without a user-data stream, Rejected for a strange order."""
        self._check_ban()
        if not self._is_connected:
            raise Retry(
                f"venue {self._venue}: order {order.client_order_id} was not sent, the user-data stream is down"
            )
        symbol = self._symbol(order)
        request = symbol.place_request(order, self._account, self._line.venue.model.kind)
        stamp_ns = self._stamp()
        tracked = TrackedOrder(order, symbol, stamp_ns + self._model.window_ns, self._clock.now_ns())
        self._orders[order.client_order_id] = tracked

        def place(now_ns: int) -> State:
            placed = self._line.venue.place(request, now_ns)
            return placed, self._trades(placed)

        def done(reply: Reply[State]) -> None:
            if reply.status is Status.DONE and reply.result is not None:
                self._take_state(tracked, reply.result, reply.venue_ns)
            elif reply.status in (Status.REFUSED, Status.BANNED):
                self._refused(tracked, reply.status, _reason(reply))
            else:
                self._update(order.client_order_id, self._unknown(reply.status.value))

        self._ask(place, done, order.client_order_id, stamp_ns)

    def submit_oco(self, limit: Order, stop: Order) -> None:
        """Send a pair, as two orders; raises as ``submit``."""
        self._pairs.submit(limit, stop)

    def cancel(self, order: Order) -> None:
        """Ask for a cancellation; raises Retry while banned."""
        self._check_ban()
        tracked = self._tracked(order)
        name = order.client_order_id

        def cancel(now_ns: int) -> State:
            ended = self._line.venue.cancel(self._account, tracked.symbol.model.symbol, now_ns, client_order_id=name)
            return ended, self._trades(ended)

        def done(reply: Reply[State]) -> None:
            if reply.status is Status.DONE and reply.result is not None:
                self._take_state(tracked, reply.result, reply.venue_ns)
            elif reply.status in (Status.REFUSED, Status.BANNED):
                self._update(name, CancelRefused(time_ns=self._clock.now_ns(), reason=_reason(reply)))
                if reply.refusal is not None and reply.refusal.code == _NOT_WORKING:
                    self._look(tracked)
            else:
                self._update(name, self._unknown(reply.status.value))

        self._ask(cancel, done, name, self._stamp())

    def query(self, order: Order) -> None:
        """Ask what became of an order; answered in any case, if only by not knowing. Raises Retry while banned."""
        self._check_ban()
        tracked = self._tracked(order)

        def done(reply: Reply[State]) -> None:
            if not self._take_answer(tracked, reply):
                self._update(order.client_order_id, self._unknown(_reason(reply)))

        self._ask(self._state(tracked), done, order.client_order_id, self._stamp())

    def request_open_orders(self) -> None:
        """Ask for a list of the working orders; raises Retry while banned."""
        self._check_ban()
        by_symbol = {symbol.model.symbol: symbol for symbol in self._symbols.values()}

        def done(reply: Reply[tuple[VenueOrder, ...]]) -> None:
            if reply.result is not None:
                listed = tuple(by_symbol[order.symbol].listed(order) for order in reply.result)
                self._tell(OpenOrders(time_ns=self._clock.now_ns(), venue=self._venue, orders=listed))

        self._line.request(
            lambda now_ns: self._line.venue.open_orders(self._account), done, stamp_ns=self._stamp(),
            window_ns=self._model.window_ns,
        )  # fmt: skip

    def request_balances(self) -> None:
        """Ask for the balances; raises Retry while banned."""
        self._check_ban()
        self._line.request(
            lambda now_ns: balances_of(self._line.venue.account(self._account)),
            lambda reply: None if reply.result is None else self._tell(
                Balances(time_ns=self._clock.now_ns(), venue=self._venue, balances=reply.result)
            ),
            stamp_ns=self._stamp(),
            window_ns=self._model.window_ns,
        )  # fmt: skip

    def request_positions(self) -> None:
        """Ask for the positions; raises Retry while banned, Rejected on spot."""
        if self._line.venue.model.kind is MarketKind.SPOT:
            raise Rejected(f"venue {self._venue}: spot has no positions; expected a futures venue")
        self._check_ban()

        def done(reply: Reply[dict[int, int]]) -> None:
            if reply.result is not None:
                self._tell(VenuePositions(time_ns=self._clock.now_ns(), venue=self._venue, quantities=reply.result))

        self._line.request(
            lambda now_ns: positions_of(self._line.venue.positions(self._account), self._symbols.values()),
            done,
            stamp_ns=self._stamp(),
            window_ns=self._model.window_ns,
        )

    # The user-data stream.

    def opened(self) -> None:
        """The stream stands; what happened while it did not is asked for."""
        self._is_connected = True
        self._heard_ns = self._clock.now_ns()
        self._pause_ns = self._model.reconnect_ns
        if self._has_been_connected:
            self._tell(DataGap(f"venue {self._venue}: the user-data stream was down"))
        self._has_been_connected = True

    def heard(self, payload: Payload, venue_ns: int) -> None:
        """A message of the stream; one that cannot be read may have been about anything, so the stream is given up."""
        self._heard_ns = self._clock.now_ns()
        if payload in (Notice.UNREADABLE, Notice.EXPIRED):
            self._give_up()
        elif isinstance(payload, OrderUpdated) and payload.order.client_order_id in self._orders:
            self._take_update(self._orders[payload.order.client_order_id], payload, venue_ns)

    def closed(self) -> None:
        """The stream was cut."""
        self._is_connected = False
        self._connection = None
        self._clock.after(self._pause_ns, self._connect)
        self._pause_ns = min(2 * self._pause_ns, self._model.longest_reconnect_ns)

    def _connect(self) -> None:
        self._heard_ns = self._clock.now_ns()
        self._connection = self._line.connect(Channel.USER, self._account, self)

    def _give_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self.closed()

    def _watch(self) -> None:
        """Give up a silent stream; ask about orders that are not heard of."""
        self._clock.after(self._model.silence_ns // 4, self._watch)
        now_ns = self._clock.now_ns()
        if self._connection is not None and now_ns - self._heard_ns > self._model.silence_ns:
            self._give_up()
        for name, tracked in list(self._orders.items()):
            if tracked.has_ended:
                # Kept for a while: its reports may still come again.
                if now_ns - tracked.heard_ns > 10 * self._model.poll_ns:
                    del self._orders[name]
            elif now_ns - tracked.heard_ns > self._model.poll_ns:
                self._look(tracked)

    # What is learned.

    def _take_update(self, tracked: TrackedOrder, update: OrderUpdated, venue_ns: int) -> None:
        now_ns = self._clock.now_ns()
        tracked.heard_ns = now_ns
        name = tracked.client_order_id
        if update.trade is not None:
            self._update(name, tracked.filled(update.trade, venue_ns, now_ns))
        elif update.execution in (ExecutionKind.NEW, ExecutionKind.TRIGGERED):
            self._update(name, tracked.acknowledged(update.order, now_ns))
        end = tracked.end(update.order, now_ns)
        if end is not None:
            self._update(name, end)
        elif tracked.lacks_fills(update.order):
            self._look(tracked)

    def _take_state(self, tracked: TrackedOrder, state: State, venue_ns: int) -> None:
        for event in tracked.everything(*state, venue_ns, self._clock.now_ns()):
            self._update(tracked.client_order_id, event)
        if tracked.lacks_fills(state[0]):
            self._look(tracked)

    def _take_answer(self, tracked: TrackedOrder, reply: Reply[State]) -> bool:
        """Take the answer to a question about an order; False when nothing is known by it."""
        if reply.status is Status.DONE and reply.result is not None:
            self._take_state(tracked, reply.result, reply.venue_ns)
            return True
        is_unknown = reply.refusal is not None and reply.refusal.code == _NO_SUCH_ORDER
        if is_unknown and not tracked.is_acknowledged and reply.venue_ns > tracked.valid_until_ns:
            self._refused(tracked, reply.status, "the order never arrived")
            return True
        return False

    def _refused(self, tracked: TrackedOrder, status: Status, reason: str) -> None:
        tracked.has_ended = True
        tracked.heard_ns = self._clock.now_ns()
        self._update(tracked.client_order_id, Refused(time_ns=self._clock.now_ns(), reason=f"{status.value}: {reason}"))

    def _look(self, tracked: TrackedOrder) -> None:
        """Ask about an order of our own accord; when nothing comes of it the watch asks again."""
        if tracked.is_looked_for or self._clock.now_ns() < self._banned_until_ns:
            return
        tracked.is_looked_for = True

        def done(reply: Reply[State]) -> None:
            tracked.is_looked_for = False
            self._take_answer(tracked, reply)

        def forget() -> None:
            tracked.is_looked_for = False

        self._ask(self._state(tracked), done, "", self._stamp())
        self._clock.after(self._model.timeout_ns, forget)

    # Requests.

    def _ask(self, do: Callable[[int], State], done: Callable[[Reply[State]], None], name: str, stamp_ns: int) -> None:
        """Send a signed request; without an answer in time the outcome of the order called ``name`` is unknown."""
        sent_ns = self._clock.now_ns()
        waiting = [True]

        def answered(reply: Reply[State]) -> None:
            waiting.clear()
            self._offset.take(sent_ns, self._clock.now_ns(), reply.venue_ns)
            if reply.status is Status.BANNED:
                self._banned_until_ns = max(self._banned_until_ns, reply.until_ns)
            done(reply)

        def expire() -> None:
            if waiting and name:
                self._update(name, self._unknown("no answer in time"))

        self._line.request(do, answered, stamp_ns=stamp_ns, window_ns=self._model.window_ns)
        self._clock.after(self._model.timeout_ns, expire)

    def _state(self, tracked: TrackedOrder) -> Callable[[int], State]:
        def state(now_ns: int) -> State:
            symbol = tracked.symbol.model.symbol
            order = self._line.venue.order(self._account, symbol, client_order_id=tracked.client_order_id)
            return order, self._trades(order)

        return state

    def _trades(self, order: VenueOrder) -> tuple[VenueTrade, ...]:
        if not order.executed_lots:
            return ()
        return self._line.venue.trades(self._account, order.symbol, order_id=order.order_id, limit=1_000)

    def _tracked(self, order: Order) -> TrackedOrder:
        """What is known of an order; one of an earlier run is taken up."""
        tracked = self._orders.get(order.client_order_id)
        if tracked is None:
            sent_ns = order.sent_ns or order.intent.decided_ns
            valid_until_ns = sent_ns + self._offset.offset_ns + self._model.window_ns
            tracked = TrackedOrder(order, self._symbol(order), valid_until_ns, self._clock.now_ns())
            self._orders[order.client_order_id] = tracked
        return tracked

    def _symbol(self, order: Order) -> TradedSymbol:
        symbol = self._symbols.get(order.intent.instrument)
        if symbol is None:
            raise Rejected(f"instrument {order.intent.instrument} is not traded on venue {self._venue}")
        return symbol

    def _stamp(self) -> int:
        """Time stamp of a request, on the venue's clock as we know it."""
        return self._clock.now_ns() + self._offset.offset_ns

    def _check_ban(self) -> None:
        if self._clock.now_ns() < self._banned_until_ns:
            raise Retry(f"venue {self._venue} has banned us for {self._banned_until_ns - self._clock.now_ns()} ns")

    def _unknown(self, reason: str) -> OutcomeUnknown:
        return OutcomeUnknown(time_ns=self._clock.now_ns(), reason=reason)

    def _update(self, name: str, event: OrderEvent) -> None:
        update = OrderUpdate(client_order_id=name, event=event)
        self._tell(update)
        self._pairs.heard(update)

    def _refuse(self, order: Order, reason: str) -> None:
        self._update(order.client_order_id, Refused(time_ns=self._clock.now_ns(), reason=reason))


def _reason(reply: Reply[State]) -> str:
    if reply.refusal is not None:
        text = str(reply.refusal)
        return f"{text} (clocks are compared again)" if reply.refusal.code == OUTSIDE_WINDOW else text
    return reply.status.value
