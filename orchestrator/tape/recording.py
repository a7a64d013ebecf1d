"""Clock, feed, gateway and distant engine of a run, each answer written down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from market.errors import DataGap, Rejected, Retry
from market.orders.order import Order
from market.orders.reports import GatewayReport
from market.protocols import Clock, Feed, FeedSource, FeedStatus, Gateway
from market.wire.records import CURSOR_ASKS, CURSOR_BIDS, Batch
from orchestrator.engine.back_end import BackEnd
from orchestrator.engine.inputs import Input
from orchestrator.tape.calls import (
    VERSION,
    Asked,
    Call,
    Head,
    Market,
    NextReport,
    Noted,
    Now,
    Received,
    Reports,
    Route,
    Source,
    Status,
    Taken,
    Waited,
)

_T = TypeVar("_T")
Write = Callable[[Call], None]
"""Takes the records of a tape, in order."""


def head_of(feed: Feed, settings: bytes, epoch: int, plan: bytes = b"") -> Head:
    """The beginning of a run's tape."""
    return Head(VERSION, settings, epoch, tuple(_source(source) for source in feed.sources), plan)


def recorded_value(write: Write, name: str, read: Callable[[], _T]) -> Callable[[], _T]:
    """A function whose every value is written down under a name."""

    def recorded() -> _T:
        value = read()
        write(Noted(name, msgspec.msgpack.encode(value)))
        return value

    return recorded


class RecordedClock:
    """A clock whose every answer is written down."""

    def __init__(self, clock: Clock, write: Write) -> None:
        self._clock = clock
        self._write = write

    def now_ns(self) -> int:
        """The time."""
        time_ns = self._clock.now_ns()
        self._write(Now(time_ns))
        return time_ns

    def wait_until(self, time_ns: int) -> int:
        """Wait as the clock does."""
        reached_ns = self._clock.wait_until(time_ns)
        self._write(Waited(time_ns, reached_ns))
        return reached_ns


class RecordedFeed:
    """A feed whose every batch is written down."""

    def __init__(self, feed: Feed, write: Write) -> None:
        self._feed = feed
        self._write = write

    @property
    def sources(self) -> Sequence[FeedSource]:
        """The feed's."""
        return self._feed.sources

    def take(self, source: int) -> Batch | None:
        """The source's next batch."""
        batch = self._feed.take(source)
        if batch is None:
            self._write(Taken(source, None, None, None))
        else:
            bids, asks = (int(batch.cursor[at]) for at in (CURSOR_BIDS, CURSOR_ASKS))
            rows = (batch.filled(), batch.bids[:bids], batch.asks[:asks])
            self._write(Taken(source, *(row.astype("<i8").tobytes() for row in rows)))
        return batch

    def status(self, source: int) -> FeedStatus:
        """State of a source."""
        status = self._feed.status(source)
        self._write(Status(source, int(status)))
        return status

    def request_snapshot(self, source: int, market: int) -> None:
        """Ask for a whole book."""
        self._feed.request_snapshot(source, market)
        self._write(Asked("request_snapshot", f"{source} {market}"))


class RecordedGateway:
    """A gateway whose every report and refusal is written down."""

    def __init__(self, gateway: Gateway, write: Write) -> None:
        self._gateway = gateway
        self._write = write

    def submit(self, order: Order) -> None:
        """Send an order."""
        self._ask("submit", order.client_order_id, lambda: self._gateway.submit(order))

    def submit_oco(self, limit: Order, stop: Order) -> None:
        """Send a pair."""
        about = f"{limit.client_order_id} {stop.client_order_id}"
        self._ask("submit_oco", about, lambda: self._gateway.submit_oco(limit, stop))

    def cancel(self, order: Order) -> None:
        """Ask for a cancellation."""
        self._ask("cancel", order.client_order_id, lambda: self._gateway.cancel(order))

    def query(self, order: Order) -> None:
        """Ask about an order."""
        self._ask("query", order.client_order_id, lambda: self._gateway.query(order))

    def request_open_orders(self, venue: int) -> None:
        """Ask for working orders."""
        self._ask("request_open_orders", str(venue), lambda: self._gateway.request_open_orders(venue))

    def request_balances(self, venue: int) -> None:
        """Ask for balances."""
        self._ask("request_balances", str(venue), lambda: self._gateway.request_balances(venue))

    def request_positions(self, venue: int) -> None:
        """Ask for positions."""
        self._ask("request_positions", str(venue), lambda: self._gateway.request_positions(venue))

    def next_ns(self) -> int | None:
        """Time of the next report."""
        time_ns = self._gateway.next_ns()
        self._write(NextReport(time_ns))
        return time_ns

    def take(self, until_ns: int) -> Sequence[GatewayReport]:
        """Reports up to a time."""
        try:
            reports = self._gateway.take(until_ns)
        except DataGap as gap:
            self._write(Reports(until_ns, (), str(gap)))
            raise
        self._write(Reports(until_ns, tuple(reports)))
        return reports

    def _ask(self, call: str, about: str, carry_out: Callable[[], None]) -> None:
        try:
            carry_out()
        except (Rejected, Retry) as refusal:
            self._write(Asked(call, about, "Retry" if isinstance(refusal, Retry) else "Rejected", str(refusal)))
            raise
        self._write(Asked(call, about))


class RecordedBackEnd:
    """An engine elsewhere whose every message is written down; the link to it then decides alike."""

    def __init__(self, back_end: BackEnd, write: Write) -> None:
        self._back_end = back_end
        self._write = write

    @property
    def name(self) -> str:
        """The engine's."""
        return self._back_end.name

    def send(self, given: Input) -> None:
        """Hand an input over."""
        try:
            self._back_end.send(given)
        except Retry as loss:
            self._write(Asked("send", given.kind.name, "Retry", str(loss)))
            raise
        self._write(Asked("send", given.kind.name))

    def receive(self) -> Sequence[bytes]:
        """What has arrived."""
        try:
            messages = self._back_end.receive()
        except Retry as loss:
            self._write(Received((), str(loss)))
            raise
        self._write(Received(tuple(messages)))
        return messages

    def wait(self, seconds: float) -> None:
        """Wait as the engine does."""
        self._back_end.wait(seconds)

    def close(self) -> None:
        """End the engine."""
        self._back_end.close()


def _source(source: FeedSource) -> Source:
    markets = tuple(Market(market.symbol, market.price_decimals, market.quantity_decimals) for market in source.markets)
    routes = tuple(
        None if route is None else Route(route.instrument, route.venue, route.price_exponent, route.quantity_exponent)
        for route in source.routes
    )
    return Source(source.name, source.numbered, markets, routes, source.new_books().astype("<i8").tobytes())
