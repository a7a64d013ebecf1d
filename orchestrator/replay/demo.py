"""``tickwire demo``: decisions on a market in one command, recorded if recordings are at hand, else generated."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import click

from config.loading import load_settings
from config.venues import VenueName
from market.errors import MissingInput
from market.native.cache import cache_root
from orchestrator.cli.output import Output, with_output
from orchestrator.cli.profile import load_profile
from orchestrator.replay.command import finish, run_replay
from orchestrator.replay.extras import Extras
from orchestrator.replay.naming import naming
from orchestrator.replay.plan import SourceFile, session_settings
from sim.generator.recording import generated_files, write_recordings
from sim.generator.settings import SECOND_NS, Coin, CrashSettings, GeneratorSettings

DATA_VARIABLE: Final = "TICKWIRE_DATA"
PROFILE: Final = "demo"
SEED: Final = 7
_RECORDINGS: Final = {
    VenueName.BINANCE_SPOT: ("spot_btcusdt", "spot_ethusdt"),
    VenueName.BINANCE_USDM: ("usdm_btcusdt", "usdm_ethusdt"),
    VenueName.BINANCE_CM: ("cm_btcusd_perp", "cm_ethusd_perp"),
}
_GENERATED: Final = GeneratorSettings(
    coins=tuple(Coin), duration_ns=60 * SECOND_NS, crash=CrashSettings(at_ns=40 * SECOND_NS, drop_bps=200)
)


@click.command()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for results and report.")
@click.option("--live", is_flag=True, help="Trade on a simulated exchange instead: the live loop, orders through CCXT.")
@click.option("--seconds", type=click.FloatRange(1), default=60, show_default=True, help="Length of the live loop.")
@with_output
def demo(output: Output, out: Path | None, live: bool, seconds: float) -> None:
    """Replay a market of three venues through the fast loop.

    Recordings in the folder that TICKWIRE_DATA names are used when it is set; without it a market of one minute
    with a flash crash is generated, and marked synthetic wherever it shows.
    """
    if live:
        from orchestrator.live.demo import PROFILE as SIMULATED
        from orchestrator.live.demo import show_live_loop

        output.emit(show_live_loop(output, load_settings(SIMULATED), seconds))
        return
    files = _recorded() or _generated(output)
    names = ", ".join(file.path.name for file in files)
    output.note(f"replaying {names}")
    settings = load_profile(PROFILE).settings
    planned = session_settings(settings, files, keep_quotes=True, keep_changes=True, keep_signals=True)
    result = run_replay(output, planned, files, out, Extras(naming=naming(settings)))
    if out is not None:
        output.note(f"results are in {out}")
    finish(output, result)


def _recorded() -> list[SourceFile]:
    """The recordings of 2024-08-08, when there are any; raises MissingInput for a folder without them."""
    configured = os.environ.get(DATA_VARIABLE)
    if not configured:
        return []
    folder = Path(configured) / "binance-20240808"
    coins = zip(*_RECORDINGS.values(), strict=True)
    files = [
        SourceFile(venue, folder / f"{name}_20240808.gz")
        for names in coins
        for venue, name in zip(_RECORDINGS, names, strict=True)
    ]
    present = [file for file in files if file.path.is_file()]
    if not present:
        raise MissingInput(
            f"{DATA_VARIABLE} is {configured}, and {folder} holds no recordings: unset it to see a generated market"
        )
    return present


def _generated(output: Output) -> list[SourceFile]:
    """A generated market, made once and kept beside the compiled kernels."""
    folder = cache_root() / "generated" / f"{SEED}-{_GENERATED.duration_ns // SECOND_NS}s"
    files = [SourceFile(file.venue, file.path) for file in generated_files(_GENERATED, SEED, folder)]
    if not all(file.path.is_file() for file in files):
        with output.progress("generating a market of one minute", announce=True):
            write_recordings(_GENERATED, SEED, folder)
    return files
