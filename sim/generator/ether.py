"""What the three venues of ETH are like: those of BTC, with the magnitudes of Binance ETH on 2024-08-08."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sim.generator.dialect import CoinMargined, Spot, UsdMargined
from sim.generator.models import COIN_MARGINED, SPOT, USD_MARGINED, VenueModel
from sim.generator.settings import Coin

_MS: Final = 10**6
_CENT: Final = 10_000
_USUAL_PRICE: Final = 2_682

ETHER_SPOT: Final[VenueModel] = replace(
    SPOT,
    coin=Coin.ETH,
    dialect=Spot("ETHUSDT", lot_units=10),
    usual_price=_USUAL_PRICE,
    tick=_CENT,
    first_ids=(35_300_000_000, 1_500_000_000),
    arrivals=5_300,
    market=80,
    touch=((0, 8), (220, 30), (420, 1_200), (620, 16_000), (800, 78_000), (950, 275_000), (1000, 420_000)),
    order=((0, 10), (250, 1_800), (500, 8_700), (750, 31_000), (950, 110_000), (1000, 300_000)),
    resting=((0, 10), (250, 200), (500, 700), (750, 9_500), (950, 65_000), (1000, 200_000)),
    trade=((0, 1), (250, 20), (500, 88), (750, 2_160), (950, 19_400), (1000, 80_000)),
    distance=(
        (0, 0),
        (50, 25),
        (100, 70),
        (250, 260),
        (500, 640),
        (750, 1_280),
        (900, 3_000),
        (985, 26_000),
        (1000, 75_000),
    ),
    churn=250,
    panic_ticks=260,
)

ETHER_USD_MARGINED: Final[VenueModel] = replace(
    USD_MARGINED,
    coin=Coin.ETH,
    dialect=UsdMargined("ETHUSDT", tick_cents=1),
    usual_price=_USUAL_PRICE,
    tick=_CENT,
    basis=-440_000,
    first_ids=(5_120_000_000_000, 4_300_000_000),
    arrivals=13_800,
    market=57,
    touch=((0, 2), (150, 30), (300, 490), (500, 5_900), (750, 20_000), (950, 54_000), (1000, 90_000)),
    order=((0, 1), (250, 150), (500, 1_200), (750, 3_800), (950, 21_000), (1000, 65_000)),
    resting=((0, 2), (250, 150), (500, 1_300), (750, 5_000), (950, 14_000), (1000, 50_000)),
    trade=((0, 1), (250, 12), (500, 71), (750, 478), (950, 3_060), (1000, 8_500)),
    distance=(
        (0, 0),
        (20, 28),
        (50, 60),
        (100, 97),
        (200, 165),
        (500, 380),
        (800, 690),
        (900, 12_000),
        (985, 45_000),
        (1000, 75_000),
    ),
    churn=1_040,
    resized=700,
    panic_ticks=300,
)

ETHER_COIN_MARGINED: Final[VenueModel] = replace(
    COIN_MARGINED,
    coin=Coin.ETH,
    dialect=CoinMargined("ETHUSD", price_decimals=2),
    usual_price=_USUAL_PRICE,
    tick=_CENT,
    basis=-205_000,
    first_ids=(1_007_000_000_000, 800_000_000),
    arrivals=3_000,
    market=46,
    touch=((0, 1), (200, 8), (350, 110), (550, 1_000), (750, 3_000), (950, 6_300), (1000, 8_000)),
    order=((0, 1), (250, 50), (500, 300), (750, 600), (950, 1_900), (1000, 5_000)),
    resting=((0, 1), (250, 25), (500, 500), (750, 1_100), (950, 7_000), (1000, 40_000)),
    trade=((0, 1), (250, 5), (500, 40), (750, 111), (950, 700), (1000, 1_500)),
    distance=(
        (0, 0),
        (20, 33),
        (50, 75),
        (100, 155),
        (200, 330),
        (500, 690),
        (800, 1_850),
        (950, 4_400),
        (985, 22_000),
        (1000, 75_000),
    ),
    churn=455,
    cadence_ns=((0, 2 * _MS), (250, 9 * _MS), (500, 13 * _MS), (750, 19 * _MS), (950, 28 * _MS), (1000, 47 * _MS)),
    panic_ticks=390,
)
