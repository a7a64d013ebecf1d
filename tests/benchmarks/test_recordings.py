"""Without recordings a generated market stands in, and every row that comes of it says so."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks import recordings
from benchmarks.harness import Report
from benchmarks.readme import newest_rows
from benchmarks.recordings import load_recording
from config.venues import VenueName
from market.errors import MissingInput
from sim.generator.settings import SECOND_NS, Coin, GeneratorSettings

SHORT = GeneratorSettings(coins=tuple(Coin), duration_ns=SECOND_NS)


@pytest.fixture
def without_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("TICKWIRE_DATA", raising=False)
    monkeypatch.setattr(recordings, "cache_root", lambda: tmp_path)
    monkeypatch.setattr(recordings, "_GENERATED", SHORT)
    return tmp_path


@pytest.mark.parametrize("coin", Coin)
def test_a_generated_market_stands_in(without_data: Path, coin: Coin) -> None:
    report = Report("any", rounds=1)
    recording = load_recording(coin, report)
    assert recording.synthetic
    assert [source.name for source in recording.sources] == ["binance-spot", "binance-usdm", "binance-cm"]
    assert f"{coin}USDT".encode() in recording.text(VenueName.BINANCE_SPOT)
    assert len(list(without_data.rglob("synthetic-7-*.gz"))) == 6
    report.against_target("a case", "ns", [1.0], 2.0)
    report.compare("another", "ns", [1.0], "peer", [3.0])
    assert [row.case for row in report.rows] == ["a case, synthetic", "another, synthetic"]


def test_it_is_generated_once(without_data: Path) -> None:
    load_recording(Coin.BTC, Report("any", rounds=1))
    made = {path: path.stat().st_mtime_ns for path in without_data.rglob("*.gz")}
    load_recording(Coin.ETH, Report("any", rounds=1))
    assert {path: path.stat().st_mtime_ns for path in without_data.rglob("*.gz")} == made


def test_synthetic_rows_stay_out_of_readme(without_data: Path, tmp_path: Path) -> None:
    report = Report("any", rounds=1)
    report.against_target("a case", "ns", [1.0], 2.0)
    load_recording(Coin.BTC, report)
    report.against_target("a case", "ns", [5.0], 2.0)
    rows = [json.dumps(asdict(row)) for row in report.rows]
    (tmp_path / "any.jsonl").write_text("\n".join(rows) + "\n")
    assert [(row["case"], row["ours"]) for row in newest_rows(tmp_path)] == [("a case", 1.0)]


def test_recordings_are_not_called_synthetic(data: Path) -> None:
    report = Report("any", rounds=1)
    assert not load_recording(Coin.BTC, report).synthetic
    report.against_target("a case", "ns", [1.0], 2.0)
    assert report.rows[0].case == "a case"


def test_a_folder_without_recordings_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKWIRE_DATA", str(tmp_path))
    with pytest.raises(MissingInput, match="must name the folder that holds"):
        load_recording(Coin.BTC, Report("any", rounds=1))
