"""The gateway of one market of one venue: orders out, reports in.

The run loop's thread calls it; requests leave and answers arrive in the network's thread. Nothing that was sent is ever
sent again: whatever is uncertain is reported as unknown, and asked for.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, Final

from market.errors import Rejected, Retry
from market.instruments import Listing
from market.orders.events import Refused
from market.orders.order import Order, OrderIntent
from market.orders.pairs import OcoPairs, check_pair
from market.orders.reports import AccountReport, GatewayReport, OrderUpdate
from market.protocols import Clock
from orchestrator.execution.account_questions import AccountQuestions
from orchestrator.execution.answers import Answer, Refusal, Reply
from orchestrator.execution.awaited_ends import AwaitedEnds
from orchestrator.execution.channel import Channel, Send
from orchestrator.execution.circuit_breaker import BreakerState
from orchestrator.execution.commissions import is_exact
from orchestrator.execution.guard import Guard, GuardLimits
from orchestrator.execution.order_text import cancel_request, oco_request
from orchestrator.execution.outcomes import Outcomes
from orchestrator.execution.questions import MISREAD, Questions
from orchestrator.execution.rate_limit import Counted
from orchestrator.execution.reading import Reader
from orchestrator.execution.report_queue import ReportQueue
from orchestrator.execution.requests import ROUTES, Ask, MarketKind, Request
from orchestrator.execution.validity import Validity
from orchestrator.execution.venue_time import VenueTime
from orchestrator.live.network import NetworkThread

_CLOSE_S: Final = 5.0
_LAST_ANSWERS_S: Final = 1.0
_LOOK_S: Final = 0.005


class VenueGateway:
    """A ``Gateway`` over a channel.

    Orders are refused (Retry) while the user data stream is down, a rate limit is reached or the circuit breaker is
    open. Cancellations and questions have a reserve of the limits and pass an open breaker.

    Parameters
    ----------
    name: in texts. venue: the number of the venue; other venues are Rejected.
    listings: markets of the venue, with their assets (``venue_rules``), as commissions are told apart by them.
    receive_window_ms: as the channel sends it.
    on_problem: told, in any thread, what nobody else hears of.
    """

    def __init__(
        self,
        *,
        name: str,
        venue: int,
        kind: MarketKind,
        listings: Iterable[Listing],
        limits: GuardLimits,
        receive_window_ms: int,
        clock: Clock,
        wake: Callable[[], None],
        network: NetworkThread,
        channel: Channel,
        on_problem: Callable[[str], None],
    ) -> None:
        self._name = name
        self._venue = venue
        self._kind = kind
        self._routes = ROUTES[kind]
        self._order_cost = self._routes[Ask.PLACE].cost
        self._listings = {listing.instrument.number: listing for listing in listings}
        self._reader = Reader(self._listings.values(), kind)
        self._guard = Guard(name, limits)
        self._validity = Validity(receive_window_ms)
        self._clock = clock
        self._network = network
        self.channel = channel
        self._on_problem = on_problem
        self._reports = ReportQueue(wake)
        self._questions = Questions(self._reader, kind, self._ask, clock.now_ns)
        self._account = AccountQuestions(venue, kind, self._reader, self._ask, clock.now_ns, on_problem)
        self._outcomes = Outcomes(self._reader, lambda order: self._listing(order.intent), clock.now_ns, self._report)
        self._ends = AwaitedEnds(clock.now_ns, self._report)
        self._asking: set[str] = set()
        self._unanswered = 0
        self._pairs = OcoPairs()
        self._time = VenueTime(clock, self._ask, on_problem)
        self._failure = ""
        self._up = threading.Event()
        self._last: tuple[Order, Listing] | None = None
        self._running: list[Future[None]] = []

    @property
    def is_connected(self) -> bool:
        """Whether the user data stream stands."""
        return self._up.is_set()

    @property
    def waiting(self) -> int:
        """Reports that the run loop has not taken; from any thread."""
        return len(self._reports)

    @property
    def breaker_state(self) -> BreakerState:
        """State of the circuit breaker."""
        return self._guard.state(self._clock.now_ns())

    @property
    def venue_ahead_ns(self) -> int:
        """How far the venue's clock is ahead of ours, as last measured."""
        return self._time.ahead_ns

    def open(self, timeout_s: float = 30.0) -> None:
        """Learn the venue's time, connect and wait until the user data stream stands; raises Retry if it does not."""
        try:
            self._network.call(self._time.measure(), timeout_s)
        except (Retry, TimeoutError) as error:
            self.close()
            raise Retry(f"{self._name}: the venue's time is not known: {str(error) or type(error).__name__}") from None
        self._validity.begun_ms = self._time.timestamp_ms()
        self._running.append(self._network.start(self.channel.run(self)))
        if not self._up.wait(timeout_s):
            self.close()
            seen = self._failure or "nothing was heard"
            raise Retry(f"{self._name}: the user data stream did not stand within {timeout_s:g} s: {seen}")
        self._running.append(self._network.start(self._time.keep()))
        for listing in self._listings.values():
            if not is_exact(listing, self._kind):
                self._on_problem(f"{listing}: commissions are rounded up; expected scales that hold 8 decimals")

    def close(self) -> None:
        """End all connections, once what was sent is answered or patience ends; orders go on working."""
        if self._up.is_set():
            self._call_at_the_end(self._wait_for_answers())
        for running in self._running:
            running.cancel()
        self._running.clear()
        self._call_at_the_end(self.channel.close())
        self._up.clear()

    def submit(self, order: Order) -> None:
        """Send an order; raises Rejected for what the venue does not have, Retry when nothing may be sent now."""
        listing = self._listing(order.intent)
        self._check_connected()
        self._guard.admit_order(self._order_cost, self._clock.now_ns())
        send = self.channel.prepare_order(order, listing, self._remember(order))
        self._last = order, listing
        self._ends.sent(order)
        self._network.post(partial(self._start, send, partial(self._outcomes.placed, order.client_order_id)))

    def keep_warm(self) -> None:
        """Make the last order ready again and drop it: what an order needs stays in the processor's caches."""
        if self._last is not None:
            self.channel.prepare_order(*self._last, self._time.timestamp_ms())

    def submit_oco(self, limit: Order, stop: Order) -> None:
        """Send two orders of which one cancels the other; raises as ``submit``, and Rejected for what is no pair.

        On spot the venue holds the pair; elsewhere this gateway cancels one when something becomes of the other.
        """
        if self._kind is not MarketKind.SPOT:
            self._submit_pair(limit, stop)
            return
        request = oco_request(limit.intent, stop.intent, self._listing(limit.intent))
        self._check_connected()
        self._guard.admit_order(self._routes[request.ask].cost, self._clock.now_ns())
        timestamp_ms = self._remember(limit, stop)
        self._send(
            request, partial(self._outcomes.placed_pair, limit.client_order_id, stop.client_order_id), timestamp_ms
        )

    def cancel(self, order: Order) -> None:
        """Ask for an order's cancellation; raises as ``submit``."""
        listing = self._listing(order.intent)
        request = cancel_request(order.intent, listing, self._kind)
        order_id = self._reader.order_of_stop(order.client_order_id)
        if order_id:
            request = Request(ask=Ask.CANCEL, parameters={"symbol": listing.symbol, "orderId": order_id})
        self._guard.admit(self._routes[request.ask].cost, self._clock.now_ns())
        self._send(request, partial(self._outcomes.cancelled, order), self._time.timestamp_ms())

    def cancel_all(self, instrument: int) -> None:
        """Ask for the cancellation of every order of a market, those of other programs too; raises as ``submit``.

        What becomes of the orders is told by the user data stream.
        """
        listing = self._listings[instrument]
        asks = (Ask.CANCEL_ALL,) if self._kind is MarketKind.SPOT else (Ask.CANCEL_ALL, Ask.CANCEL_ALL_STOPS)
        for ask in asks:
            self._guard.admit(self._routes[ask].cost, self._clock.now_ns())
            request = Request(ask=ask, parameters={"symbol": listing.symbol})
            done = partial(self._noted, f"orders of {listing} were not all cancelled")
            self._send(request, done, self._time.timestamp_ms())

    def set_countdown(self, symbol: str, milliseconds: int) -> None:
        """Have the venue cancel all orders of a symbol after a time, unless it is set again; 0 ends it. Raises as
        ``submit``, and Rejected on spot, which has no such thing.
        """
        if self._kind is MarketKind.SPOT:
            raise Rejected(f"{self._name}: spot has no countdown; expected a futures venue")
        self._guard.admit(self._routes[Ask.COUNTDOWN].cost, self._clock.now_ns())
        parameters = {"symbol": symbol, "countdownTime": str(milliseconds)}
        request = Request(ask=Ask.COUNTDOWN, parameters=parameters)
        self._send(request, partial(self._noted, f"the countdown of {symbol} was not set"), self._time.timestamp_ms())

    def query(self, order: Order) -> None:
        """Ask what became of an order; raises Retry, also while the user data stream is down.

        What happens between an answer and a later start of the stream would otherwise never be heard of.
        """
        self._listing(order.intent)
        self._check_connected()
        if order.client_order_id not in self._asking:
            self._guard.admit(self._routes[Ask.TIME].cost, self._clock.now_ns())
            self._asking.add(order.client_order_id)
            self._network.start(self._query(order))

    def request_open_orders(self, venue: int) -> None:
        """Ask for the orders that work, stop orders included; raises Retry."""
        self._check_venue(venue)
        self._guard.admit(self._routes[Ask.TIME].cost, self._clock.now_ns())
        self._network.start(self._answer_about_account(self._account.open_orders()))

    def request_balances(self, venue: int) -> None:
        """Ask for the balances; raises Retry."""
        self._check_venue(venue)
        self._guard.admit(self._routes[Ask.TIME].cost, self._clock.now_ns())
        self._network.start(self._answer_about_account(self._account.balances()))

    def request_positions(self, venue: int) -> None:
        """Ask for the positions; raises Retry, and Rejected on spot, which has none."""
        self._check_venue(venue)
        if self._kind is MarketKind.SPOT:
            raise Rejected(f"{self._name}: spot has no positions; expected a futures venue")
        self._guard.admit(self._routes[Ask.TIME].cost, self._clock.now_ns())
        self._network.start(self._answer_about_account(self._account.positions()))

    def next_ns(self) -> int | None:
        """Time of the first report that waits."""
        return self._reports.next_ns()

    def take(self, until_ns: int) -> Sequence[GatewayReport]:
        """Reports up to a time; raises DataGap once for every break of the user data stream."""
        return self._reports.take(until_ns)

    def on_up(self) -> None:
        """The user data stream stands."""
        self._up.set()

    def on_down(self, reason: str) -> None:
        """The user data stream broke."""
        self._up.clear()
        self._reports.put_gap(self._clock.now_ns(), f"{self._name}: the user data stream broke: {reason}")

    def on_failure(self, reason: str) -> None:
        """A connection could not be made."""
        self._failure = reason
        self._on_problem(f"{self._name}: {reason}")

    def on_event(self, message: Mapping[str, Any]) -> None:
        """An event of the user data stream; one that cannot be read counts as lost."""
        now_ns = self._clock.now_ns()
        try:
            updates = self._reader.events(message, now_ns)
        except MISREAD as error:
            text = f"{self._name}: an event was not understood ({type(error).__name__}: {error})"
            self._reports.put_gap(now_ns, text)
            return
        if updates:
            self._report(updates)

    def on_used(self, counted: Counted, interval_ns: int, used: int) -> None:
        """The venue's own count of what was asked."""
        self._guard.observe(counted, interval_ns, used, self._clock.now_ns())

    def _call_at_the_end(self, work: Coroutine[Any, Any, None]) -> None:
        """A machine that is too busy to close connections in time is no error: they end with the process."""
        try:
            self._network.call(work, _CLOSE_S)
        except TimeoutError:
            self._on_problem(f"{self._name}: the connections did not end within {_CLOSE_S:g} s")

    def _listing(self, intent: OrderIntent) -> Listing:
        self._check_venue(intent.venue)
        listing = self._listings.get(intent.instrument)
        if listing is None:
            known = ", ".join(str(number) for number in sorted(self._listings))
            raise Rejected(f"{self._name}: instrument was {intent.instrument}; expected one of {known}")
        return listing

    def _check_venue(self, venue: int) -> None:
        if venue != self._venue:
            raise Rejected(f"{self._name}: venue was {venue}; expected {self._venue}")

    def _check_connected(self) -> None:
        if not self._up.is_set():
            raise Retry(f"{self._name}: not connected, what became of an order would not be heard")

    def _remember(self, *orders: Order) -> int:
        """Note until when the venue would take orders that are sent now; returns the time to send with them."""
        timestamp_ms = self._time.timestamp_ms()
        for order in orders:
            self._validity.sent(order.client_order_id, timestamp_ms)
        return timestamp_ms

    def _send(self, request: Request, done: Callable[[Answer], None], timestamp_ms: int) -> None:
        send = self.channel.prepare(request, timestamp_ms)
        self._network.post(partial(self._start, send, done))

    def _start(self, send: Send, done: Callable[[Answer], None]) -> None:
        self._unanswered += 1
        send(partial(self._answered, done))

    def _answered(self, done: Callable[[Answer], None], answer: Answer) -> None:
        self._unanswered -= 1
        self._guard.record(answer, self._clock.now_ns())
        if isinstance(answer, Refusal) and answer.is_bad_time:
            self._network.start(self._time.measure_again())
        done(answer)

    def _report(self, updates: Iterable[OrderUpdate]) -> None:
        updates = list(updates)
        self._reports.put(updates)
        self._ends.hear(updates)
        for update in updates:
            partner = self._pairs.to_cancel(update)
            if partner is not None:
                self._cancel_partner(partner)

    def _submit_pair(self, limit: Order, stop: Order) -> None:
        check_pair(limit.intent, stop.intent)
        self._pairs.add(limit, stop)
        try:
            self.submit(limit)
        except (Rejected, Retry):
            self._pairs.forget(limit)
            raise
        try:
            self.submit(stop)
        except (Rejected, Retry) as refusal:
            # The first is on its way: this refusal must reach the run loop as a report, and end the first.
            self._outcomes.tell(stop.client_order_id, Refused(time_ns=self._clock.now_ns(), reason=str(refusal)))

    def _cancel_partner(self, order: Order) -> None:
        try:
            self.cancel(order)
        except (Rejected, Retry) as refusal:
            self._on_problem(f"{order.client_order_id} was not cancelled for its partner: {refusal}")

    def _noted(self, problem: str, answer: Answer) -> None:
        """Nothing is to be reported but that it failed; there being no order is no failure."""
        unknown = isinstance(answer, Refusal) and answer.is_unknown_order
        if not isinstance(answer, Reply) and not unknown:
            self._on_problem(f"{self._name}: {problem}: {answer.reason}")

    async def _wait_for_answers(self) -> None:
        """What the run asked for last, such as the end of a countdown, must reach the venue."""
        try:
            async with asyncio.timeout(_LAST_ANSWERS_S):
                while self._unanswered:
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            self._on_problem(f"{self._name}: no answer within {_LAST_ANSWERS_S:g} s; the connection closes without it")

    async def _ask(self, request: Request) -> Answer:
        """Send a request and wait for the answer; raises Retry."""
        now_ns = self._clock.now_ns()
        self._guard.admit(self._routes[request.ask].cost, now_ns)
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def done(answer: Answer) -> None:
            if not answered.done():
                answered.set_result(answer)

        self._start(self.channel.prepare(request, self._time.timestamp_ms()), done)
        return await answered

    async def _query(self, order: Order) -> None:
        name = order.client_order_id
        try:
            updates = await self._questions.about(order, self._listing(order.intent), self._validity.until_ms(name))
        finally:
            self._asking.discard(name)
        self._report(updates)

    async def _answer_about_account(self, question: Coroutine[Any, Any, AccountReport | None]) -> None:
        answer = await question
        if answer is not None:
            self._reports.put([answer])
