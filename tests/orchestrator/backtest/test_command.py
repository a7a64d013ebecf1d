"""``tickwire backtest``: what it shows, what it writes, and how it ends."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from config.venues import VenueName
from orchestrator.cli.entry import main
from orchestrator.cli.exits import ExitCode
from sim.generator.recording import write_recordings
from sim.generator.settings import SECOND_NS, Coin, GeneratorSettings
from tests.orchestrator.backtest.market import PROFILE


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A profile file, in the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "maker.toml").write_text(PROFILE, encoding="utf-8")
    return "maker.toml"


def test_each_market_says_whether_it_was_generated(
    usdm: Path, profile: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of two recordings one is called what recordings are called, and stands for a real one here."""
    recorded = tmp_path / "spot.gz"
    market = GeneratorSettings(coins=(Coin.BTC,), duration_ns=2 * SECOND_NS)
    made = {file.venue: file.path for file in write_recordings(market, 11, tmp_path / "made")}
    made[VenueName.BINANCE_SPOT].rename(recorded)
    words = ["backtest", "--profile", profile, "--source", f"binance-usdm={made[VenueName.BINANCE_USDM]}"]
    assert main([*words, "--source", f"binance-spot={recorded}", "--out", "out", "--json"]) == ExitCode.DONE
    result = json.loads(capsys.readouterr().out)
    assert (result["synthetic"], result["synthetic_sources"]) == (True, ["binance-usdm"])
    generated = {market["market"]: market["synthetic"] for market in result["markets"]}
    assert sorted(generated.values()) == [False, True]
    for row in pq.read_table(tmp_path / "out/states.parquet").to_pylist():
        assert row["synthetic"] == generated[row["market"]] == ("usdm" in row["market"])


def test_a_backtest_is_shown_and_written(
    usdm: Path, profile: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["backtest", "--profile", profile, "--source", f"binance-usdm={usdm}", "--out", "out", "--queue", "power"]
    assert main([*words, "--json", "--check-lookahead", "2"]) == ExitCode.DONE
    result = json.loads(capsys.readouterr().out)
    assert result["synthetic"] is True
    assert result["model"]["queue"] == "power"
    assert result["lookahead"] == {"cuts": 2, "differences": []}
    assert json.loads((tmp_path / "out/result.json").read_text()) == result
    with (tmp_path / "out/trades.csv").open(newline="") as file:
        trades = list(csv.DictReader(file))
    assert len(trades) == sum(result["fills"].values()) == pq.read_table(tmp_path / "out/trades.parquet").num_rows > 0
    assert all(Decimal(row["price"]) * Decimal(row["quantity"]) == Decimal(row["notional"]) for row in trades)
    states = pq.read_table(tmp_path / "out/states.parquet").to_pylist()
    assert len({row["time_ns"] for row in states}) == len(states) >= 15
    assert not list((tmp_path / "out").glob(".*"))


def test_a_backtest_tells_people(usdm: Path, profile: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backtest", "--profile", profile, "--source", f"binance-usdm={usdm}"]) == ExitCode.DONE
    shown = capsys.readouterr().out
    for text in ("SYNTHETIC", "profit and loss", "BTCUSDT on binance-usdm", "run hash"):
        assert text in shown


def test_a_damaged_recording_is_run_as_far_as_it_goes(
    usdm: Path, profile: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = usdm.read_bytes()
    cut = tmp_path / usdm.name
    cut.write_bytes(content[: len(content) * 2 // 3])
    words = ["backtest", "--profile", profile, "--source", f"binance-usdm={cut}", "--json"]
    assert main(words) == ExitCode.CHECK_FAILED
    result = json.loads(capsys.readouterr().out)
    assert [(each["source"], each["reason"]) for each in result["damage"]] == [("binance-usdm", "cut off")]
    assert result["counts"]["events"] > 0
    assert main(words[:-1]) == ExitCode.CHECK_FAILED
    assert "binance-usdm is damaged" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--source", "binance-usdm=none.gz"], ExitCode.INPUT, "none.gz"),
        (["--source", "binance-usdm"], ExitCode.USAGE, "NAME=FILE"),
        (["--source", "binance-usdm=USDM", "--strategy", "guess"], ExitCode.USAGE, "guess"),
        (["--source", "binance-usdm=USDM", "--strategy", "market-making"], ExitCode.USAGE, "strategies.market_making"),
        (["--source", "binance-usdm=USDM", "--out", "maker.toml"], ExitCode.USAGE, "maker.toml"),
        (["--source", "binance-usdm=maker.toml"], ExitCode.INPUT, "maker.toml"),
        ([], ExitCode.USAGE, "--source"),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(
    usdm: Path,
    profile: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: ExitCode,
    said: str,
) -> None:
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert main(["backtest", *(word.replace("USDM", str(usdm)) for word in words)]) == code
    assert said in capsys.readouterr().err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
