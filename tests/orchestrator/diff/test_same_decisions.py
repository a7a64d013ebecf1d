"""The same events give the same decisions, to the hash: in a backtest, on paper, and on any machine.

On paper orders are matched by the exchange simulator, which is told of the recorded market as it is received. Where a
backtest's exchanges have the same depth at the same time, it fills the same orders and decides the same from then on.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from config.loading import load_settings
from config.scenarios import ScenarioKind
from config.settings import Settings
from config.venues import VenueName
from orchestrator.backtest.hashes import decisions_hash
from orchestrator.backtest.plan import tape_clock
from orchestrator.backtest.run import run_backtest
from orchestrator.diff.refill import as_received
from orchestrator.live import assembly
from orchestrator.replay.plan import SourceFile
from sim.backtest.tape import read_tape
from sim.generator.recording import write_recordings
from sim.generator.settings import SECOND_NS, Coin, CrashSettings, GeneratorSettings
from sim.replay.source import SourceSettings
from sim.scenarios.plan import draw_plan
from sim.scenarios.recording import session_lines
from tests.orchestrator.audited import audit_runs
from tests.orchestrator.backtest.market import PROFILE as MAKING
from tests.orchestrator.diff.event_paper import paper_run
from tests.orchestrator.strategies.flash_crash.test_generated_crash import EAGER, WIDE
from tests.orchestrator.strategies.flash_crash.test_generated_crash import PROFILE as CRASH

SPOT, USDM = VenueName.BINANCE_SPOT, VenueName.BINANCE_USDM
NO_BUS = "[bus]\nenabled = false\n"
ARBITRAGE = """
extends = "demo"
[venues.binance-cm]
enabled = false
[venues.binance-spot]
taker_fee_bps = 0.1
[venues.binance-usdm]
taker_fee_bps = 0.1
[instruments.BTC]
kinds = ["arb"]
minimum_edge_bps = 0.1
maximum_quantity = 0.01
[strategies]
active = ["arbitrage"]
"""
SHORT = GeneratorSettings(coins=(Coin.BTC,), duration_ns=8 * SECOND_NS)
FALLING = GeneratorSettings(
    coins=(Coin.BTC,),
    duration_ns=130 * SECOND_NS,
    crash=CrashSettings(at_ns=80 * SECOND_NS),
)
MAKING_HASH = "ebca2c76115dd84ae1349867179f23f0942e6e99c0c469fd189757aa055c669d"
ARBITRAGE_HASH = "e4dc4050f85063ef9873d97bcbf2cd88b5792020ee008fd426eb87034e8ff632"
CRASH_HASH = "4b4411c04852034ea42b5fe390a00355f345fd0f581153473c2d30ec17a6a3e6"


def made(
    folder: Path, profile: str, market: GeneratorSettings, seed: int, *venues: VenueName
) -> tuple[Settings, list[SourceFile]]:
    """Settings, and the recordings of a generated market."""
    (folder / "run.toml").write_text(profile + NO_BUS, encoding="utf-8")
    settings = load_settings(folder / "run.toml", local=None, environment={})
    files = [SourceFile(file.venue, file.path) for file in write_recordings(market, seed, folder)]
    return settings, [file for file in files if file.venue in venues]


@pytest.mark.parametrize(
    ("profile", "venues", "pinned"),
    [(MAKING, (USDM,), MAKING_HASH), (ARBITRAGE, (SPOT, USDM), ARBITRAGE_HASH)],
    ids=["market-making", "arbitrage"],
)
def test_making_markets_and_arbitrage(
    tmp_path: Path, profile: str, venues: tuple[VenueName, ...], pinned: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the money of the run on paper balances after every event."""
    settings, files = made(tmp_path, profile, SHORT, 11, *venues)
    audit = audit_runs(monkeypatch, assembly)
    paper = paper_run(settings, files, tmp_path / "run.tape")
    assert audit.fills
    sources = [source for source in paper.plan.sources if isinstance(source, SourceSettings)]
    depth = as_received(read_tape(sources, tape_clock(settings), quotes=False))
    backtest = run_backtest(replace(paper.plan, tape=depth))
    assert any(order.fills for order in backtest.summary.orders)
    assert decisions_hash(paper.journal) == decisions_hash(backtest.journal) == pinned


@pytest.mark.long
@pytest.mark.parametrize("seed", [4, 7])
def test_a_crash_is_traded_alike(tmp_path: Path, seed: int) -> None:
    """With the profile for it, in a market whose activity is drawn; entries that rest, and exits that take."""
    settings = load_settings("flash-crash", local=None, environment={"TICKWIRE__BUS__ENABLED": "false"})
    scenarios = settings.scenarios.model_copy(update={"duration_s": 180})
    path = tmp_path / "synthetic.txt"
    path.write_bytes(b"".join(session_lines(draw_plan(scenarios, ScenarioKind.AIR_POCKET, seed))))
    paper = paper_run(settings, [SourceFile(USDM, path)], tmp_path / "run.tape")
    sources = [source for source in paper.plan.sources if isinstance(source, SourceSettings)]
    depth = as_received(read_tape(sources, tape_clock(settings), quotes=False))
    backtest = run_backtest(replace(paper.plan, tape=depth))
    assert any(order.fills for order in backtest.summary.orders)
    assert decisions_hash(paper.journal) == decisions_hash(backtest.journal)


@pytest.mark.long
def test_another_crash_at_full_activity_is_traded_alike(tmp_path: Path) -> None:
    """An entry and its exit among them."""
    settings, files = made(tmp_path, CRASH + EAGER + WIDE, FALLING, 7, USDM)
    paper = paper_run(settings, files, tmp_path / "run.tape")
    sources = [source for source in paper.plan.sources if isinstance(source, SourceSettings)]
    depth = as_received(read_tape(sources, tape_clock(settings), quotes=False))
    backtest = run_backtest(replace(paper.plan, tape=depth))
    assert sum(bool(order.fills) for order in backtest.summary.orders)
    assert decisions_hash(paper.journal) == decisions_hash(backtest.journal) == CRASH_HASH
