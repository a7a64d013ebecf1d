"""``tickwire vpin``: recordings and files of trades in, series and a study out."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from config.loading import load_settings
from gpu.classification import Distribution, Rule
from gpu.cuda_on_cpu.module import CpuModule
from gpu.vpin import vpin
from market.signals.vpin import bucket_imbalances, imbalance_sums
from orchestrator.cli.exits import ExitCode
from orchestrator.replay.plan import parse_source, session_settings
from orchestrator.research.recorded_trades import RecordedTrades
from orchestrator.research.trade_files import TradeFile
from orchestrator.research.trade_parts import TradedMarket
from orchestrator.research.vpin_run import BarLength, VpinPlan, compute_vpin, first_reading
from tests.gpu.small_device import SmallDevice
from tests.gpu.trade_columns import random_trades
from tests.orchestrator.cli.terminal import Terminal
from tests.orchestrator.replay.market_lines import START_NS, line, spot_lines, spot_quote, spot_trade, write

RECORDINGS = {
    "binance-spot BTCUSDT": ("binance-spot", "spot_btcusdt"),
    "binance-usdm BTCUSDT": ("binance-usdm", "usdm_btcusdt"),
    "binance-spot ETHUSDT": ("binance-spot", "spot_ethusdt"),
    "binance-usdm ETHUSDT": ("binance-usdm", "usdm_ethusdt"),
}
ALL = ("flag", "flag-or-quote", "quote", "tick", "bulk-normal", "bulk-student")


def trade_table(rows: int, seed: int = 1) -> pa.Table:
    trades = random_trades(rows, seed)
    assert trades.aggressors is not None
    return pa.table(
        {
            "time_ns": trades.times_ns,
            "price": trades.prices / 100,
            "quantity": trades.quantities / 1000,
            "aggressor": trades.aggressors,
        }
    )


def words(*options: str) -> tuple[str, ...]:
    return ("vpin", *options, "--price-decimals", "2", "--quantity-decimals", "3")


def result_of(terminal: Terminal, *options: str) -> dict[str, Any]:
    ended = terminal.run(*options, "--json")
    assert ended.code == ExitCode.DONE, ended.err
    return ended.json


def test_a_parquet_file_gives_the_series_of_its_trades(terminal: Terminal) -> None:
    pq.write_table(trade_table(3_000), terminal.folder / "trades.parquet")
    result = result_of(
        terminal, *words("--trades", "A=trades.parquet", "--bucket", "5", "--window", "3", "--out", "out")
    )
    [expected] = vpin({"A": random_trades(3_000)}, bucket_lots=[5_000], windows=[3])
    assert result["trades"] == {"A": 3_000}
    [series] = result["series"]
    assert (series["bucket_lots"], series["buckets"], series["unknown_lots"]) == (
        5_000,
        len(expected),
        expected.unknown_lots,
    )
    assert series["vpin"]["max"] == np.nanmax(expected.vpin)
    written = pq.read_table(terminal.folder / "out" / "vpin.parquet")
    assert np.array_equal(written["vpin_3"].to_numpy(), expected.vpin[0], equal_nan=True)
    assert np.array_equal(written["time_ns"].to_numpy(), expected.times_ns)
    assert np.array_equal(written["bought_lots"].to_numpy(), expected.bought)
    assert json.loads((terminal.folder / "out" / "result.json").read_text()) == result
    assert sorted(path.name for path in (terminal.folder / "out").iterdir()) == ["result.json", "vpin.parquet"]


def test_csv_columns_have_the_names_that_the_user_gives(terminal: Terminal) -> None:
    rows = ["id,px,qty,when,maker", "1,10.01,0.5,1700000000000,true", "2,10.02,1.5,1700000000500,false"]
    (terminal.folder / "trades.csv").write_text("\n".join(rows) + "\n")
    named = [f"--column={pair}" for pair in ("price=px", "quantity=qty", "time_ms=when", "is_buyer_maker=maker")]
    result = result_of(
        terminal, *words("--trades", "A=trades.csv", *named, "--bucket", "1", "--window", "1", "--out", "out")
    )
    assert result["series"][0]["buckets"] == 2
    table = pq.read_table(terminal.folder / "out" / "vpin.parquet")
    assert table["bought_lots"].to_pylist() == [500, 1000]
    assert table["time_ns"].to_pylist() == [1_700_000_000_500_000_000] * 2
    assert table["price"].to_pylist() == [10.02, 10.02]


@pytest.mark.parametrize("part_rows", [1, 7, 1_000])
def test_files_larger_than_what_is_held_give_the_same_series(tmp_path: Path, part_rows: int) -> None:
    path = tmp_path / "trades.parquet"
    pq.write_table(trade_table(2_000), path, row_group_size=311)
    market = TradedMarket("A", 2, 3)
    plan = VpinPlan(
        windows=(1, 20),
        rules=(Rule.FLAG, Rule.TICK),
        distributions=tuple(Distribution),
        bars=(BarLength(seconds=1.0), BarLength(volume=2.0)),
    )

    def run(rows: int) -> Any:
        sources = [TradeFile(path, market, part_rows=rows)]
        samples = first_reading(sources, plan, lambda count: None)
        return compute_vpin(sources, samples, plan, lambda market, found: None, lambda count: None)

    whole, parts = run(1 << 20), run(part_rows)
    assert len(whole.series) == 6
    for one, other in zip(parts.series, whole.series, strict=True):
        assert str(one.series.classifier) == str(other.series.classifier)
        assert one.series.sigma_ticks == other.series.sigma_ticks
        assert np.array_equal(one.series.bought, other.series.bought)
        assert np.array_equal(one.series.times_ns, other.series.times_ns)
        assert np.array_equal(one.series.vpin, other.series.vpin, equal_nan=True)
    assert all(np.array_equal(a, b) for a, b in zip(parts.paths["A"], whole.paths["A"], strict=True))


def test_a_recording_gives_its_trades_once_with_the_quotes_before_them(tmp_path: Path) -> None:
    lines = [
        line(0, spot_trade(1, "61700.00")),
        line(1, spot_quote(6, "61699.00", "61701.00")),
        line(2, spot_trade(2, "61701.00", "0.25")),
        line(3, spot_trade(2, "61701.00", "0.25")),
        line(4, spot_quote(7, "61700.00", "61700.02", "0")),
        line(4, spot_trade(3)),
        "no line\n",
    ]
    source = parse_source(f"binance-spot={write(tmp_path / 'spot.txt', lines)}")
    settings = session_settings(load_settings("demo", local=None, environment={}), [source])
    [(market, trades)] = RecordedTrades(settings.sources[0]).parts()
    assert market == TradedMarket("binance-spot BTCUSDT", 2, 8)
    assert (trades.times_ns - START_NS).tolist() == [0, 2_000_000, 4_000_000]
    assert trades.prices.tolist() == [6_170_000, 6_170_100, 6_170_000]
    assert trades.quantities.tolist() == [50_000_000, 25_000_000, 50_000_000]
    assert trades.bids is not None
    assert trades.asks is not None
    assert trades.bids.tolist() == [0, 6_169_900, 0]
    assert trades.asks.tolist() == [0, 6_170_100, 0]


def test_the_table_and_the_note_are_for_people(terminal: Terminal) -> None:
    write(terminal.folder / "spot.txt", spot_lines(900))
    ended = terminal.run("vpin", "--source", "binance-spot=spot.txt", "--bucket", "2", "--window", "2")
    assert ended.code == ExitCode.DONE
    assert "binance-spot BTCUSDT  flag" in ended.out
    assert "it is disputed what it adds" in ended.out


@pytest.mark.parametrize(
    ("options", "text", "code"),
    [
        ((), "name what to read", ExitCode.USAGE),
        (("--trades", "trades.parquet"), "must be NAME=FILE", ExitCode.USAGE),
        (("--trades", "A=there-is-none.parquet"), "there-is-none.parquet is not there", ExitCode.INPUT),
        (("--trades", "A=there-is-none.csv"), "there-is-none.csv is not there", ExitCode.INPUT),
        (("--trades", "A=text.parquet"), "text.parquet cannot be read", ExitCode.INPUT),
        (("--trades", "A=trades.parquet", "--column", "price=cost"), "there is no column 'cost'", ExitCode.INPUT),
        (("--trades", "A=text.csv"), "needs one column price; there are time_ns, hello", ExitCode.INPUT),
        (("--trades", "A=empty.parquet"), "no trades in there", ExitCode.INPUT),
        (("--trades", "A=trades.parquet", "--bucket", "0.0004"), "of 0.0004 is less than a lot, 0.001", ExitCode.INPUT),
        (("--trades", "A=trades.parquet", "--bar", "60"), "--bar was '60'", ExitCode.USAGE),
        (("--trades", "A=trades.parquet", "--classifier", "quote"), "reads bids and asks", ExitCode.INPUT),
        (("--trades", "A=trades.parquet", "--column", "cost=price"), "--column was", ExitCode.USAGE),
        (("--trades", "A=trades.parquet", "--plots"), "--plots needs --out", ExitCode.USAGE),
        (("--trades", "A=trades.parquet", "--backend", "gpu"), "backend='cpu'", ExitCode.MISSING),
        (("--trades", "A=cents.parquet"), "price[1] is 1.005: must be a number of at most 2 decimals", ExitCode.INPUT),
        (("--trades", "A=nan.parquet"), "price[1] is nan", ExitCode.INPUT),
        (("--trades", "A=late.parquet"), "part from row 0 on: times_ns[1] is 0, before", ExitCode.INPUT),
    ],
)
def test_bad_input_is_refused_and_leaves_no_file(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], text: str, code: ExitCode
) -> None:
    monkeypatch.setenv("TICKWIRE_GPU", "0")
    pq.write_table(trade_table(50), terminal.folder / "trades.parquet")
    pq.write_table(trade_table(0), terminal.folder / "empty.parquet")
    base = {"time_ns": [1, 2], "price": [1.0, 1.01], "quantity": [1.0, 1.0], "aggressor": [1, 2]}
    changes: dict[str, dict[str, Any]] = {
        "cents": {"price": [1.0, 1.005]},
        "nan": {"price": [1.0, float("nan")]},
        "late": {"time_ns": [1, 0]},
    }
    for name, changed in changes.items():
        pq.write_table(pa.table({**base, **changed}), terminal.folder / f"{name}.parquet")
    (terminal.folder / "text.parquet").write_text("no table")
    (terminal.folder / "text.csv").write_text("time_ns,hello\n1,2\n")
    out = () if "--plots" in options else ("--out", "out")
    ended = terminal.run(*words(*options, *out))
    assert text in ended.err
    assert ended.code == code
    assert not (terminal.folder / "out").exists()


def test_a_gpu_fills_the_same_buckets(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    pq.write_table(trade_table(3_000), terminal.folder / "trades.parquet")
    options = words(
        "--trades", "A=trades.parquet", "--classifier", "flag", "--classifier", "bulk-normal", "--bar", "2s"
    )
    expected = result_of(terminal, *options)
    launches = list[str]()

    class Counting(CpuModule):
        def launch(self, kernel: str, *arguments: Any) -> None:
            """As asked for, and kept."""
            launches.append(kernel)
            super().launch(kernel, *arguments)

    monkeypatch.setattr("gpu.backend.require_gpu", SmallDevice)
    monkeypatch.setattr("gpu.device_scan.require_gpu", SmallDevice)
    monkeypatch.setattr("gpu.device_scan.CupyModule", Counting)
    assert result_of(terminal, *options, "--backend", "gpu") == expected
    assert {"tile_scan_int32", "tile_scan_bars"} <= set(launches)


def test_plots_are_drawn_for_every_series(terminal: Terminal) -> None:
    pq.write_table(trade_table(3_000), terminal.folder / "trades.parquet")
    options = ("--window", "5", "--window", "10", "--horizon", "1", "--out", "out", "--plots")
    result = result_of(terminal, *words("--trades", "A b/c=trades.parquet", "--bucket", "5", *options))
    assert result["plots"] == ["vpin-1-A-b-c-flag-n5.png", "vpin-1-A-b-c-flag-n10.png"]
    for name in result["plots"]:
        assert (terminal.folder / "out" / name).read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_the_missing_extra_is_named(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    ended = terminal.run(*words("--trades", "A=trades.parquet", "--out", "out", "--plots"))
    assert ended.code == ExitCode.MISSING
    assert "pip install 'tickwire[plots]'" in ended.err


@pytest.mark.parametrize("name", RECORDINGS)
def test_the_recordings_of_2024_08_08(terminal: Terminal, data: Path, name: str) -> None:
    venue, file = RECORDINGS[name]
    path = data / "binance-20240808" / f"{file}_20240808.gz"
    options = [f"--classifier={classifier}" for classifier in ALL]
    result = result_of(terminal, "vpin", "--source", f"{venue}={path}", *options, "--bar", "1s", "--horizon", "60")
    assert [series["market"] for series in result["series"]] == [name] * 6
    assert all(0.0 <= series["vpin"]["min"] <= series["vpin"]["max"] <= 1.0 for series in result["series"])
    assert result["damage"] == 0


def test_a_recording_gives_the_vpin_of_the_signals(data: Path) -> None:
    path = data / "binance-20240808" / "spot_btcusdt_20240808.gz"
    settings = session_settings(
        load_settings("demo", local=None, environment={}), [parse_source(f"binance-spot={path}")]
    )
    parts = [trades for _, trades in RecordedTrades(settings.sources[0]).parts()]
    quantities = np.concatenate([part.quantities for part in parts])
    sides = np.concatenate([part.aggressors for part in parts if part.aggressors is not None]).astype(np.int64)
    size = int(quantities.sum()) // 200
    source = [RecordedTrades(settings.sources[0])]
    plan = VpinPlan()
    samples = first_reading(source, plan, lambda count: None)
    outcome = compute_vpin(source, samples, plan, lambda market, found: None, lambda count: None)
    [whole] = outcome.series
    imbalances = bucket_imbalances(quantities, sides, size)
    assert whole.series.bucket_lots == size
    assert np.array_equal(np.abs(whole.series.imbalances), imbalances)
    assert np.array_equal(whole.series.vpin[0, 49:], imbalance_sums(imbalances, 50) / (50 * size))
    known = whole.series.vpin[0, 49:]
    assert [round(float(value), 3) for value in (known.min(), known.mean(), known.max())] == [0.531, 0.795, 0.907]
