"""A channel whose answers a function makes, and a gateway over it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from market.instruments import Listing
from market.orders.order import Order
from market.orders.reports import GatewayReport, OrderUpdate
from orchestrator.clock import WakingClock
from orchestrator.execution.answers import Answer, Reply
from orchestrator.execution.channel import ChannelListener, Done, Send
from orchestrator.execution.circuit_breaker import BreakerLimits
from orchestrator.execution.gateway import VenueGateway
from orchestrator.execution.guard import GuardLimits
from orchestrator.execution.order_text import place_request
from orchestrator.execution.requests import Ask, MarketKind, Request
from orchestrator.live.network import NetworkThread
from tests.orchestrator.execution.samples import SPOT

PATIENCE_S = 40.0
SECOND_NS = 10**9
OPEN_LIMITS = GuardLimits(
    limits=(),
    reserve_percent=0,
    breaker=BreakerLimits(window_ns=SECOND_NS, least_calls=1_000, failure_percent=100, pause_ns=SECOND_NS, trials=1),
)
WINDOW_MS = 5_000


@dataclass
class ScriptedChannel:
    """Answers at once, in the network's thread; None as an answer never comes.

    Members
    -------
    asked: requests in order, with the venue's time of each. venue_ms: what the venue answers to the question for time.
    """

    answer: Callable[[Request], Answer | None]
    venue_ms: int = 1_700_000_000_000
    asked: list[tuple[Request, int]] = field(default_factory=list)
    listener: ChannelListener | None = None
    closed: bool = False

    def prepare(self, request: Request, timestamp_ms: int) -> Send:
        return partial(self._send, request, timestamp_ms)

    def prepare_order(self, order: Order, listing: Listing, timestamp_ms: int) -> Send:
        kind = MarketKind.SPOT if listing is SPOT else MarketKind.USD_MARGINED
        return self.prepare(place_request(order.intent, listing, kind), timestamp_ms)

    async def run(self, listener: ChannelListener) -> None:
        self.listener = listener
        listener.on_up()
        await asyncio.Event().wait()

    async def close(self) -> None:
        self.closed = True

    def names(self) -> list[str]:
        """What was asked, without the question for the time."""
        return [request.ask.name for request, _ in self.asked if request.ask is not Ask.TIME]

    def _send(self, request: Request, timestamp_ms: int, done: Done) -> None:
        self.asked.append((request, timestamp_ms))
        answer = Reply({"serverTime": self.venue_ms}) if request.ask is Ask.TIME else self.answer(request)
        if answer is not None:
            done(answer)


@dataclass
class World:
    """A gateway with everything that it is connected to."""

    gateway: VenueGateway
    channel: ScriptedChannel
    clock: WakingClock
    network: NetworkThread
    problems: list[str]

    def tell(self, *messages: Mapping[str, Any]) -> None:
        """Events of the user data stream."""
        assert self.channel.listener is not None
        for message in messages:
            self.network.post(partial(self.channel.listener.on_event, message))

    def reports(self, count: int) -> list[GatewayReport]:
        """The next reports; fails when they do not come."""
        found: list[GatewayReport] = []
        end_ns = self.clock.now_ns() + int(PATIENCE_S * SECOND_NS)
        while len(found) < count:
            now_ns = self.clock.wait_until(self.gateway.next_ns() or end_ns)
            found += self.gateway.take(now_ns)
            assert now_ns < end_ns, f"{len(found)} of {count} reports came: {found}"
        return found

    def updates(self, count: int) -> list[OrderUpdate]:
        """The next reports, all about orders."""
        found = self.reports(count)
        return [report for report in found if isinstance(report, OrderUpdate)]


@contextmanager
def world(
    answer: Callable[[Request], Answer | None],
    *,
    listing: Listing = SPOT,
    kind: MarketKind = MarketKind.SPOT,
    limits: GuardLimits = OPEN_LIMITS,
    channel: ScriptedChannel | None = None,
    patience_s: float = PATIENCE_S,
) -> Iterator[World]:
    """An open gateway over a scripted channel."""
    clock, problems = WakingClock(), list[str]()
    channel = channel or ScriptedChannel(answer)
    errors: list[BaseException] = []
    with NetworkThread(errors.append) as network:
        gateway = VenueGateway(
            name="binance",
            venue=listing.venue,
            kind=kind,
            listings=[listing],
            limits=limits,
            receive_window_ms=WINDOW_MS,
            clock=clock,
            wake=clock.wake,
            network=network,
            channel=channel,
            on_problem=problems.append,
        )
        gateway.open(patience_s)
        yield World(gateway, channel, clock, network, problems)
        gateway.close()
    assert channel.closed
    assert errors == []
