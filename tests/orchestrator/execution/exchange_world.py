"""A simulated exchange on localhost with one account, and gateways to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar

from config.execution import ExecutionSettings, OrderPath
from market.errors import DataGap, Retry
from market.instruments import Listing
from market.orders.events import OrderEvent, OutcomeUnknown
from market.orders.kinds import OrderState, Side
from market.orders.machine import advance
from market.orders.order import Order
from market.orders.reports import GatewayReport, OrderUpdate
from orchestrator.clock import WakingClock
from orchestrator.execution.ccxt_client import BinanceAddresses
from orchestrator.execution.gateway import VenueGateway
from orchestrator.execution.opening import Keys, venue_gateway
from orchestrator.execution.requests import MarketKind
from orchestrator.live.network import NetworkThread
from sim.exchange.keys import ApiKey, ed25519_key, hmac_key
from sim.exchange.served import ServedVenue
from sim.exchange.server import ExchangeServer
from sim.exchange.venue import kinds as venue_kinds
from sim.exchange.venue.model import UNIT, AccountModel, SymbolModel, VenueModel
from sim.exchange.venue.records import VenueOrder
from sim.exchange.venue.venue import SimulatedVenue
from sim.faults.plan import Fault
from tests.orchestrator.execution.samples import FUTURES, SPOT

PATIENCE_S: Final = 40.0
SECOND_NS: Final = 10**9
_LOOK_AGAIN_NS: Final = 20_000_000
ALICE: Final = "alice"
T = TypeVar("T")


@dataclass
class Exchange:
    """A running exchange with one venue, and the keys of its account.

    Members
    -------
    server: its methods and its venue's are called by ``do`` only, which does it in the server's thread.
    """

    kind: MarketKind
    server: ExchangeServer
    network: NetworkThread
    keys: dict[str, ApiKey]
    venue: SimulatedVenue
    clock: WakingClock

    @property
    def addresses(self) -> BinanceAddresses:
        """Where it is."""
        at = self.server.addresses["venue"]
        if self.kind is MarketKind.SPOT:
            return BinanceAddresses(spot_http=at.http, spot_ws=at.ws)
        return BinanceAddresses(futures_http=at.http, futures_ws=at.ws)

    def do(self, function: Callable[[], T]) -> T:
        """Call something in the server's thread."""

        async def call() -> T:
            return function()

        return self.network.call(call(), PATIENCE_S)

    def rest(self, side: Side, price: str, quantity: str) -> None:
        """Let somebody else's order rest, or trade."""
        symbol = self.venue.exchange_info().symbols[0]
        ticks, lots = symbol.price_ticks(price), symbol.quantity_lots(quantity)
        self.do(lambda: self.venue.inject(symbol.symbol, side, ticks, lots, self.clock.now_ns()))

    def trade(self, price: str) -> None:
        """Let two others trade at a price."""
        self.rest(Side.SELL, price, "0.001")
        self.rest(Side.BUY, price, "0.001")

    def clear(self) -> None:
        """Cancel all that rests, of the account and of others."""
        self.do(lambda: self.venue.cancel_all(ALICE, "BTCUSDT", self.clock.now_ns()) if self.open_now() else None)
        self.do(lambda: self.venue.withdraw("BTCUSDT", self.clock.now_ns()))

    def open_now(self) -> tuple[VenueOrder, ...]:
        """Working orders of the account; in the server's thread only."""
        return self.venue.open_orders(ALICE)

    def open_orders(self) -> tuple[VenueOrder, ...]:
        """Working orders of the account."""
        return self.do(self.open_now)

    def faults(self, *faults: Fault) -> None:
        """Let these go wrong from now on, and nothing else."""
        self.do(lambda: self._set_faults(faults))

    def _set_faults(self, faults: tuple[Fault, ...]) -> None:
        self.server.faults.clear()
        for fault in faults:
            self.server.faults.add(fault, self.clock.now_ns())

    def held(self, asset: str) -> int:
        """What the account holds of an asset, in 1e-8."""
        state = self.do(lambda: self.venue.account(ALICE))
        return next(balance.total_units for balance in state.balances if balance.asset == asset)


@contextmanager
def exchange(kind: MarketKind = MarketKind.SPOT) -> Iterator[Exchange]:
    """A running exchange that trades BTCUSDT around 60,000, with nobody else there yet."""
    clock, errors = WakingClock(), list[BaseException]()
    is_spot = kind is MarketKind.SPOT
    symbol = SymbolModel.of(
        "BTCUSDT",
        "BTC",
        "USDT",
        tick="0.01" if is_spot else "0.1",
        lot="0.00001" if is_spot else "0.001",
        price="60000",
    )
    model = VenueModel(
        name="venue",
        kind=venue_kinds.MarketKind.SPOT if is_spot else venue_kinds.MarketKind.USD_MARGINED,
        symbols=(symbol,),
        accounts=(AccountModel(account=ALICE, balances={"USDT": 1_000_000 * UNIT, "BTC": 10 * UNIT}),),
    )
    keys = {"hmac": hmac_key(ALICE, 1), "ed25519": ed25519_key(ALICE, 1)}
    venue = SimulatedVenue(model)
    served = ServedVenue(name="venue", venue=venue, keys=tuple(keys.values()))
    with NetworkThread(errors.append) as network:
        server = ExchangeServer([served], clock.now_ns)
        network.call(server.__aenter__(), PATIENCE_S)
        yield Exchange(kind, server, network, keys, venue, clock)
        network.call(server.__aexit__(None, None, None), PATIENCE_S)
    assert errors == []


@dataclass
class Trader:
    """A gateway to an exchange, and the orders that went through it, as its reports tell them.

    It asks as the run loop does: about every working order when the stream broke, about one whose outcome is unknown.
    """

    gateway: VenueGateway
    clock: WakingClock
    orders: dict[str, Order] = field(default_factory=dict)
    others: list[GatewayReport] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    gaps: int = 0
    questions: int = 0
    seen: list[str] = field(default_factory=list)
    unasked: set[str] = field(default_factory=set)

    def submit(self, order: Order) -> str:
        """Send an order; returns its id."""
        self.orders[order.client_order_id] = order
        self.gateway.submit(order)
        return order.client_order_id

    def wait(self, condition: Callable[[], bool]) -> None:
        """Take reports until a condition holds; fails when it does not."""
        end_ns = self.clock.now_ns() + int(PATIENCE_S * SECOND_NS)
        while not condition():
            waits_ns = self.gateway.next_ns() or (self.clock.now_ns() + _LOOK_AGAIN_NS if self.unasked else end_ns)
            now_ns = self.clock.wait_until(waits_ns)
            self._take(now_ns)
            self._ask()
            assert now_ns < end_ns, f"{self.orders} {self.problems} {self.gaps} gaps, {self.questions} questions"

    def until(self, name: str, *states: OrderState) -> Order:
        """Take reports until an order has one of some states."""
        self.wait(lambda: self.orders[name].state in states)
        return self.orders[name]

    def _take(self, now_ns: int) -> None:
        try:
            for report in self.gateway.take(now_ns):
                self._book(report)
        except DataGap as gap:
            self.gaps += 1
            self.seen.append(str(gap))
            for name, order in self.orders.items():
                if order.is_working:
                    self._apply(name, OutcomeUnknown(time_ns=now_ns, reason=str(gap)))

    def _book(self, report: GatewayReport) -> None:
        self.seen.append(repr(report))
        if isinstance(report, OrderUpdate) and report.client_order_id in self.orders:
            self._apply(report.client_order_id, report.event)
        else:
            self.others.append(report)

    def _apply(self, name: str, event: OrderEvent) -> None:
        self.orders[name] = advance(self.orders[name], event)
        if isinstance(event, OutcomeUnknown) and self.orders[name].state is OrderState.UNKNOWN:
            self.unasked.add(name)

    def _ask(self) -> None:
        for name in sorted(self.unasked):
            try:
                self.gateway.query(self.orders[name])
            except Retry as refusal:
                self.seen.append(str(refusal))
                return
            self.questions += 1
            self.unasked.discard(name)


@contextmanager
def trader(
    at: Exchange, path: OrderPath, key: str = "hmac", *, window_ms: int = 5_000, timeout_ms: int = 5_000
) -> Iterator[Trader]:
    """An open gateway to an exchange; afterwards nothing that anybody saw names its keys."""
    clock, problems, errors = WakingClock(), list[str](), list[BaseException]()
    listing: Listing = SPOT if at.kind is MarketKind.SPOT else FUTURES
    keys = Keys(at.keys[key].key, at.keys[key].secret)
    settings = ExecutionSettings(order_path=path, receive_window_ms=window_ms, answer_timeout_ms=timeout_ms)
    with ExitStack() as stack:
        network = stack.enter_context(NetworkThread(errors.append))
        gateway = venue_gateway(
            name="binance",
            venue=listing.venue,
            kind=at.kind,
            listings=[listing],
            settings=settings,
            addresses=at.addresses,
            keys=keys,
            clock=clock,
            wake=clock.wake,
            network=network,
            on_problem=problems.append,
        )
        gateway.open(PATIENCE_S)
        stack.callback(gateway.close)
        made = Trader(gateway, clock, problems=problems)
        yield made
    assert errors == []
    shown = repr((made.seen, made.orders, problems, keys))
    assert keys.api_key not in shown
    assert all(line not in shown for line in keys.secret.splitlines())
