"""The recordings that benchmarks replay, in memory, with the session that the demo profile makes of them.

Without ``TICKWIRE_DATA`` a generated market stands in; whatever is measured on it is called synthetic.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.harness import Report
from config.loading import load_settings
from config.venues import VenueName
from market.errors import MissingInput
from market.native.cache import cache_root
from orchestrator.replay.plan import SourceFile, session_settings
from sim.generator.recording import generated_files, is_synthetic, write_recordings
from sim.generator.settings import SECOND_NS, Coin, GeneratorSettings
from sim.recording.blocks import open_blocks
from sim.replay.session import SessionSettings
from sim.replay.source import SourceSettings

_FOLDER: Final = "binance-20240808"
_VARIABLE: Final = "TICKWIRE_DATA"
_GENERATED: Final = GeneratorSettings(coins=tuple(Coin), duration_ns=300 * SECOND_NS)
_SEED: Final = 7

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
    """Three venues of one coin, recorded or generated.

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
    def synthetic(self) -> bool:
        """Whether the market was generated."""
        return any(is_synthetic(source.path) for source in self.sources)

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


def available_files(coin: Coin) -> list[SourceFile]:
    """A coin's three recordings; generated ones, made once and kept beside the compiled kernels, without any.

    Raises MissingInput when ``TICKWIRE_DATA`` names a folder that does not hold them.
    """
    if os.environ.get(_VARIABLE):
        return recorded_files(coin)
    folder = cache_root() / "generated" / f"{_SEED}-{_GENERATED.duration_ns // SECOND_NS}s"
    files = generated_files(_GENERATED, _SEED, folder)
    if not all(file.path.is_file() for file in files):
        write_recordings(_GENERATED, _SEED, folder)
    return [SourceFile(file.venue, file.path) for file in files if file.coin is coin]


def load_recording(coin: Coin, report: Report) -> Recording:
    """Read a coin's three recordings for a report, which then says if they are synthetic; see ``available_files``."""
    files = available_files(coin)
    session = session_settings(load_settings("demo", local=None, environment={}), files)
    texts = tuple(b"".join(block.data for block in open_blocks(file.path)) for file in files)
    sources = tuple(source for source in session.sources if isinstance(source, SourceSettings))
    recording = Recording(coin, session, sources, texts)
    if recording.synthetic:
        report.call_synthetic()
    return recording
