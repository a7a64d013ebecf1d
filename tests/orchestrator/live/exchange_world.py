"""Two simulated venues on localhost, quiet but alive, and settings of a run that trades between them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from config.loading import Loaded, load_with_origins
from market.orders.kinds import Side
from orchestrator.clock import WakingClock
from orchestrator.live.network import NetworkThread
from sim.exchange.keys import ApiKey, ed25519_key, hmac_key
from sim.exchange.quota import Interval, Limits
from sim.exchange.served import ServedVenue
from sim.exchange.server import ExchangeServer
from sim.exchange.venue.kinds import MarketKind
from sim.exchange.venue.model import UNIT, AccountModel, SymbolModel, VenueModel
from sim.exchange.venue.venue import SimulatedVenue
from sim.faults.plan import FaultPlan

SPOT: Final = "binance-spot"
FUTURES: Final = "binance-usdm"
ACCOUNT: Final = "ada"
KEY: Final = hmac_key(ACCOUNT, 1)
SBE_KEY: Final = ed25519_key(ACCOUNT, 1)
SYMBOL: Final = "BTCUSDT"
GENEROUS: Final = Limits(weight=Interval("MINUTE", 1, 10**6), orders=(Interval("DAY", 1, 10**6),))
"""Runs begin more often here than anybody would begin them at a venue."""
PATIENCE_S: Final = 60.0
_ALIVE_S: Final = 0.05
T = TypeVar("T")

PROFILE: Final = """
# A busy machine is no reason to stop: only tests of lateness are impatient.
extends = "demo"
[venues.binance-cm]
enabled = false
[venues.binance-spot]
taker_fee_bps = 10
maximum_age_ms = 20_000
maximum_silence_ms = 20_000
[venues.binance-spot.addresses]
http = "{spot}"
[venues.binance-usdm]
taker_fee_bps = 5
maximum_age_ms = 20_000
maximum_silence_ms = 20_000
[feeds]
silence_ms = 20_000
delay_ms = 0
[venues.binance-usdm.addresses]
http = "{futures}"
[instruments.BTC]
kinds = ["arb"]
reference_price = 60_000
minimum_edge_bps = 1
maximum_quantity = 0.01
cooldown_ms = 50
position_limit = 5
[instruments.ETH.markets.binance-spot]
symbol = "ETHUSDT"
[strategies]
active = ["arbitrage"]
[strategies.arbitrage]
maximum_age_ms = 20_000
patience_ms = 20_000
[execution]
mode = "live"
order_path = "{path}"
receive_window_ms = 1_000
answer_timeout_ms = 1_000
[risk.guards]
minimum_liquidity_quote = 1
maximum_feed_latency_ms = 20_000
maximum_feed_silence_ms = 20_000
maximum_order_latency_ms = 20_000
clear_after_ms = 0
[risk.dead_man]
enabled = false
[bus]
enabled = false
[storage]
journal = "{folder}/journal"
database_url = "sqlite:///{folder}/tickwire.db"
"""


def _model(name: str, kind: MarketKind) -> VenueModel:
    spot = kind is MarketKind.SPOT
    btc = SymbolModel.of(
        SYMBOL, "BTC", "USDT", tick="0.01" if spot else "0.1", lot="0.00001" if spot else "0.001", price="60000"
    )
    eth = SymbolModel.of("ETHUSDT", "ETH", "USDT", tick="0.01", lot="0.0001" if spot else "0.001", price="2682")
    balances = {"USDT": 1_000_000 * UNIT, "BTC": 10 * UNIT} if spot else {"USDT": 1_000_000 * UNIT}
    return VenueModel(
        name=name,
        kind=kind,
        symbols=(btc, eth),
        accounts=(AccountModel(account=ACCOUNT, balances=balances),),
        maker_ppb=500_000 if spot else 200_000,
        taker_ppb=1_000_000 if spot else 500_000,
    )


@dataclass
class ExchangeWorld:
    """A running exchange; its venues are touched in the server's thread only."""

    folder: Path
    network: NetworkThread
    server: ExchangeServer
    venues: dict[str, SimulatedVenue]
    clock: WakingClock
    errors: list[BaseException] = field(default_factory=list)

    @property
    def key(self) -> ApiKey:
        """Of the account that trades."""
        return KEY

    @property
    def environment(self) -> dict[str, str]:
        """The variables that a run needs."""
        return {
            "BINANCE_API_KEY": KEY.key,
            "BINANCE_API_SECRET": KEY.secret,
            "BINANCE_SBE_API_KEY": SBE_KEY.key,
        }

    def profile(self, path: str = "ccxt-websocket", extra: str = "") -> Path:
        """A profile file that points at the exchange."""
        at = self.server.addresses
        text = PROFILE.format(spot=at[SPOT].http, futures=at[FUTURES].http, path=path, folder=self.folder) + extra
        file = self.folder / "profile.toml"
        file.write_text(text, encoding="utf-8")
        return file

    def loaded(self, path: str = "ccxt-websocket", extra: str = "") -> Loaded:
        """The settings of that profile."""
        return load_with_origins(self.profile(path, extra), environment=self.environment)

    def do(self, function: Callable[[], T]) -> T:
        """Call something in the server's thread."""

        async def call() -> T:
            return function()

        return self.network.call(call(), PATIENCE_S)

    def quote(self, venue: str, side: Side, price: str, quantity: str, symbol: str = SYMBOL) -> None:
        """Let nobody's order rest in a book, or trade."""
        self.do(lambda: inject(self.venues[venue], side, price, quantity, self.clock.now_ns(), symbol))

    def balance(self, venue: str, asset: str) -> int:
        """What the account holds, in 1e-8."""
        state = self.do(lambda: self.venues[venue].account(ACCOUNT))
        return next(balance.total_units for balance in state.balances if balance.asset == asset)


def inject(venue: SimulatedVenue, side: Side, price: str, quantity: str, now_ns: int, symbol: str = SYMBOL) -> None:
    """An order of nobody's."""
    model = next(model for model in venue.model.symbols if model.symbol == symbol)
    venue.inject(symbol, side, model.price_ticks(price), model.quantity_lots(quantity), now_ns)


def set_bid(venue: SimulatedVenue, price: str, quantity: str, now_ns: int, symbol: str = SYMBOL) -> None:
    """So much is bid by nobody at a price, whatever it was; orders do not pile up in the book."""
    model = next(model for model in venue.model.symbols if model.symbol == symbol)
    venue.set_level(symbol, Side.BUY, model.price_ticks(price), model.quantity_lots(quantity), now_ns)


async def _keep_alive(world: ExchangeWorld) -> None:
    """Bids change all the time, so that no book is silent or old."""
    turn = 0
    while True:
        turn += 1
        for venue in world.venues.values():
            now_ns = world.clock.now_ns()
            more = "0.001" if turn % 2 else "0.002"
            set_bid(venue, "50000", f"1{more[1:]}", now_ns)
            set_bid(venue, "59990", f"10{more[1:]}", now_ns)
            set_bid(venue, "2681", f"10{more[1:]}", now_ns, "ETHUSDT")
        await asyncio.sleep(_ALIVE_S)


@contextmanager
def exchange_world(folder: Path, plan: FaultPlan | None = None) -> Iterator[ExchangeWorld]:
    """BTC at 59,990 to 60,010 on spot, to 60,700 on futures: there is room for a high bid; 10 on either side."""
    clock, errors = WakingClock(), list[BaseException]()
    models = [_model(SPOT, MarketKind.SPOT), _model(FUTURES, MarketKind.USD_MARGINED)]
    venues = {model.name: SimulatedVenue(model) for model in models}
    with NetworkThread(errors.append) as network:
        served = [
            ServedVenue(name=name, venue=venue, keys=(KEY, SBE_KEY), limits=GENEROUS) for name, venue in venues.items()
        ]
        server = ExchangeServer(served, clock.now_ns, plan=plan)
        network.call(server.__aenter__(), PATIENCE_S)
        world = ExchangeWorld(folder, network, server, venues, clock, errors)
        for name in venues:
            world.quote(name, Side.BUY, "59990", "10")
            world.quote(name, Side.SELL, "60010" if name == SPOT else "60700", "10")
            world.quote(name, Side.BUY, "2681", "10", "ETHUSDT")
            world.quote(name, Side.SELL, "2683", "10", "ETHUSDT")
        alive = network.start(_keep_alive(world))
        try:
            yield world
        finally:
            alive.cancel()
            network.call(server.__aexit__(None, None, None), PATIENCE_S)
    assert errors == []
