"""The recordings that benchmarks replay, in memory, with the session that the demo profile makes of them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from config.loading import load_settings
from config.venues import VenueName
from market.errors import MissingInput
from orchestrator.replay.plan import SourceFile, session_settings
from sim.recording.blocks import open_blocks
from sim.replay.session import SessionSettings
from sim.replay.source import SourceSettings

_FOLDER: Final = "binance-20240808"
_VARIABLE: Final = "TICKWIRE_DATA"


class Coin(Enum):
    """An underlying that was recorded on three venues at once."""

    BTC = "BTC"
    ETH = "ETH"


_FILES: Final = {
    Coin.BTC: {
        VenueName.BINANCE_SPOT: "spot_btcusdt",
        VenueName.BINANCE_USDM: "usdm_btcusdt",
        VenueName.BINANCE_CM: "cm_btcusd_perp",
    },
    Coin.ETH: {
        VenueName.BINANCE_SPOT: "spot_ethusdt",
        VenueName.BINANCE_USDM: "usdm_ethusdt",
        VenueName.BINANCE_CM: "cm_ethusd_perp",
    },
}


@dataclass(frozen=True)
class Recording:
    """Three venues of one coin.

    Parameters
    ----------
    session: how ``tickwire replay`` would replay them with the demo profile.
    sources: the session's sources, all of them recordings of lines.
    texts: their whole lines, in the order of the sources.
    """

    coin: Coin
    session: SessionSettings
    sources: tuple[SourceSettings, ...]
    texts: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """Bytes of all lines."""
        return sum(map(len, self.texts))

    def text(self, venue: VenueName) -> bytes:
        """The lines of one venue."""
        names = [source.name for source in self.sources]
        return self.texts[names.index(venue.value)]


def recorded_file(coin: Coin, venue: VenueName) -> Path:
    """Path of a recording; raises MissingInput when the recordings are not there."""
    folder = os.environ.get(_VARIABLE)
    if not folder:
        raise MissingInput(f"{_VARIABLE} is not set: benchmarks need the folder that holds {_FOLDER}/")
    path = Path(folder) / _FOLDER / f"{_FILES[coin][venue]}_20240808.gz"
    if not path.is_file():
        raise MissingInput(f"{path} is not there: {_VARIABLE} must name the folder that holds {_FOLDER}/")
    return path


def recorded_files(*coins: Coin) -> list[SourceFile]:
    """Three recordings of each coin; raises MissingInput when they are not there."""
    return [SourceFile(venue, recorded_file(coin, venue)) for coin in coins for venue in _FILES[coin]]


def load_recording(coin: Coin) -> Recording:
    """Read a coin's three recordings; raises MissingInput when they are not there."""
    files = recorded_files(coin)
    session = session_settings(load_settings("demo", local=None, environment={}), files)
    texts = tuple(b"".join(block.data for block in open_blocks(file.path)) for file in files)
    sources = tuple(source for source in session.sources if isinstance(source, SourceSettings))
    return Recording(coin, session, sources, texts)
