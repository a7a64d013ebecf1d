"""What the three venues of BTC are like: magnitudes of Binance on 2024-08-08, as quantiles and rates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from config.venues import VenueName
from sim.generator.chance import Knots
from sim.generator.dialect import CoinMargined, Dialect, Spot, UsdMargined
from sim.generator.network import NetworkModel
from sim.generator.settings import Coin

_MS: Final = 10**6
_US: Final = 10**3
_USUAL_PRICE: Final = 61_700


@dataclass(frozen=True, kw_only=True)
class VenueModel:
    """One venue's market.

    Parameters
    ----------
    usual_price: in USD, at which ``distance`` holds. tick: size in 1e-6 USD.
    basis: mean of price over efficient price, in returns of 1e-9. lag_ns: how late it follows.
    band: distance of the efficient price from the mid, in returns, beyond which the market moves.
    id_step: update ids per change. first_ids: update and trade id at the start.
    arrivals: spontaneous touches of the best prices per 1,000 s. excited: touches that one touch excites,
        per mille. market, limit: shares of market orders and limit orders, per mille; the rest cancels.
    fills: fills of a market order. touch, order, resting, trade: sizes in lots of the best level, of what
        joins or leaves it, of levels behind it, and of a fill.
    distance: ticks of new levels behind the best. levels: per side. churn: changes behind the best per second;
        resized: share of them that change a level's size, per mille.
    reaction_ns: mean time between steps of a move. cadence_ns: time between depth messages.
    panic_ticks: spread that liquidity asks for at the worst of a crash.
    """

    venue: VenueName
    coin: Coin
    dialect: Dialect
    usual_price: int
    tick: int
    basis: int
    lag_ns: Knots
    band: int
    id_step: Knots
    first_ids: tuple[int, int]
    arrivals: int
    excited: int
    market: int
    limit: int
    fills: Knots
    touch: Knots
    order: Knots
    resting: Knots
    trade: Knots
    distance: Knots
    levels: int
    churn: int
    resized: int
    reaction_ns: int
    cadence_ns: Knots
    panic_ticks: int
    network: NetworkModel


SPOT: Final = VenueModel(
    venue=VenueName.BINANCE_SPOT,
    coin=Coin.BTC,
    dialect=Spot("BTCUSDT", lot_units=1),
    usual_price=_USUAL_PRICE,
    tick=10_000,
    basis=0,
    lag_ns=((0, 0), (500, _MS), (1000, 2 * _MS)),
    band=40_000,
    id_step=((0, 1), (1000, 1)),
    first_ids=(50_000_000_000, 3_700_000_000),
    arrivals=7_800,
    excited=850,
    market=110,
    limit=450,
    fills=((0, 1), (400, 1), (750, 4), (950, 12), (1000, 40)),
    touch=((0, 8), (220, 22), (420, 1_000), (620, 25_000), (800, 140_000), (950, 460_000), (1000, 700_000)),
    order=((0, 8), (250, 500), (500, 7_000), (750, 35_000), (950, 130_000), (1000, 320_000)),
    resting=((0, 8), (250, 20), (500, 160), (750, 5_000), (950, 65_000), (1000, 200_000)),
    trade=((0, 1), (250, 11), (500, 60), (750, 1_330), (950, 10_000), (1000, 45_000)),
    distance=(
        (0, 0),
        (50, 400),
        (100, 1_200),
        (250, 4_500),
        (500, 11_000),
        (750, 22_000),
        (900, 60_000),
        (985, 600_000),
        (1000, 1_750_000),
    ),
    levels=940,
    churn=290,
    resized=250,
    reaction_ns=700 * _US,
    cadence_ns=((0, 100 * _MS), (1000, 100 * _MS)),
    panic_ticks=6_000,
    network=NetworkModel(
        publication_ns=((0, 80 * _US), (900, 600 * _US), (1000, 1_500 * _US)),
        transit_ns=1_800 * _US,
        jitter_ns=((0, 0), (900, 250 * _US), (996, 900 * _US), (1000, 9 * _MS)),
    ),
)

USD_MARGINED: Final = VenueModel(
    venue=VenueName.BINANCE_USDM,
    coin=Coin.BTC,
    dialect=UsdMargined("BTCUSDT", tick_cents=10),
    usual_price=_USUAL_PRICE,
    tick=100_000,
    basis=-370_000,
    lag_ns=((0, _MS), (500, 3 * _MS), (850, 5 * _MS), (950, 15 * _MS), (1000, 60 * _MS)),
    band=35_000,
    id_step=((0, 1), (250, 8), (500, 40), (750, 150), (950, 700), (1000, 2_500)),
    first_ids=(5_100_000_000_000, 5_200_000_000),
    arrivals=20_000,
    excited=870,
    market=80,
    limit=470,
    fills=((0, 1), (300, 1), (650, 5), (950, 16), (1000, 45)),
    touch=((0, 2), (150, 8), (300, 100), (500, 1_200), (750, 4_000), (950, 11_300), (1000, 19_000)),
    order=((0, 1), (250, 20), (500, 120), (750, 500), (950, 2_500), (1000, 8_000)),
    resting=((0, 2), (250, 10), (500, 80), (750, 340), (950, 1_400), (1000, 5_000)),
    trade=((0, 1), (250, 3), (500, 16), (750, 81), (950, 490), (1000, 1_300)),
    distance=(
        (0, 0),
        (20, 60),
        (50, 130),
        (100, 210),
        (200, 360),
        (500, 825),
        (800, 1_500),
        (900, 4_000),
        (985, 60_000),
        (1000, 175_000),
    ),
    levels=960,
    churn=1_080,
    resized=640,
    reaction_ns=500 * _US,
    cadence_ns=((0, 46 * _MS), (500, 52 * _MS), (950, 60 * _MS), (1000, 70 * _MS)),
    panic_ticks=700,
    network=NetworkModel(
        publication_ns=((0, 100 * _US), (750, 900 * _US), (950, 2 * _MS), (1000, 5 * _MS)),
        transit_ns=1_800 * _US,
        jitter_ns=((0, 0), (900, 200 * _US), (992, 800 * _US), (1000, 22 * _MS)),
    ),
)

COIN_MARGINED: Final = VenueModel(
    venue=VenueName.BINANCE_CM,
    coin=Coin.BTC,
    dialect=CoinMargined("BTCUSD", price_decimals=1),
    usual_price=_USUAL_PRICE,
    tick=100_000,
    basis=-275_000,
    lag_ns=((0, 5 * _MS), (250, 10 * _MS), (500, 18 * _MS), (900, 45 * _MS), (1000, 100 * _MS)),
    band=45_000,
    id_step=((0, 1), (250, 3), (500, 10), (750, 25), (950, 90), (1000, 250)),
    first_ids=(1_000_000_000_000, 840_000_000),
    arrivals=4_800,
    excited=840,
    market=50,
    limit=460,
    fills=((0, 1), (600, 1), (900, 4), (1000, 14)),
    touch=((0, 1), (200, 4), (350, 50), (550, 500), (750, 1_500), (950, 3_100), (1000, 3_800)),
    order=((0, 1), (250, 4), (500, 25), (750, 110), (950, 650), (1000, 2_000)),
    resting=((0, 1), (250, 2), (500, 43), (750, 125), (950, 1_220), (1000, 7_000)),
    trade=((0, 1), (250, 1), (500, 4), (750, 25), (950, 190), (1000, 480)),
    distance=(
        (0, 0),
        (20, 90),
        (50, 200),
        (100, 420),
        (200, 900),
        (500, 1_850),
        (800, 5_000),
        (950, 12_000),
        (985, 60_000),
        (1000, 175_000),
    ),
    levels=950,
    churn=700,
    resized=150,
    reaction_ns=1_000 * _US,
    cadence_ns=((0, 2 * _MS), (250, 8 * _MS), (500, 11 * _MS), (750, 16 * _MS), (950, 24 * _MS), (1000, 40 * _MS)),
    panic_ticks=900,
    network=NetworkModel(
        publication_ns=((0, 4 * _MS), (500, 9 * _MS), (950, 13 * _MS), (1000, 20 * _MS)),
        transit_ns=1_800 * _US,
        jitter_ns=((0, 0), (900, 300 * _US), (995, 1_200 * _US), (1000, 15 * _MS)),
    ),
)
