"""A trader whose detector says what a test wants, on a market by hand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from market.detector.settings import DetectorSettings
from market.detector.states import Permission, Reading, Signal, State
from market.detector.transitions import Transition
from market.errors import Rejected
from market.instruments import Catalogue
from market.orders.kinds import Side
from market.orders.order import OrderIntent
from market.protocols import MarketView, Trade
from market.risk.position import Position
from orchestrator.strategies.flash_crash.parameters import (
    EntryParameters,
    ExitParameters,
    FlashCrashParameters,
    SizeParameters,
)
from orchestrator.strategies.flash_crash.sleeping import Sleeping
from orchestrator.strategies.flash_crash.trader import FlashCrash
from tests.orchestrator.strategies.desk import MS, NEAR, SECOND, Desk, listing

KEY = (0, NEAR)
SETTINGS = DetectorSettings(minimum_liquidity=1, volatility_multiplier=3.0)
NOTHING = Signal(0)
FORBIDDEN = Permission(0)
ENTRY = EntryParameters(volume_seconds=3)
EVENT = {
    Reading.VOLATILITY: 3.0,
    Reading.VOLATILITY_BASELINE: 1.0,
    Reading.ACCELERATION: -0.004,
    Reading.IMBALANCE: -0.8,
    Reading.SPREAD: 4.0,
    Reading.SPREAD_BASELINE: 1.0,
    Reading.VOLUME_DELTA: -9.0,
    Reading.VOLUME_SIGMA: 3.0,
}
"""Readings that score 70."""


@dataclass
class ScriptedWatch:
    """An ``EventWatch`` whose members a test sets."""

    settings: DetectorSettings = SETTINGS
    standing: State = State.SLEEP
    signals: Signal = NOTHING
    permissions: Permission = FORBIDDEN
    sleep: Sleeping | None = None
    readings: dict[Reading, float] = field(default_factory=lambda: {**dict.fromkeys(Reading, float("nan")), **EVENT})

    def transitions(self) -> list[Transition]:
        return []

    def read(self) -> dict[Reading, float]:
        return self.readings

    def take_time(self, time_ns: int) -> list[Transition]:
        return []

    def take_quote(self, view: MarketView, time_ns: int) -> list[Transition]:
        return []

    def take_trade(self, trade: Trade, time_ns: int) -> list[Transition]:
        return []

    def save(self) -> bytes:
        return bytes([self.standing])

    def restore(self, content: bytes) -> None:
        if len(content) != 1:
            raise Rejected(f"{content!r} is no scripted state")
        self.standing = State(content[0])


class Rig:
    """A desk with one trader.

    Members
    -------
    desk, watch, trader: as they are. Prices are cents, quantities thousandths; 1,000,000 counts of capital.
    """

    def __init__(
        self,
        entry: EntryParameters = ENTRY,
        exits: ExitParameters | None = None,
        *,
        lot: int = 1,
        capital: int = 3_000_000,
    ) -> None:
        self.watch = ScriptedWatch()
        self.parameters = FlashCrashParameters(
            market=KEY,
            price_unit=1,
            quantity_unit=1,
            size=SizeParameters(capital=capital, maximum_quantity=10**6, maximum_notional=10**12),
            entry=entry,
            exits=exits or ExitParameters(),
        )
        self.trader = FlashCrash(self.parameters, self.watch)
        self.desk = Desk(self.trader, Catalogue([listing(NEAR, lot=lot)]))

    def begin(self) -> None:
        """Start, and let four quiet seconds pass, each with one trade of one lot."""
        self.desk.start()
        self.desk.set_quote(NEAR, 9_999, 10_001)
        for _ in range(5):
            self.desk.trade(NEAR, Side.BUY, 10_000, 1)
            self.desk.pass_time(SECOND)

    def activate(self) -> None:
        """The event is on."""
        self.watch.standing = State.ACTIVE
        self.watch.permissions = Permission.ENTER

    def end(self, state: State = State.RECOVERY) -> None:
        """The event is over."""
        self.watch.standing = state
        self.watch.permissions = FORBIDDEN

    def candle(self, *prices: int, quantity: int = 10) -> None:
        """A second of trades at these prices, which closes."""
        for price in prices:
            self.desk.trade(NEAR, Side.BUY, price, quantity)
            self.desk.pass_time(SECOND // 10)
        self.desk.pass_time(SECOND - self.desk.now_ns % SECOND)

    def bid(self, price: int) -> None:
        """A new best bid."""
        self.desk.set_quote(NEAR, price, price + 2)

    def enter(self) -> OrderIntent:
        """A bullish candle of 10,000 to 10,100 is bought at 10,020; the order is filled 10 ms later."""
        self.candle(10_000, 10_100)
        order = self.desk.asked[-1]
        assert order.side is Side.BUY
        self.desk.pass_time(10 * MS)
        self.bid(10_030)
        self.desk.fill(order)
        return order

    @property
    def sales(self) -> list[OrderIntent]:
        """Orders to sell so far."""
        return [order for order in self.desk.asked if order.side is Side.SELL]

    @property
    def purchases(self) -> list[OrderIntent]:
        """Orders to buy so far."""
        return [order for order in self.desk.asked if order.side is Side.BUY]

    @property
    def held(self) -> int:
        """The position."""
        return self.desk.positions.get(KEY, Position()).quantity

    def restart(self, *, keeps: bool = True, epoch: int = 2) -> Rig:
        """Another run of the same market: the state as it was saved, orders that work and positions as they are."""
        after = Rig(self.parameters.entry, self.parameters.exits)
        after.watch = replace(self.watch)
        after.trader = FlashCrash(self.parameters, after.watch)
        if keeps:
            after.trader.restore(self.trader.save())
        working = {name: order for name, order in self.desk.orders.items() if order.is_working}
        after.desk = Desk(
            after.trader,
            self.desk.catalogue,
            now_ns=self.desk.now_ns + SECOND // 2,
            epoch=epoch,
            orders=working,
            quotes=dict(self.desk.quotes),
            positions=dict(self.desk.positions),
        )
        after.desk.start()
        return after


def active(entry: EntryParameters = ENTRY, exits: ExitParameters | None = None, **changes: int) -> Rig:
    """A rig in an event, warmed up."""
    rig = Rig(entry, exits, **changes)
    rig.begin()
    rig.activate()
    return rig
