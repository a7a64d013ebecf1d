"""What a venue is like: its symbols with their filters, accounts, fees and background traders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from market.errors import Fatal, Rejected
from market.fixed_point import Scale
from sim.exchange.venue.kinds import CommissionAsset, MarketKind, SelfTradePrevention
from sim.exchange.venue.refusals import VenueRefusal, filter_failure, too_precise

UNITS: Final = Scale(-8)
"""Money is counted in 1e-8 of its asset."""
UNIT: Final = 10**8
HOUSE: Final = "house"
"""The account that commissions go to."""
BACKGROUND: Final = "background"
"""The account of background traders and injected orders: it has no limits and may go below zero."""
_LARGEST_WORTH: Final = 1 << 62
"""Lots times ticks of one order: the matching engine counts in int64."""
_SECOND_NS: Final = 10**9
_HOUR_NS: Final = 3600 * _SECOND_NS


@dataclass(frozen=True, kw_only=True)
class BackgroundModel:
    """Seeded traders of one symbol: makers that quote around a fair price, and takers that trade against them.

    The fair price moves by diffusion and jumps (``sim.generator.efficient``). Venues with the same seed see the same
    fair price, each ``lag_ns`` late.

    Parameters
    ----------
    seed: of everything. stream: number of the random stream of this venue's own traders.
    levels: price levels that makers keep on each side. spacing_ticks: mean distance between them.
    level_lots: mean quantity of a level.
    half_spread_ticks: distance of the best prices from the fair price.
    requote_ns: mean time between two looks of the makers at the fair price.
    trades_per_minute, trade_lots: market orders, and their mean quantity.
    basis_bps: how far this venue's fair price lies above the common one.
    volatility_percent: size of the fair price's moves against those of BTC on a usual day (about 1 bps in 10 s).
    """

    seed: int
    stream: int = 1
    levels: int = 20
    spacing_ticks: int = 10
    level_lots: int = 50_000
    half_spread_ticks: int = 5
    requote_ns: int = 50_000_000
    trades_per_minute: int = 120
    trade_lots: int = 2_000
    lag_ns: int = 0
    basis_bps: int = 0
    volatility_percent: int = 100


@dataclass(frozen=True, kw_only=True)
class SymbolModel:
    """One symbol with its filters.

    Parameters
    ----------
    tick_units: size of a tick in 1e-8 of the quote asset. lot_units: of a lot in 1e-8 of the base asset.
    reference_ticks: price that stands for the last one before anything traded.
    minimum_ticks, maximum_ticks: PRICE_FILTER. minimum_lots, maximum_lots: LOT_SIZE.
    market_maximum_lots: MARKET_LOT_SIZE. minimum_notional_units: NOTIONAL.
    up_percent, down_percent: PERCENT_PRICE: bounds of a limit price, of the last price.
    maximum_orders, maximum_stops: working orders and waiting stops of one account.
    maximum_leverage, leverage: most, and what an account has until it asks for another; futures only.
    maintenance_ppb: maintenance margin, of the notional. funding_rate_ppb: paid by longs to shorts each interval.
    background: None: nobody trades but the accounts.

    Raises Fatal for steps whose product is not a whole number of money units, or limits that contradict each other.
    """

    symbol: str
    base_asset: str
    quote_asset: str
    tick_units: int
    lot_units: int
    reference_ticks: int
    minimum_ticks: int = 1
    maximum_ticks: int = 10**9
    minimum_lots: int = 1
    maximum_lots: int = 10**9
    market_maximum_lots: int = 10**9
    minimum_notional_units: int = 5 * UNIT
    up_percent: int = 500
    down_percent: int = 20
    maximum_orders: int = 200
    maximum_stops: int = 10
    maximum_leverage: int = 125
    leverage: int = 20
    maintenance_ppb: int = 4_000_000
    funding_rate_ppb: int = 100_000
    background: BackgroundModel | None = None

    def __post_init__(self) -> None:
        if self.tick_units < 1 or self.lot_units < 1 or self.tick_units * self.lot_units % UNIT:
            raise Fatal(
                f"{self.symbol}: tick {UNITS.text(self.tick_units)} times lot {UNITS.text(self.lot_units)} must be a "
                "positive multiple of 1e-8, so that money is counted exactly"
            )
        if not 1 <= self.minimum_ticks <= self.reference_ticks <= self.maximum_ticks:
            raise Fatal(
                f"{self.symbol}: reference price was {self.reference_ticks} ticks; expected "
                f"{self.minimum_ticks} to {self.maximum_ticks}"
            )
        if not 1 <= self.minimum_lots <= self.maximum_lots:
            raise Fatal(f"{self.symbol}: minimum quantity was {self.minimum_lots} lots, maximum {self.maximum_lots}")
        if self.maximum_ticks * max(self.maximum_lots, self.market_maximum_lots) > _LARGEST_WORTH:
            raise Fatal(
                f"{self.symbol}: the largest order, {self.maximum_lots} lots at {self.maximum_ticks} ticks, must be "
                f"worth at most {_LARGEST_WORTH} lots times ticks"
            )
        if not 1 <= self.leverage <= self.maximum_leverage:
            raise Fatal(f"{self.symbol}: leverage was {self.leverage}; expected 1 to {self.maximum_leverage}")

    @classmethod
    def of(
        cls,
        symbol: str,
        base_asset: str,
        quote_asset: str,
        *,
        tick: str,
        lot: str,
        price: str,
        minimum_notional: str = "5",
        background: BackgroundModel | None = None,
    ) -> SymbolModel:
        """A symbol from decimal texts, with usual limits; raises as the class does, and Rejected for bad numbers."""
        tick_units = UNITS.count(tick)
        return cls(
            symbol=symbol,
            base_asset=base_asset,
            quote_asset=quote_asset,
            tick_units=tick_units,
            lot_units=UNITS.count(lot),
            reference_ticks=UNITS.count(price) // tick_units,
            minimum_notional_units=UNITS.count(minimum_notional),
            background=background,
        )

    @property
    def unit_notional(self) -> int:
        """Money units that one lot is worth per tick of price."""
        return self.tick_units * self.lot_units // UNIT

    def quote_units(self, price_ticks: int, lots: int) -> int:
        """What a quantity is worth at a price, in 1e-8 of the quote asset; exact."""
        return price_ticks * lots * self.unit_notional

    def base_units(self, lots: int) -> int:
        """A quantity in 1e-8 of the base asset."""
        return lots * self.lot_units

    def price_ticks(self, text: str | Decimal, kind: MarketKind = MarketKind.SPOT) -> int:
        """Ticks of a price; raises VenueRefusal for one that is no number, too precise or between ticks."""
        ticks, rest = divmod(_units(text, "price"), self.tick_units)
        if rest:
            raise filter_failure("PRICE_FILTER") if kind is MarketKind.SPOT else _PRICE_STEP
        return ticks

    def quantity_lots(self, text: str | Decimal, kind: MarketKind = MarketKind.SPOT) -> int:
        """Lots of a quantity; raises VenueRefusal for one that is no number, too precise or between lots."""
        lots, rest = divmod(_units(text, "quantity"), self.lot_units)
        if rest:
            raise filter_failure("LOT_SIZE") if kind is MarketKind.SPOT else _QUANTITY_STEP
        return lots

    def price_text(self, price_ticks: int) -> str:
        """A price in plain notation."""
        return UNITS.text(price_ticks * self.tick_units)

    def quantity_text(self, lots: int) -> str:
        """A quantity in plain notation."""
        return UNITS.text(lots * self.lot_units)


_PRICE_STEP: Final = VenueRefusal(-4014, "Price not increased by tick size.")
_QUANTITY_STEP: Final = VenueRefusal(-1111, "Precision is over the maximum defined for this asset.")


def _units(text: str | Decimal, name: str) -> int:
    """A positive or zero number in money units."""
    try:
        value = Decimal(text)
    except ArithmeticError as wrong:
        raise VenueRefusal(-1100, f"Illegal characters found in parameter '{name}'.") from wrong
    if not value.is_finite() or value < 0:
        raise VenueRefusal(-1100, f"Illegal characters found in parameter '{name}'.")
    try:
        return UNITS.count(value)
    except Rejected as wrong:
        raise too_precise() from wrong


@dataclass(frozen=True, kw_only=True)
class AccountModel:
    """An account with what it has at the beginning.

    Parameters
    ----------
    balances: money units by asset.
    maker_ppb, taker_ppb: commission rates in parts per billion; None: the venue's.
    """

    account: str
    balances: Mapping[str, int] = field(default_factory=dict)
    maker_ppb: int | None = None
    taker_ppb: int | None = None


@dataclass(frozen=True, kw_only=True)
class VenueModel:
    """A venue.

    Parameters
    ----------
    start_ns: when background traders and funding start; 0: at the first time that a call gives. With a start long
        before that time all that happened since is caught up with first.
    maker_ppb, taker_ppb: commissions, parts per billion; 1 bps is 100,000.
    commission_asset: of spot trades; futures pay in the quote asset.
    self_trade_prevention: of orders that do not say.
    first_order_id, first_trade_id, first_update_id: where numbers begin.
    funding_interval_ns: funding is paid at multiples of it.
    order_capacity: orders that one symbol's book holds.
    kept_trades: public trades that are kept per symbol.
    """

    name: str
    kind: MarketKind
    symbols: tuple[SymbolModel, ...]
    accounts: tuple[AccountModel, ...] = ()
    start_ns: int = 0
    maker_ppb: int = 1_000_000
    taker_ppb: int = 1_000_000
    commission_asset: CommissionAsset = CommissionAsset.RECEIVED
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.EXPIRE_MAKER
    first_order_id: int = 1
    first_trade_id: int = 1
    first_update_id: int = 1
    funding_interval_ns: int = 8 * _HOUR_NS
    order_capacity: int = 1 << 14
    kept_trades: int = 1_000

    def __post_init__(self) -> None:
        names = [symbol.symbol for symbol in self.symbols]
        if len(set(names)) != len(names) or not names:
            raise Fatal(f"venue {self.name}: symbols were {names}; expected at least one, each once")
        if self.kind is MarketKind.USD_MARGINED and len({symbol.quote_asset for symbol in self.symbols}) != 1:
            raise Fatal(f"venue {self.name}: futures must share one quote asset, which is the margin")
