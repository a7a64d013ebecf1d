"""``tickwire sweep``: a recording in, what every set of parameters finds out."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click
import numpy as np
import pyarrow.parquet as pq
import pytest

from config.loading import load_settings
from market.detector.detector import Detector
from market.detector.states import Reading, Signal
from orchestrator.cli.exits import ExitCode
from orchestrator.replay.plan import parse_source
from orchestrator.research.sweeps.recorded_events import RecordedEvents
from orchestrator.research.sweeps.thresholds import numbers, whole_numbers
from tests.orchestrator.cli.terminal import Terminal
from tests.orchestrator.replay.market_lines import spot_lines, write

SHORT = ("--baseline-seconds", "3", "--baseline-seconds", "5", "--warm-up-seconds", "2", "--volatility-seconds", "2")


def recording(terminal: Terminal, lines: int = 3_000) -> str:
    """A generated recording in the terminal's folder, as ``--source`` names it."""
    return f"binance-spot={write(terminal.folder / 'spot.gz', spot_lines(lines))}"


def test_every_set_is_what_the_detector_finds_in_the_recording(terminal: Terminal) -> None:
    source = recording(terminal)
    ended = terminal.run(
        "sweep", "--source", source, *SHORT, "--message-multiplier", "1.01:1.05:0.02", "--out", "s.parquet", "--json"
    )
    assert ended.code == ExitCode.DONE, ended.err
    market = next(market for market in ended.json["markets"] if market["events"])
    assert ended.json["sets"] == len(market["sets"]) == 6
    events = RecordedEvents(load_settings("demo", local=None, environment={}), parse_source(source))
    rows = np.concatenate([rows for number, rows in events.parts() if events.markets[number].name == market["market"]])
    [settings] = [each.settings for each in events.markets if each.name == market["market"]]
    assert market["events"] == len(rows)
    for found in market["sets"]:
        assert (found["indicator"], found["volatility_seconds"]) == ("message-velocity", 0)
        seconds, multiplier = found["baseline_seconds"], found["threshold"]
        changed = dataclasses.replace(
            settings, baseline_seconds=seconds, warm_up_seconds=2, message_multiplier=multiplier
        )
        readings, _ = Detector(changed).study(rows)
        fires = (readings[:, Reading.SIGNALS].astype(np.int64) & int(Signal.MESSAGE_VELOCITY)) != 0
        assert found["fired"] == fires.sum()
    written = pq.read_table(terminal.folder / "s.parquet").to_pylist()
    listed = [
        {"market": each["market"], **row, "events": each["events"]}
        for each in ended.json["markets"]
        for row in each["sets"]
    ]
    assert written == listed
    assert sorted(path.name for path in terminal.folder.iterdir()) == ["s.parquet", "spot.gz"]


def test_without_thresholds_all_indicators_are_swept_and_summed_up(terminal: Terminal) -> None:
    ended = terminal.run("sweep", "--source", recording(terminal, 400), "--threads", "1")
    assert ended.code == ExitCode.DONE
    assert "volatility-absolute" in ended.out
    assert "159 sets a market; --out or --json for every one" in ended.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--acceleration", "0.1"), "accelerations of a sweep has 0.1: must be below 0"),
        (("--imbalance", "low"), "--imbalance was 'low': must be a number, or FIRST:LAST:STEP"),
        (("--imbalance", "nan"), "--imbalance was 'nan'"),
        (("--spread-multiplier", "2:8"), "must be a number, or FIRST:LAST:STEP"),
        (("--spread-multiplier", "2:8:-1"), "where STEP leads from FIRST to LAST"),
        (("--spread-multiplier", "1:1000000:0.1"), "at most 10000"),
        (("--baseline-seconds", "60.5"), "--baseline-seconds has 60.5: must be whole numbers"),
        (("--baseline-seconds", "5"), "warm_up_seconds was 60"),
    ],
)
def test_impossible_values_are_refused_before_anything_is_read(
    terminal: Terminal, words: tuple[str, ...], says: str
) -> None:
    ended = terminal.run("sweep", "--source", "binance-spot=nowhere.gz", *words, "--out", "s.parquet")
    assert ended.code == ExitCode.USAGE
    assert says in ended.err
    assert not list(terminal.folder.iterdir())


def test_a_recording_that_is_not_there_or_empty_is_said(terminal: Terminal) -> None:
    assert terminal.run("sweep", "--source", "binance-spot=nowhere.gz").code == ExitCode.INPUT
    write(terminal.folder / "empty.gz", [])
    ended = terminal.run("sweep", "--source", "binance-spot=empty.gz", "--out", "s.parquet")
    assert ended.code == ExitCode.INPUT
    assert not (terminal.folder / "s.parquet").exists()


def test_ranges_are_exact_and_values_come_once() -> None:
    assert numbers("--x", ("0.1:0.5:0.1", "0.3", "7")) == (0.1, 0.2, 0.3, 0.4, 0.5, 7.0)
    assert numbers("--x", ("-0.5:-0.4:0.05",)) == (-0.5, -0.45, -0.4)
    assert whole_numbers("--x", ("10:30:10",)) == (10, 20, 30)
    with pytest.raises(click.UsageError):
        numbers("--x", ("1:2:0",))


def test_a_real_recording_in_parts_has_all_of_its_events(data: Path) -> None:
    path = data / "binance-20240808" / "spot_btcusdt_20240808.gz"
    events = RecordedEvents(load_settings("demo", local=None, environment={}), parse_source(f"binance-spot={path}"))
    taken = {events.markets[number].name: len(rows) for number, rows in events.parts()}
    assert taken == {"binance-spot BTCUSDT": 41_243}
    assert events.damage == 0
