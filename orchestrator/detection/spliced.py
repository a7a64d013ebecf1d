"""Sessions that go on where real recordings end: what the statistics over them are made of."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from config.settings import Settings
from config.venues import VenueName
from market.errors import MissingInput
from orchestrator.detection.play import traded_market
from orchestrator.replay.plan import SourceFile, session_settings
from sim.replay.source import SourceSettings
from sim.scenarios.splice import Ending, read_ending

_VENUE = VenueName.BINANCE_USDM
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Base:
    """A recording that sessions are spliced onto.

    Parameters
    ----------
    settings: in which the trader trades what it is of. seconds: how long it is. digest: SHA-256 of its bytes.
    """

    path: Path
    settings: Settings
    seconds: float
    digest: str

    def ending(self) -> Ending:
        """Its end, read anew; raises MissingInput as ``read_ending``."""
        return ending_of(self.settings, self.path)


def read_bases(settings: Settings, paths: Sequence[Path]) -> tuple[Base, ...]:
    """Look at recordings; raises MissingInput for one that nothing can be spliced onto."""
    return tuple(_base(settings, path) for path in paths)


def ending_of(settings: Settings, path: Path) -> Ending:
    """How a recording of USD-M lines ends; raises MissingInput for anything else."""
    [source] = session_settings(settings, [SourceFile(_VENUE, path)]).sources
    if not isinstance(source, SourceSettings):
        raise MissingInput(f"{path} is a capture of packets: name a recording of lines")
    return read_ending(source)


def _base(settings: Settings, path: Path) -> Base:
    ending = ending_of(settings, path)
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    seconds = (ending.receive_ns - ending.first_ns) / 1e9
    return Base(path, _trading(settings, ending), seconds, digest.hexdigest())


def _trading(settings: Settings, ending: Ending) -> Settings:
    """The settings, with the trader on what a recording is of, within bounds and thresholds of what it traded before.

    A crash leaves the collar of a calm day's profile, and a spread of one tick is no measure for one: what the market
    has for which the profile was made holds.
    """
    chosen = traded_market(settings)
    found = [
        name
        for name, instrument in settings.instruments.items()
        if _VENUE in instrument.markets and instrument.markets[_VENUE].symbol == ending.symbol
    ]
    if not found:
        raise MissingInput(f"{ending.path} is of {ending.symbol}, which no instrument of the settings trades")
    [name] = found
    if name == chosen.instrument:
        return settings
    before = settings.instruments[chosen.instrument]
    bounds = {"collar_pct": before.collar_pct, "maximum_notional_quote": before.maximum_notional_quote}
    crash = settings.strategies.flash_crash
    [label] = crash.markets
    markets = {label: chosen.model_copy(update={"instrument": name})}
    strategies = settings.strategies.model_copy(update={"flash_crash": crash.model_copy(update={"markets": markets})})
    instruments = {**settings.instruments, name: settings.instruments[name].model_copy(update=bounds)}
    thresholds = settings.detector.instruments
    if chosen.instrument in thresholds:
        thresholds = {name: thresholds[chosen.instrument], **thresholds}
    detector = settings.detector.model_copy(update={"instruments": thresholds})
    return settings.model_copy(update={"strategies": strategies, "instruments": instruments, "detector": detector})
