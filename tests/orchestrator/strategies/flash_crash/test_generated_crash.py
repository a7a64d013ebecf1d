"""On generated markets: a crash is traded only while it lasts, the same way twice; a quiet market not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from config.loading import load_settings
from config.venues import VenueName
from market.detector.states import State
from market.detector.transitions import Transition
from market.orders.kinds import Side
from orchestrator.backtest.plan import read_plan
from orchestrator.backtest.run import BacktestRun, run_backtest
from orchestrator.cli.entry import main
from orchestrator.cli.exits import ExitCode
from orchestrator.replay.plan import SourceFile
from orchestrator.strategies.flash_crash.plan import flash_crash_traders
from orchestrator.strategies.flash_crash.trader import FlashCrash
from orchestrator.strategies.sizing import FullSize
from sim.generator.recording import write_recordings
from sim.generator.settings import SECOND_NS, Coin, CrashSettings, GeneratorSettings

USDM = VenueName.BINANCE_USDM
PROFILE = """
extends = "demo"
[strategies]
active = ["flash-crash"]
[strategies.flash_crash.markets.btc]
instrument = "BTC"
venue = "binance-usdm"
capital_quote = 10_000
"""
WIDE = """
[risk.guards]
spread_multiple = 1_000
[instruments.BTC]
collar_pct = 50
maximum_notional_quote = 5_000
"""
"""A crash leaves the bounds of the demo, and pauses it for its spread."""
EAGER = """
[detector.optimized]
recovery_confirm_ms = 12_000
[strategies.flash_crash.optimized]
entry_score = 20
lowered_entry_score = 20
volume_multiple = 0
minimum_range = 0.0001
entry_percentile = 0.6
exit_percentile = 0.95
entry_lifetime_ms = 2_000
"""
"""The generated rebound rises without coming back. So that there is something to leave, the event lasts into the calm
after it, and nearly every rising candle is bought."""
CRASH = CrashSettings(
    at_ns=66 * SECOND_NS, drop_bps=1_500, fall_ns=8 * SECOND_NS, rebound_percent=70, rebound_ns=12 * SECOND_NS
)


def recording(folder: Path, duration_s: int, crash: CrashSettings | None, seed: int = 3, activity: int = 25) -> Path:
    settings = GeneratorSettings(
        coins=(Coin.BTC,), activity_percent=activity, duration_ns=duration_s * SECOND_NS, crash=crash
    )
    return next(file.path for file in write_recordings(settings, seed, folder) if file.venue is USDM)


@pytest.fixture(scope="module")
def crash(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recording(tmp_path_factory.mktemp("crash"), 100, CRASH)


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Writes a profile into the working directory."""
    monkeypatch.chdir(tmp_path)

    def written(text: str) -> Path:
        (tmp_path / "crash.toml").write_text(text, encoding="utf-8")
        return tmp_path / "crash.toml"

    return written


def traded(path: Path, profile: Path) -> tuple[BacktestRun, FlashCrash, list[Transition]]:
    settings = load_settings(profile, local=None, environment={})
    plan = read_plan(settings, [SourceFile(USDM, path)])
    [trader] = flash_crash_traders(settings, plan.catalogue, FullSize())
    run = run_backtest(plan, [trader])
    return run, trader, list(trader.take_transitions())


def check_sleep(run: BacktestRun, transitions: list[Transition]) -> None:
    """Nothing is bought outside ACTIVE, and nothing is held or works from the end of RECOVERY on."""
    spans = [
        (one.time_ns, next(other.time_ns for other in transitions if other.time_ns > one.time_ns))
        for one in transitions
        if one.after is State.ACTIVE
    ]
    asleep_ns = max(one.time_ns for one in transitions if one.before is State.RECOVERY and one.after is State.SLEEP)
    for order in run.summary.orders:
        if order.intent.side is Side.BUY:
            assert any(start <= order.intent.decided_ns < end for start, end in spans)
        assert order.ended_ns < asleep_ns
        assert all(fill.receive_ns < asleep_ns for fill in order.fills)
    assert all(not position.quantity for position in run.summary.positions.values())
    assert all(not account.position for account in run.accounts)


@pytest.mark.long
def test_a_crash_is_traded_only_while_it_lasts_and_twice_the_same(tmp_path: Path, write: Callable[[str], Path]) -> None:
    crash = recording(tmp_path, 130, CrashSettings(at_ns=80 * SECOND_NS), seed=7, activity=100)
    profile = write(PROFILE + EAGER + WIDE)
    first, trader, transitions = traded(crash, profile)
    assert [one.after for one in transitions][-4:] == [State.ALERT, State.ACTIVE, State.RECOVERY, State.SLEEP]
    assert trader.closed
    check_sleep(first, transitions)
    again, _, repeated = traded(crash, profile)
    assert again.run_hash == first.run_hash
    assert [one.time_ns for one in repeated] == [one.time_ns for one in transitions]


@pytest.mark.long
def test_with_the_profile_as_it_is(crash: Path, write: Callable[[str], Path]) -> None:
    run, trader, transitions = traded(crash, write(PROFILE + WIDE))
    check_sleep(run, transitions)
    assert trader.scores
    assert run.summary.orders


@pytest.mark.long
def test_a_quiet_market_is_left_alone(tmp_path: Path, write: Callable[[str], Path]) -> None:
    run, trader, transitions = traded(recording(tmp_path, 150, None), write(PROFILE + EAGER + WIDE))
    assert not run.summary.orders
    assert not trader.rejections
    assert State.ACTIVE not in [one.after for one in transitions]


def test_the_command_runs_it(tmp_path: Path, write: Callable[[str], Path], capsys: pytest.CaptureFixture[str]) -> None:
    path = recording(tmp_path, 5, None)
    write(PROFILE)
    words = ["backtest", "--profile", "crash.toml", "--source", f"{USDM}={path}", "--strategy", "flash-crash"]
    assert main([*words, "--out", "out", "--json"]) == ExitCode.DONE
    result = json.loads(capsys.readouterr().out)
    assert result["strategies"] == ["flash-crash"]
    assert result["orders"] == {}
    assert (tmp_path / "out/states.csv").stat().st_size > 0
    assert (tmp_path / "out/trades.csv").read_text(encoding="utf-8").count("\n") == 1


def test_the_command_says_what_is_missing(
    tmp_path: Path, write: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    write('extends = "demo"\n')
    words = ["backtest", "--profile", "crash.toml", "--source", f"{USDM}=none.gz", "--strategy", "flash-crash"]
    assert main(words) == ExitCode.USAGE
    assert "strategies.flash_crash.markets" in capsys.readouterr().err
