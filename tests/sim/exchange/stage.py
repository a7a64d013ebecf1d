"""An exchange on localhost for tests: a spot venue and a futures venue, keys, and clients that speak to them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from market.orders.kinds import Side
from sim.exchange.keys import ApiKey, ed25519_key, hmac_key
from sim.exchange.latency import Latency
from sim.exchange.quota import Limits
from sim.exchange.served import ServedVenue, VenueAddress
from sim.exchange.server import ExchangeServer
from sim.exchange.venue.kinds import MarketKind
from sim.exchange.venue.model import UNIT, AccountModel, BackgroundModel, SymbolModel, VenueModel
from sim.exchange.venue.venue import SimulatedVenue
from sim.faults.plan import Fault, FaultPlan

T = TypeVar("T")
PATIENCE_S: Final = 120.0
SPOT, FUTURES = "binance-spot", "binance-usdm"
ACCOUNT, OTHER = "ada", "ben"
HMAC: Final = hmac_key(ACCOUNT, seed=1)
ED25519: Final = ed25519_key(ACCOUNT, seed=1)
OTHER_KEY: Final = hmac_key(OTHER, seed=1)
READ_ONLY: Final = hmac_key(ACCOUNT, seed=2, may_trade=False)
KEYS: Final = (HMAC, ED25519, OTHER_KEY, READ_ONLY)
PRICE: Final = 60_000
"""Of BTCUSDT, in quote currency; ticks are cents on spot and dimes on futures."""


def spot_model(background: BackgroundModel | None = None, start_ns: int = 0) -> VenueModel:
    """BTCUSDT and ETHUSDT."""
    return VenueModel(
        name=SPOT,
        kind=MarketKind.SPOT,
        symbols=(
            SymbolModel.of(
                "BTCUSDT", "BTC", "USDT", tick="0.01", lot="0.00001", price=str(PRICE), background=background
            ),
            SymbolModel.of("ETHUSDT", "ETH", "USDT", tick="0.01", lot="0.0001", price="2500"),
        ),
        accounts=tuple(
            AccountModel(account=name, balances={"USDT": 1_000_000 * UNIT, "BTC": 10 * UNIT, "ETH": 100 * UNIT})
            for name in (ACCOUNT, OTHER)
        ),
        start_ns=start_ns,
    )


def futures_model(background: BackgroundModel | None = None, start_ns: int = 0) -> VenueModel:
    """BTCUSDT."""
    return VenueModel(
        name=FUTURES,
        kind=MarketKind.USD_MARGINED,
        symbols=(
            SymbolModel.of("BTCUSDT", "BTC", "USDT", tick="0.1", lot="0.001", price=str(PRICE), background=background),
        ),
        accounts=tuple(AccountModel(account=name, balances={"USDT": 1_000_000 * UNIT}) for name in (ACCOUNT, OTHER)),
        start_ns=start_ns,
        maker_ppb=200_000,
        taker_ppb=500_000,
    )


@dataclass(kw_only=True)
class Stage:
    """A running exchange."""

    server: ExchangeServer
    spot: SimulatedVenue
    futures: SimulatedVenue

    def address(self, venue: str = SPOT) -> VenueAddress:
        """Where a venue is."""
        return self.server.addresses[venue]

    def quote(self, side: Side, price: float, quantity: float, *, venue: str = SPOT, symbol: str = "BTCUSDT") -> None:
        """Have nobody's order rest in the book."""
        of = self.spot if venue == SPOT else self.futures
        model = next(model for model in of.model.symbols if model.symbol == symbol)
        ticks, lots = round(price * UNIT) // model.tick_units, round(quantity * UNIT) // model.lot_units
        of.inject(symbol, side, ticks, lots, time.time_ns())

    def fault(self, fault: Fault) -> None:
        """Have something go wrong from now on."""
        self.server.faults.add(fault, time.time_ns())


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """How the exchange of a test differs from the usual one."""

    background: BackgroundModel | None = None
    latency: Latency = field(default_factory=Latency)
    limits: Limits | None = None
    plan: FaultPlan | None = None
    keys: Sequence[ApiKey] = KEYS


@asynccontextmanager
async def running(wishes: Wishes | None = None) -> AsyncIterator[Stage]:
    """An exchange while the block runs, with a bid of 10 at 59,990 and an ask of 10 at 60,010 on both venues."""
    wishes = wishes or Wishes()
    start_ns = time.time_ns()
    spot = SimulatedVenue(spot_model(wishes.background, start_ns))
    futures = SimulatedVenue(futures_model(wishes.background, start_ns))
    served = [
        ServedVenue(name=name, venue=venue, keys=tuple(wishes.keys), latency=wishes.latency, limits=wishes.limits)
        for name, venue in ((SPOT, spot), (FUTURES, futures))
    ]
    async with ExchangeServer(served, time.time_ns, plan=wishes.plan) as server:
        stage = Stage(server=server, spot=spot, futures=futures)
        for venue in () if wishes.background else (SPOT, FUTURES):
            stage.quote(Side.BUY, PRICE - 10, 10, venue=venue)
            stage.quote(Side.SELL, PRICE + 10, 10, venue=venue)
        yield stage


def play(scene: Callable[[Stage], Coroutine[Any, Any, T]], wishes: Wishes | None = None) -> T:
    """Run a scene against an exchange, for at most so long as patience lasts."""

    async def whole() -> T:
        async with running(wishes) as stage:
            return await asyncio.wait_for(scene(stage), PATIENCE_S)

    return asyncio.run(whole())


async def soon(awaited: Awaitable[T], patience_s: float = PATIENCE_S) -> T:
    """Wait for something that should come; raises TimeoutError."""
    return await asyncio.wait_for(awaited, patience_s)
