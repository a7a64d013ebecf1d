"""The run that a fault sweep repeats: two venues of one pair, an arbitrage between them and a market maker on one."""

from __future__ import annotations

from functools import partial
from typing import Final

from config.settings import Settings
from config.venues import VenueName
from orchestrator.live.virtual_run import VirtualRun, VirtualRunModel, VirtualVenue
from sim.exchange.venue.kinds import CommissionAsset, MarketKind
from sim.exchange.venue.model import UNIT, AccountModel, BackgroundModel, SymbolModel, VenueModel
from sim.faults.plan import FaultKind, FaultPlan, drawn_plan
from sim.generator.chance import Chance
from sim.virtual.line import LineModel, VenueLine

START_NS: Final = 1_767_225_600_000_000_000
SECOND_NS: Final = 1_000_000_000
MS: Final = 1_000_000
NEAR: Final = VenueName.BINANCE_SPOT
FAR: Final = VenueName.BINANCE_US
ACCOUNT: Final = "desk"
SYMBOL: Final = "BTCUSDT"
BASE_UNITS: Final = 5 * UNIT
QUOTE_UNITS: Final = 500_000 * UNIT
_PRICE_TICKS: Final = 6_170_000
_DISLOCATED_TICKS: Final = 12_000
"""0.2 % of the price."""
_DISLOCATED_LOTS: Final = 4_000

_MARKET: Final = {"symbol": SYMBOL, "price_decimals": 2, "quantity_decimals": 5}
_SETTINGS: Final = {
    "engine": {"venues": 2, "instruments": 1},
    "venues": {
        NEAR: {"taker_fee_bps": 1, "maker_fee_bps": 0},
        FAR: {"taker_fee_bps": 2, "maker_fee_bps": 1},
    },
    "instruments": {
        "BTC": {
            "kinds": ["arb"],
            "reference_price": 61_700,
            "minimum_quantity": 0.001,
            "maximum_quantity": 0.05,
            "collar_pct": 10,
            "maximum_notional_quote": 5_000,
            "position_limit": 0.2,
            "markets": {NEAR: _MARKET, FAR: _MARKET},
        }
    },
    "risk": {
        "limits": {
            "capital_quote": 200_000,
            "maximum_instrument_exposure_quote": 100_000,
            "maximum_exposure_quote": 100_000,
            "messages_per_s": 1_000,
        },
        "guards": {"minimum_liquidity_quote": 100, "maximum_order_latency_ms": 60_000},
        "loss": {"maximum_loss_quote": 50_000},
    },
    "strategies": {
        "active": ["arbitrage", "market-making"],
        "arbitrage": {
            "maximum_age_ms": 50,
            "stocks": {
                "near": {"instrument": "BTC", "venue": NEAR, "base": 2, "quote": 200_000},
                "far": {"instrument": "BTC", "venue": FAR, "base": 2, "quote": 200_000},
            },
        },
        "market_making": {
            "instrument": "BTC",
            "venue": NEAR,
            "quantity": 0.01,
            "inventory_limit": 0.05,
            "spread": 0.00001,
            "repost_bps": 0.05,
            "volatility_limit_bps": 100,
            "vpin_bucket": 1,
            "base_stock": 1,
            "quote_stock": 100_000,
        },
    },
}
MAKER_LIMIT: Final = 5_000
"""The market maker's inventory limit in lots."""
POSITION_LIMIT: Final = 20_000
"""The limit of each market's position in lots."""


def sweep_settings() -> Settings:
    """The settings of every run of the sweep."""
    return Settings.model_validate(_SETTINGS)


def sweep_plan(seed: int, duration_ns: int) -> FaultPlan:
    """The faults of a seed: the first seeds have one kind alone, all others a random combination."""
    kinds = tuple(FaultKind)
    venues = (NEAR.value, FAR.value)
    if seed < len(kinds):
        return drawn_plan(seed, venues=venues, duration_ns=duration_ns, kinds=(kinds[seed],), most=2)
    return drawn_plan(seed, venues=venues, duration_ns=duration_ns, most=8)


def sweep_model(seed: int, trading_ns: int, settling_ns: int, plan: FaultPlan | None = None) -> VirtualRunModel:
    """The run of a seed, its market and its faults, or those of a plan; these end before the trading does."""
    return VirtualRunModel(
        settings=sweep_settings(),
        venues=(
            _venue(NEAR, seed, stream=1, lag_ns=0, commission=CommissionAsset.RECEIVED, taker_ppb=100_000, maker_ppb=0),
            _venue(
                FAR, seed, stream=2, lag_ns=40 * MS, commission=CommissionAsset.QUOTE, taker_ppb=200_000,
                maker_ppb=100_000,
            ),
        ),
        start_ns=START_NS,
        duration_ns=trading_ns + settling_ns,
        faults=sweep_plan(seed, trading_ns) if plan is None else plan,
    )  # fmt: skip


def dislocate_now_and_then(run: VirtualRun, seed: int) -> None:
    """Plan departures of one venue's price from the other's, so that there is something to trade."""
    chance = Chance(seed, stream=5)
    at_ns = START_NS + 300 * MS
    while at_ns < START_NS + run.model.duration_ns:
        line = run.lines[(NEAR, FAR)[chance.below(2)]]
        ticks = _PRICE_TICKS + chance.sign() * _DISLOCATED_TICKS
        hold_ns = (20 + chance.below(300)) * MS

        run.clock.at(at_ns, partial(_strike, line, ticks, hold_ns))
        at_ns += (100 + chance.below(700)) * MS


def _strike(line: VenueLine, ticks: int, hold_ns: int) -> None:
    line.act(lambda venue, now_ns: venue.dislocate(SYMBOL, ticks, _DISLOCATED_LOTS, now_ns, hold_ns))


def _venue(
    name: VenueName, seed: int, *, stream: int, lag_ns: int, commission: CommissionAsset, taker_ppb: int, maker_ppb: int
) -> VirtualVenue:
    background = BackgroundModel(
        seed=seed,
        stream=stream,
        levels=8,
        spacing_ticks=20,
        half_spread_ticks=100,
        requote_ns=30 * MS,
        trades_per_minute=600,
        trade_lots=800,
        lag_ns=lag_ns,
    )
    symbol = SymbolModel.of(SYMBOL, "BTC", "USDT", tick="0.01", lot="0.00001", price="61700", background=background)
    account = AccountModel(account=ACCOUNT, balances={"BTC": BASE_UNITS, "USDT": QUOTE_UNITS})
    model = VenueModel(
        name=name.value,
        kind=MarketKind.SPOT,
        symbols=(symbol,),
        accounts=(account,),
        start_ns=START_NS,
        maker_ppb=maker_ppb,
        taker_ppb=taker_ppb,
        commission_asset=commission,
    )
    line = LineModel(up_ns=(1 + stream) * MS, down_ns=(1 + stream) * MS)
    return VirtualVenue(name=name, model=model, account=ACCOUNT, line=line)
