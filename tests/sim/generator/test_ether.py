"""ETH beside BTC: neither changes the other's lines, ETH takes part of BTC's moves, and looks as recorded.

The bands hold the values measured on Binance ETH on 2024-08-08 (in the comments) and leave room for luck.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from config.venues import VenueName
from market.wire.records import ASK_PRICE, BID_PRICE, DIFF, QUOTE, RECEIVE_NS, TRADE
from sim.generator.chance import Chance
from sim.generator.efficient import EfficientPrice
from sim.generator.feed import Line
from sim.generator.market import generate
from sim.generator.settings import SECOND_NS, Coin, CrashSettings, GeneratorSettings
from tests.sim.generator.generated import CM, SPOT, USDM, VENUES, Rebuilt, by_venue, rebuild_all

SECONDS = 150
SETTINGS = GeneratorSettings(coins=(Coin.BTC, Coin.ETH), duration_ns=SECONDS * SECOND_NS)
CRASH = CrashSettings(at_ns=SECOND_NS, fall_ns=SECOND_NS, rebound_ns=SECOND_NS)
SHORT = GeneratorSettings(coins=(Coin.BTC, Coin.ETH), duration_ns=4 * SECOND_NS, crash=CRASH)
DIGESTS = {
    SPOT: "bd73645e931c55fb43b93afcaa1378bff6af110fc4ddafa05afd1dc543fe7e96",
    USDM: "bc189d492beb5d4372ff6b726a08c047fbdd37e3daed6c3763e25ee517554900",
    CM: "ff9e56a9e56aec6785962177fa3c1e06224871c8de0882ae9f0544527be610e2",
}
Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def lines() -> list[Line]:
    return list(generate(SETTINGS, 11))


@pytest.fixture(scope="module")
def ether(lines: list[Line]) -> dict[VenueName, Rebuilt]:
    return rebuild_all(lines, Coin.ETH)


@pytest.fixture(scope="module")
def bitcoin(lines: list[Line]) -> dict[VenueName, Rebuilt]:
    return rebuild_all(lines, Coin.BTC)


def test_lines_are_those_of_every_machine() -> None:
    """The stored digests change only when the market is meant to change."""
    texts = by_venue(generate(SHORT, 42), Coin.ETH)
    assert {venue: hashlib.sha256("".join(lines).encode()).hexdigest() for venue, lines in texts.items()} == DIGESTS


@pytest.mark.parametrize("coin", Coin)
def test_a_coin_is_the_same_alone(coin: Coin) -> None:
    together = [line for line in generate(SHORT, 42) if line.coin is coin]
    assert list(generate(SHORT.model_copy(update={"coins": (coin,)}), 42)) == together
    assert together


def test_a_coin_is_named_once() -> None:
    with pytest.raises(ValidationError, match="must name each coin once"):
        GeneratorSettings(coins=(Coin.ETH, Coin.ETH))


RATES = [
    (SPOT, QUOTE, 70),
    (USDM, QUOTE, 157),
    (CM, QUOTE, 46),
    (SPOT, TRADE, 18),
    (USDM, TRADE, 41),
    (CM, TRADE, 5.0),
    (SPOT, DIFF, 10),
    (USDM, DIFF, 19),
    (CM, DIFF, 67),
]


@pytest.mark.parametrize(("venue", "kind", "per_second"), RATES)
def test_message_rates(ether: dict[VenueName, Rebuilt], venue: VenueName, kind: int, per_second: float) -> None:
    assert len(ether[venue].of(kind)) / SECONDS == pytest.approx(per_second, rel=0.15 if kind == DIFF else 0.5)


@pytest.mark.parametrize("venue", VENUES)
def test_the_spread_is_one_tick_nearly_always(ether: dict[VenueName, Rebuilt], venue: VenueName) -> None:
    """Recorded: one tick 99.1 to 99.5 % of the time; 99th percentile of updates 0.34 to 1.01 bps."""
    quotes = ether[venue].of(QUOTE)
    spread = quotes[:, ASK_PRICE] - quotes[:, BID_PRICE]
    held = np.diff(quotes[:, RECEIVE_NS])
    assert held[spread[:-1] == 1].sum() / held.sum() > 0.98
    assert 0.2 < np.percentile(spread / quotes[:, BID_PRICE] * 1e4, 99) < 3


def returns(rebuilt: Rebuilt, step_ns: int) -> Floats:
    """Returns of the mid in basis points, on a grid that begins after one second."""
    quotes = rebuilt.of(QUOTE)
    grid = np.arange(SETTINGS.start_ns + SECOND_NS, SETTINGS.start_ns + SETTINGS.duration_ns - SECOND_NS, step_ns)
    rows = quotes[np.searchsorted(quotes[:, RECEIVE_NS], grid, "right") - 1]
    result: Floats = np.diff(np.log((rows[:, BID_PRICE] + rows[:, ASK_PRICE]) / 2)) * 1e4
    return result


@pytest.mark.parametrize("venue", VENUES)
def test_ether_moves_with_bitcoin_and_on_its_own(
    bitcoin: dict[VenueName, Rebuilt], ether: dict[VenueName, Rebuilt], venue: VenueName
) -> None:
    """Recorded, 1 s returns: correlation 0.66 to 0.69, ETH at 0.63 of BTC's move, deviation 1.08 to 1.28 bps."""
    leader, follower = returns(bitcoin[venue], SECOND_NS), returns(ether[venue], SECOND_NS)
    assert 0.35 < np.corrcoef(leader, follower)[0, 1] < 0.85
    assert 0.35 < (leader * follower).mean() / (leader**2).mean() < 0.95
    assert 0.6 < follower.std() < 2.5


def test_venues_of_ether_agree(ether: dict[VenueName, Rebuilt]) -> None:
    """Recorded, 1 s returns: spot to USD-M 0.87, spot to COIN-M 0.85."""
    spot = returns(ether[SPOT], SECOND_NS)
    for venue in (USDM, CM):
        assert np.corrcoef(spot, returns(ether[venue], SECOND_NS))[0, 1] > 0.7


@pytest.mark.parametrize("coin", Coin)
def test_a_crash_takes_every_coin(coin: Coin) -> None:
    quotes = rebuild_all(generate(SHORT, 5), coin)[SPOT].of(QUOTE)
    mid = (quotes[:, BID_PRICE] + quotes[:, ASK_PRICE]) / 2
    assert (1 - mid.min() / mid[0]) * 1e4 == pytest.approx(CRASH.drop_bps, abs=30)


def test_a_price_is_shifted_by_a_return() -> None:
    price = EfficientPrice(GeneratorSettings().price_of(Coin.ETH), None, Chance(1, 4), own=700)
    assert price.value(0) == 2_682_000_000
    assert price.shift(500_000) == 500_000
    assert price.value(0) == 2_682_000_000 + 1_341_000


def test_own_moves_are_scaled() -> None:
    usual, scaled = (EfficientPrice(2_682, None, Chance(1, 4), own=own) for own in (1_000, 700))
    for sign in (1, -1, 1):
        assert scaled.jump(sign) == pytest.approx(usual.jump(sign) * 7 / 10, abs=1)
