"""The coins that can be generated: how each one's price moves, and the venues that trade it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sim.generator.ether import ETHER_COIN_MARGINED, ETHER_SPOT, ETHER_USD_MARGINED
from sim.generator.models import COIN_MARGINED, SPOT, USD_MARGINED, VenueModel
from sim.generator.settings import Coin


@dataclass(frozen=True)
class CoinModel:
    """One coin.

    Parameters
    ----------
    venues: in the order of their random streams.
    own: size of its own moves against those of BTC, per mille.
    share: what it takes of BTC's moves, per mille; 0 for BTC itself.
    """

    coin: Coin
    venues: tuple[VenueModel, ...]
    own: int
    share: int


LEADER: Final = CoinModel(Coin.BTC, (SPOT, USD_MARGINED, COIN_MARGINED), own=1_000, share=0)
FOLLOWER: Final = CoinModel(Coin.ETH, (ETHER_SPOT, ETHER_USD_MARGINED, ETHER_COIN_MARGINED), own=700, share=660)
"""Recorded: returns of ETH over 10 s are 0.66 of those of BTC and moves of its own, with a correlation of 0.69."""
COINS: Final = (LEADER, FOLLOWER)
STREAMS_PER_COIN: Final = 4
"""Random streams of a coin: its price and its venues."""
