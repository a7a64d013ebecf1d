"""From an event to the bytes of an order at the socket: our gateways beside bare calls of CCXT.

An event arrives in the network's thread and is handed to the run loop's thread, which sends an order; the time ends
when the order's bytes have been handed to the socket, in the network's thread again. All contenders take the same way,
with the same client, key and exchange; the exchange runs in another process.

One at a time: every order is answered before the next event, 2 ms later; the processor has slept, its caches are cold.
Kept warm: the same, and while the run loop's thread waits it makes the last order ready again every 200 us
(execution.warm_every_us).
Busy: the next event arrives as soon as the bytes of the order before are at the socket.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import aiohttp.http_writer
from aiohttp._websocket.writer import WebSocketWriter

from benchmarks.harness import ROOT, Report, take_turns
from config.execution import BreakerSettings, ExecutionSettings, OrderPath, RequestLimits
from market.errors import MissingInput
from market.fixed_point import Scale
from market.instruments import Instrument, Listing
from market.orders.cause import Cause, Origin
from market.orders.kinds import OrderType, Side, TimeInForce
from market.orders.order import Order, OrderIntent, new_order
from market.orders.reports import OrderUpdate
from orchestrator.clock import WakingClock
from orchestrator.execution.binance_native import NativeChannel
from orchestrator.execution.ccxt_client import BinanceAddresses, binance_client
from orchestrator.execution.gateway import VenueGateway
from orchestrator.execution.opening import Keys, venue_gateway
from orchestrator.execution.requests import MarketKind
from orchestrator.live.network import NetworkThread

TARGET: Final = 1 / 1.1
"""Ours takes at most 1.1 times as long as the bare call."""
NATIVE_TARGET_US: Final = 60.0
ORDERS: Final = 60
"""Per contender and round."""
_PATIENCE_S: Final = 20.0
_PAUSE_S: Final = 0.002
"""Between two events that come one at a time."""
_SECOND_NS: Final = 10**9
_WARM_NS: Final = 200_000
_LISTING: Final = Listing(
    Instrument(0, "BTC", Scale(-2), Scale(-8)), 0, "binance-spot", "BTCUSDT", 1, 1_000, base_asset="BTC",
    quote_asset="USDT",
)  # fmt: skip
_SYMBOL: Final = "BTC/USDT"
_PRICE: Final = 5_000_050
_QUANTITY: Final = 100_000


def measure(report: Report) -> None:
    """Median and 99th percentile of REST and WebSocket beside the bare calls, and of the native path."""
    with _exchange() as at, _probed() as probe, NetworkThread(_fail) as network:
        bench = Bench(at, network, probe)
        try:
            with bench.gateway(OrderPath.CCXT_REST) as gateway:
                create = bench.client.create_order
                _compare(report, "REST, one at a time", bench.ours(gateway, busy=False), bench.bare(create, busy=False))
            for name, busy in (("one at a time", False), ("busy", True)):
                _measure_websocket(report, bench, name, busy=busy)
            _measure_warm(report, bench)
        finally:
            bench.close()
    report.note("bare call: the order handed to CCXT's create_order or create_order_ws in the network's thread")


def _measure_websocket(report: Report, bench: Bench, name: str, *, busy: bool) -> None:
    with bench.gateway(OrderPath.CCXT_WEBSOCKET) as gateway:
        bare = bench.bare(bench.client.create_order_ws, busy=busy)
        _compare(report, f"WebSocket, {name}", bench.ours(gateway, busy=busy), bare)
    with bench.gateway(OrderPath.NATIVE) as gateway:
        own, peer = Taken(), Taken()
        contenders = {
            "native": partial(bench.ours(gateway, busy=busy), own),
            "bare": partial(bench.bare(bench.client.create_order_ws, busy=busy), peer),
        }
        taken = take_turns(contenders, report.rounds)
    if busy:
        report.against_target(f"native WebSocket, {name}, p50", "us/order", taken["native"], NATIVE_TARGET_US)
    for percentile, ours, theirs in (("p50", taken["native"], taken["bare"]), ("p99", own.p99[1:], peer.p99[1:])):
        report.compare(f"native WebSocket, {name}, {percentile}", "us/order", ours, "bare CCXT, WebSocket", theirs)


def _measure_warm(report: Report, bench: Bench) -> None:
    with bench.gateway(OrderPath.NATIVE) as gateway:
        own, cold = Taken(), Taken()
        contenders = {
            "warm": partial(bench.ours(gateway, busy=False, warm=True), own),
            "cold": partial(bench.ours(gateway, busy=False), cold),
        }
        taken = take_turns(contenders, report.rounds)
    for percentile, ours, theirs in (("p50", taken["warm"], taken["cold"]), ("p99", own.p99[1:], cold.p99[1:])):
        report.compare(f"native WebSocket, kept warm, {percentile}", "us/order", ours, "native, one at a time", theirs)


@dataclass
class Taken:
    """99th percentiles of the rounds, in us."""

    p99: list[float] = field(default_factory=list)


Contender = Callable[[Taken], float]
"""One round; returns the p50 in us."""


def _compare(report: Report, name: str, ours: Contender, bare: Contender) -> None:
    own, peer = Taken(), Taken()
    taken = take_turns({"ours": partial(ours, own), "bare": partial(bare, peer)}, report.rounds)
    peer_name = f"bare CCXT, {name.partition(',')[0]}"
    report.compare(f"CCXT {name}, p50", "us/order", taken["ours"], peer_name, taken["bare"], target=TARGET)
    report.compare(f"CCXT {name}, p99", "us/order", own.p99[1:], peer_name, peer.p99[1:])


@dataclass
class Probe:
    """When bytes were handed to a socket of aiohttp or picows, by the monotonic clock; in the network's thread.

    Members
    -------
    then: called after every write.
    """

    written_ns: list[int] = field(default_factory=list)
    then: Callable[[], None] | None = None

    def note(self) -> None:
        """Look at the clock."""
        self.written_ns.append(time.perf_counter_ns())
        if self.then is not None:
            self.then()

    def after(self, write: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, which then looks at the clock."""

        def written(*arguments: Any, **named: Any) -> Any:
            result = write(*arguments, **named)
            self.note()
            return result

        return written


@dataclass
class _SeenTransport:
    """A WebSocket of picows whose writes are timed."""

    transport: Any
    probe: Probe

    def send(self, kind: Any, message: bytes) -> None:
        self.transport.send(kind, message)
        self.probe.note()

    def disconnect(self) -> None:
        self.transport.disconnect()


class Bench:
    """What the contenders share: the exchange, the network's thread, the way of an event."""

    def __init__(self, at: dict[str, str], network: NetworkThread, probe: Probe) -> None:
        self._network = network
        self._probe = probe
        self._waiting = self._clock = WakingClock()
        self._events: deque[int] = deque()
        self._numbers = iter(range(1, 1 << 30))
        self._done: set[str] = set()
        self._addresses = BinanceAddresses(spot_http=at["http"], spot_ws=at["ws"])
        self._keys = Keys(at["key"], at["secret"])
        self.client = network.call(self._client(), _PATIENCE_S)

    def close(self) -> None:
        """End the bare client's connections."""
        self._network.call(self.client.close(), _PATIENCE_S)

    @contextmanager
    def gateway(self, path: OrderPath) -> Iterator[VenueGateway]:
        """An open gateway without limits."""
        gateway = venue_gateway(
            name="binance",
            venue=0,
            kind=MarketKind.SPOT,
            listings=[_LISTING],
            settings=ExecutionSettings(
                order_path=path, spot_limits=RequestLimits(), breaker=BreakerSettings(least_calls=10_000)
            ),
            addresses=self._addresses,
            keys=self._keys,
            clock=self._clock,
            wake=self._clock.wake,
            network=self._network,
            on_problem=_problem,
        )
        gateway.open(_PATIENCE_S)
        if path is OrderPath.NATIVE:
            channel = gateway.channel
            assert isinstance(channel, NativeChannel)
            self._network.call(self._watch(channel), _PATIENCE_S)
        try:
            yield gateway
        finally:
            gateway.close()

    def ours(self, gateway: VenueGateway, *, busy: bool, warm: bool = False) -> Contender:
        """Rounds of orders through a gateway; ``warm``: which is kept warm while an event is waited for."""
        clock = WakingClock(gateway.keep_warm, _WARM_NS) if warm else self._clock

        def send() -> Callable[[], None]:
            order = self._order()
            gateway.submit(order)
            return partial(self._ended, gateway, order.client_order_id)

        def rounds(taken: Taken) -> float:
            self._waiting = clock
            try:
                return (self._busy_round if busy else self._round)(send, taken)
            finally:
                self._waiting = self._clock

        return rounds

    def bare(self, create: Callable[..., Coroutine[Any, Any, Any]], *, busy: bool) -> Contender:
        """Rounds of bare calls."""

        def send() -> Callable[[], None]:
            options = {"timeInForce": "IOC", "clientOrderId": self._order().client_order_id}
            order = create(_SYMBOL, "limit", "buy", _QUANTITY / 1e8, _PRICE / 100, options)
            answered = self._network.start(order)
            return partial(answered.result, _PATIENCE_S)

        return partial(self._busy_round if busy else self._round, send)

    def _round(self, send: Callable[[], Callable[[], None]], taken: Taken) -> float:
        times: list[float] = []
        for _ in range(ORDERS):
            self._network.call(self._arrive_later(), _PATIENCE_S)
            arrived_ns = self._wait()
            send()()
            times.append((self._probe.written_ns[-1] - arrived_ns) / 1e3)
        return _percentiles(times, taken)

    def _busy_round(self, send: Callable[[], Callable[[], None]], taken: Taken) -> float:
        arrived_ns: list[int] = []
        ends: list[Callable[[], None]] = []
        self._probe.written_ns.clear()
        self._probe.then = self._arrive
        self._network.post(self._arrive)
        for _ in range(ORDERS):
            arrived_ns.append(self._wait())
            ends.append(send())
        self._wait()
        self._probe.then = None
        for end in ends:
            end()
        written_ns = self._probe.written_ns[:ORDERS]
        return _percentiles([(end - begin) / 1e3 for begin, end in zip(arrived_ns, written_ns, strict=True)], taken)

    def _wait(self) -> int:
        """Wait in the run loop's thread for an event; returns when it arrived."""
        while not self._events:
            self._waiting.wait_until(self._waiting.now_ns() + _SECOND_NS)
        return self._events.popleft()

    async def _arrive_later(self) -> None:
        """An event arrives when the run loop's thread waits."""
        asyncio.get_running_loop().call_later(_PAUSE_S, self._arrive)

    def _arrive(self) -> None:
        self._events.append(time.perf_counter_ns())
        self._waiting.wake()

    def _order(self) -> Order:
        return new_order(
            OrderIntent(
                cause=Cause(strategy="bench", origin=Origin.DECISION, epoch=1, number=next(self._numbers)),
                decided_ns=0,
                instrument=0,
                venue=0,
                side=Side.BUY,
                type=OrderType.LIMIT,
                time_in_force=TimeInForce.IOC,
                quantity=_QUANTITY,
                limit_price=_PRICE,
            )
        )

    def _ended(self, gateway: VenueGateway, name: str) -> None:
        """Wait until an order has ended."""
        end_ns = self._clock.now_ns() + int(_PATIENCE_S * _SECOND_NS)
        while name not in self._done:
            now_ns = self._clock.wait_until(gateway.next_ns() or end_ns)
            for report in gateway.take(now_ns):
                if isinstance(report, OrderUpdate) and _is_end(report):
                    self._done.add(report.client_order_id)
            if now_ns >= end_ns:
                raise MissingInput(f"order {name} did not end within {_PATIENCE_S:g} s")

    async def _client(self) -> Any:
        client = binance_client(self._addresses, api_key=self._keys.api_key, secret=self._keys.secret)
        await client.load_markets()
        return client

    async def _watch(self, channel: NativeChannel) -> None:
        channel.transport = _SeenTransport(channel.transport, self._probe)  # type: ignore[assignment]


def _percentiles(times: list[float], taken: Taken) -> float:
    times.sort()
    taken.p99.append(times[len(times) * 99 // 100])
    return times[len(times) // 2]


def _is_end(update: OrderUpdate) -> bool:
    name = type(update.event).__name__
    if name in ("Refused", "OutcomeUnknown"):
        raise MissingInput(f"order {update.client_order_id}: {update.event}; expected it to expire")
    return name == "Expired"


@contextmanager
def _exchange() -> Iterator[dict[str, str]]:
    """The exchange in another process; its addresses and a key."""
    command = [sys.executable, "-m", "benchmarks.execution_exchange"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise MissingInput("the simulated exchange did not start: see above")
            yield json.loads(line)
        finally:
            process.terminate()


@contextmanager
def _probed() -> Iterator[Probe]:
    """aiohttp's writers look at the clock after every write."""
    probe = Probe()
    places = [
        (aiohttp.http_writer.StreamWriter, "_write"),
        (aiohttp.http_writer.StreamWriter, "_writelines"),
        (WebSocketWriter, "_write_websocket_frame"),
    ]
    kept = [getattr(owner, name) for owner, name in places]
    for (owner, name), write in zip(places, kept, strict=True):
        setattr(owner, name, probe.after(write))
    try:
        yield probe
    finally:
        for (owner, name), write in zip(places, kept, strict=True):
            setattr(owner, name, write)


def _problem(text: str) -> None:
    raise MissingInput(text)


def _fail(error: BaseException) -> None:
    raise error
