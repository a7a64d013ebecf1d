"""``tickwire import``: what it writes is what the archive had, and what other commands read."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from config.loading import load_settings
from config.venues import VenueName
from orchestrator.backtest.plan import read_plan
from orchestrator.cli.entry import main
from orchestrator.cli.exits import ExitCode
from orchestrator.importing import run as import_run
from orchestrator.replay.plan import SourceFile
from sim.backtest.layout import TAPE_KIND, TRADE_ID, TRADE_LOTS, TRADE_PRICE, TapeKind
from sim.generator.recording import is_synthetic
from tests.sim.archive.archived import HEADER, NAME, spot_text, trades, write_zip
from tests.sim.archive.test_bars import slow_bars
from tests.sim.archive.test_reader import expected

RECORDING = "out/synthetic-binance-spot-BTCUSDT.gz"
MAKER = """
extends = "demo"

[strategies]
active = ["market-making"]

[strategies.market_making]
instrument = "BTC"
venue = "binance-spot"
quantity = 0.01
inventory_limit = 0.1
spread = 0.00001
vpin_bucket = 1_000
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *words: str, code: ExitCode = ExitCode.DONE) -> dict[str, Any]:
    assert main([*words, "--json"]) == code
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def test_trades_and_bars_are_those_of_the_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = trades(2_000)
    result = run(capsys, "import", str(write_zip(folder, spot_text(made))), "--out", "out")
    assert (result["venue"], result["rows"], result["trades"]) == ("binance-spot", 2_000, 2_000)
    assert result["files"] == [{"name": f"{NAME}.zip", "checksum": "verified"}]
    assert sorted(path.name for path in (folder / "out").iterdir()) == sorted(result["written"])
    assert json.loads((folder / "out/BTCUSDT-import.json").read_text()) == result

    table = pq.read_table(folder / "out/BTCUSDT-trades.parquet")
    assert table.schema.metadata[b"tickwire.price_decimals"] == b"2"
    assert table.column("price").to_pylist() == [Decimal(trade.price).scaleb(-2) for trade in made]
    assert table.column("quantity").to_pylist() == [Decimal(trade.lots).scaleb(-8) for trade in made]
    assert table.column("time_ns").to_pylist() == [trade.time_us * 1_000 for trade in made]
    assert table.column("aggressor").to_pylist() == [2 if trade.is_sell else 1 for trade in made]
    assert table.column("id").to_pylist() == [trade.number for trade in made]

    bars = pq.read_table(folder / "out/BTCUSDT-bars-1s.parquet").to_pylist()
    units = (0, -2, -2, -2, -2, -8, -8, 0)
    slow = [
        [Decimal(value).scaleb(unit) for value, unit in zip(bar, units, strict=True)]
        for bar in slow_bars(expected(made))
    ]
    assert [list(bar.values()) for bar in bars] == slow
    assert result["bars"] == len(slow)


def test_other_commands_take_what_was_imported(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = trades(3_000)
    imported = run(capsys, "import", str(write_zip(folder, spot_text(made))), "--out", "out")
    assert imported["synthetic_book"]["label"].startswith("synthetic")
    lines = gzip.decompress(Path(RECORDING).read_bytes()).decode("ascii").splitlines()
    sent = [json.loads(line.partition(" ")[2])["data"] for line in lines]
    found = [
        (each["a"], Decimal(each["p"]), Decimal(each["q"]), each["m"]) for each in sent if each.get("e") == "aggTrade"
    ]
    assert found == [(t.number, Decimal(t.price).scaleb(-2), Decimal(t.lots).scaleb(-8), t.is_sell) for t in made]

    replayed = run(capsys, "replay", "--source", f"binance-spot={RECORDING}", "--no-signals")
    source = replayed["sources"]["binance-spot"]
    assert replayed["synthetic"] is True
    assert source["messages"] == len(lines)
    assert (source["gaps"], source["rejects"], source["synchronised"]) == (0, {}, True)
    assert source["book_equal"] == source["book_checks"] > 100

    (folder / "maker.toml").write_text(MAKER, encoding="utf-8")
    words = ("backtest", "--profile", "maker.toml", "--source", f"binance-spot={RECORDING}")
    backtest = run(capsys, *words)
    assert backtest["synthetic"] is True
    assert not backtest["gaps"]
    assert not backtest["damage"]
    assert backtest["counts"]["events"] > 0
    assert run(capsys, *words)["run_hash"] == backtest["run_hash"]

    settings = load_settings("maker.toml")
    tape = read_plan(settings, [SourceFile(VenueName.BINANCE_SPOT, Path(RECORDING))]).tape
    traded = tape.rows[tape.rows[:, TAPE_KIND] == TapeKind.TRADE]
    columns = [TRADE_ID, TRADE_PRICE, TRADE_LOTS]
    assert traded[:, columns].tolist() == [[trade.number, trade.price, trade.lots] for trade in made]

    series = [
        run(capsys, "vpin", *words, "--bucket", "0.1")["series"][0]
        for words in (("--trades", "BTC=out/BTCUSDT-trades.parquet"), ("--source", f"binance-spot={RECORDING}"))
    ]
    assert series[0]["buckets"] == sum(trade.lots for trade in made) // 10**7 > 50
    assert all(series[0][name] == series[1][name] for name in ("buckets", "vpin", "threshold", "entries"))


def test_the_same_trades_give_the_same_bytes_and_renaming_does_not_hide_what_they_are(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = str(write_zip(folder, spot_text(trades(500))))
    run(capsys, "import", source, "--out", "out")
    first = Path(RECORDING).read_bytes()
    run(capsys, "import", source, "--out", "out", "--overwrite")
    assert Path(RECORDING).read_bytes() == first
    renamed = Path(RECORDING).rename(folder / "real.gz")
    assert is_synthetic(renamed)
    assert not is_synthetic(Path(source))
    assert not is_synthetic(folder / "none.gz")


def test_futures_of_both_margins_are_told_apart(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = trades(600)
    usdm = "\n".join([HEADER, *(trade.futures() for trade in made)])
    name = "BTCUSDT-aggTrades-2025-10-10"
    result = run(capsys, "import", str(write_zip(folder, usdm, name)), "--out", "usdm")
    assert (result["venue"], result["price_decimals"], result["quantity_decimals"]) == ("binance-usdm", 1, 3)
    contracts = "\n".join(",".join((*row.split(",")[:2], "7", *row.split(",")[3:])) for row in usdm.splitlines()[1:])
    name = "BTCUSD_PERP-aggTrades-2025-10-10"
    result = run(capsys, "import", str(write_zip(folder, contracts, name)), "--out", "cm")
    assert (result["venue"], result["quantity_decimals"]) == ("binance-cm", 0)
    for venue, path in (("binance-usdm", "usdm/synthetic-binance-usdm-BTCUSDT.gz"),
                        ("binance-cm", "cm/synthetic-binance-cm-BTCUSD_PERP.gz")):  # fmt: skip
        source = run(capsys, "replay", "--source", f"{venue}={path}", "--no-signals")["sources"][venue]
        assert (source["gaps"], source["rejects"], source["synchronised"]) == (0, {}, True)
        assert source["book_equal"] == source["book_checks"] > 20


def test_days_are_chosen_and_bad_rows_end_with_a_check_that_failed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = folder / "archive"
    lines = spot_text(trades(400)).splitlines()
    write_zip(archive, "\n".join([*lines[:5], lines[4], "nonsense", *lines[7:]]))
    later = trades(300, seed=5, start_ms=1_760_140_800_000, first_id=500)
    write_zip(archive, spot_text(later), "BTCUSDT-aggTrades-2025-10-11")
    words = ("import", "archive", "--no-book")
    day = run(capsys, *words, "--out", "day", "--from", "2025-10-11")
    assert (day["trades"], day["first_ns"]) == (300, later[0].time_us * 1_000)
    both = run(capsys, *words, "--out", "both", code=ExitCode.CHECK_FAILED)
    assert both["refused"] == {
        "columns": {"rows": 1, "first": f"{NAME}.zip, line 7"},
        "duplicate": {"rows": 1, "first": f"{NAME}.zip, line 6"},
    }
    assert (both["gaps"], both["missing_ids"], both["trades"]) == (1, 2, 698)
    assert "synthetic_book" not in both
    assert not list((folder / "both").glob("synthetic*"))


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["none.zip"], ExitCode.INPUT, "none.zip is not there"),
        (["broken.zip", "--symbol", "BTCUSDT"], ExitCode.INPUT, "no whole zip"),
        (["changed.zip", "--symbol", "BTCUSDT"], ExitCode.INPUT, "SHA-256"),
        (["empty.csv", "--symbol", "BTCUSDT", "--venue", "binance-spot"], ExitCode.INPUT, "empty"),
        (["words.csv", "--symbol", "BTCUSDT", "--venue", "binance-spot"], ExitCode.INPUT, "line 2"),
        (["names.csv", "--symbol", "BTCUSDT", "--venue", "binance-spot"], ExitCode.INPUT, "first lines of names"),
        (["empty.csv"], ExitCode.USAGE, "--symbol"),
        ([f"{NAME}.zip", "--symbol", "ETHUSDT"], ExitCode.USAGE, "one symbol at a time"),
        ([f"{NAME}.zip", "--venue", "binance-usdm", "--price-decimals", "2", "--quantity-decimals", "8"],
         ExitCode.INPUT, "--venue"),
        ([f"{NAME}.zip", "--price-decimals", "0"], ExitCode.INPUT, "--price-decimals"),
        (["DOGEUSDT-aggTrades-2025-10-10.zip"], ExitCode.USAGE, "profile has no DOGEUSDT"),
        (["nothing"], ExitCode.INPUT, "holds no file"),
        ([f"{NAME}.zip", "--from", "2025-10-11", "--to", "2025-10-10"], ExitCode.USAGE, "is before"),
        ([f"{NAME}.zip", "--from", "2025-10-12"], ExitCode.INPUT, "none of 50"),
        ([f"{NAME}.zip", "--out", "full"], ExitCode.INPUT, "--overwrite"),
    ],
)  # fmt: skip
def test_bad_input_is_named_and_nothing_is_written(
    words: list[str], code: ExitCode, said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = spot_text(trades(50))
    write_zip(folder, text)
    write_zip(folder, text, "DOGEUSDT-aggTrades-2025-10-10")
    (folder / "broken.zip").write_bytes((folder / f"{NAME}.zip").read_bytes()[:300])
    changed = write_zip(folder, text, "changed")
    changed.write_bytes(changed.read_bytes() + b" ")
    (folder / "empty.csv").write_bytes(b"")
    (folder / "names.csv").write_bytes(b"hello\n")
    (folder / "words.csv").write_bytes(b"agg_trade_id\nsome,words\n")
    (folder / "nothing").mkdir()
    (folder / "full").mkdir()
    (folder / "full/BTCUSDT-trades.parquet").write_bytes(b"older")
    assert main(["import", *(["--out", "out"] if "--out" not in words else []), *words]) == code
    assert said in capsys.readouterr().err
    assert not (folder / "out").exists()
    assert [path.name for path in (folder / "full").iterdir()] == ["BTCUSDT-trades.parquet"]


def test_an_interrupted_import_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(rows: object, plan: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(import_run, "_in_days", interrupt)
    source = str(write_zip(folder, spot_text(trades(50))))
    assert main(["import", source, "--out", "out"]) == ExitCode.INTERRUPTED
    assert "nothing was written" in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_people_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(write_zip(folder, spot_text(trades(50)))), "--out", "out"]) == ExitCode.DONE
    shown = capsys.readouterr().out
    for text in ("BTCUSDT on binance-spot", "compared with a checksum", "SYNTHETIC BOOK"):
        assert text in shown
    assert np.int64(50) == pq.read_metadata(folder / "out/BTCUSDT-trades.parquet").num_rows
