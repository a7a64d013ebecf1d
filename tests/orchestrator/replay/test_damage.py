"""A damaged recording is replayed to its end; each kind of damage is counted, with file and line of the first."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cli.entry import main
from tests.orchestrator.replay import market_lines as lines


def replay(capsys: pytest.CaptureFixture[str], path: Path, *options: str) -> tuple[int, dict[str, Any]]:
    code = main(["replay", "--source", f"binance-spot={path}", "--json", *options])
    return code, json.loads(capsys.readouterr().out)


def spot(result: dict[str, Any]) -> dict[str, Any]:
    source: dict[str, Any] = result["sources"]["binance-spot"]
    return source


def test_a_sound_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, result = replay(capsys, lines.write(tmp_path / "sound", lines.spot_lines()))
    source = spot(result)
    assert code == 0
    assert (source["rejects"], source["gaps"], source["synchronised"]) == ({}, 0, True)
    assert source["irregular"] == {"STALE_UPDATE": 1}
    assert source["messages"] == len(lines.spot_lines())


DAMAGE = {
    "MALFORMED": '{"stream":"btcusdt@depth","data":{"e":"depthUp',
    "NEGATIVE": lines.spot_quote(10_000, "-61700.00", "61700.01"),
    "BAD_NUMBER": lines.spot_quote(10_000, "61700.00", "NaN"),
    "PRECISION": lines.spot_quote(10_000, "61700.001", "61700.01"),
    "OVERFLOW": lines.spot_quote(10_000, "61700.00", "9" * 30),
    "UNKNOWN_SYMBOL": lines.spot_quote(10_000, "61700.00", "61700.01").replace("BTCUSDT", "XXXUSDT"),
}


@pytest.mark.parametrize("reason", DAMAGE)
def test_bad_lines_are_counted_by_reason_and_change_no_decision(
    reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sound = lines.spot_lines()
    _, expected = replay(capsys, lines.write(tmp_path / "sound", sound))
    damaged = [*sound[:50], lines.line(40, DAMAGE[reason]), *sound[50:90], lines.line(80, DAMAGE[reason]), *sound[90:]]
    path = lines.write(tmp_path / "damaged", damaged)
    code, result = replay(capsys, path)
    assert code == 0
    assert spot(result)["rejects"] == {reason: 2}
    assert spot(result)["first_rejects"] == {reason: {"file": str(path), "line": 51}}
    assert result["decision_hash"] == expected["decision_hash"]


def test_future_stamps_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sound = lines.spot_lines()
    future = lines.line(3_600_000, lines.spot_quote(10_000, "61700.00", "61700.01"))
    path = lines.write(tmp_path / "future", [*sound[:20], future, *sound[20:]])
    code, result = replay(capsys, path)
    assert code == 0
    assert spot(result)["rejects"] == {"FUTURE_TIME": 1}
    assert spot(result)["first_rejects"]["FUTURE_TIME"] == {"file": str(path), "line": 21}


def test_repeated_and_reordered_messages_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sound = lines.spot_lines()
    repeated = [text for text in sound for _ in range(2)]
    code, result = replay(capsys, lines.write(tmp_path / "repeated", repeated))
    irregular = spot(result)["irregular"]
    assert code == 0
    assert irregular["REPEATED_TRADE"] == sum("@trade" in text for text in sound)
    assert irregular["OLD_QUOTE"] == sum("@bookTicker" in text for text in sound)
    assert irregular["STALE_UPDATE"] >= sum("@depth" in text for text in sound)

    swapped = [*sound[:30], sound[31], sound[30], *sound[32:]]
    path = lines.write(tmp_path / "swapped", swapped)
    _, result = replay(capsys, path)
    assert spot(result)["first_irregular"]["TIME_BACKWARDS"] == {"file": str(path), "line": 32}


def test_a_lost_update_withdraws_the_venue_until_it_is_resynchronised(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sound = lines.spot_lines()
    first_diff = next(index for index in range(60, 80) if "@depth" in sound[index])
    path = lines.write(tmp_path / "gap", [*sound[:first_diff], *sound[first_diff + 6 :]])
    code, result = replay(capsys, path)
    assert code == 1, "a book that does not end synchronised is a check that failed"
    assert (spot(result)["gaps"], spot(result)["synchronised"]) == (1, False)
    rejoined = [
        *sound[:first_diff],
        *sound[first_diff + 6 :],
        lines.line(900, lines.spot_snapshot(900, "61700.00", "61700.01")),
    ]
    code, result = replay(capsys, lines.write(tmp_path / "rejoined", rejoined))
    assert code == 0
    assert (spot(result)["gaps"], spot(result)["resyncs"], spot(result)["synchronised"]) == (1, 1, True)


def test_absurd_prices_do_not_pass_the_engine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sound = lines.spot_lines()
    absurd = lines.line(500, lines.spot_quote(10_000, "999999999.00", "999999999.01"))
    code, result = replay(capsys, lines.write(tmp_path / "absurd", [*sound, absurd]))
    assert code == 0
    assert result["counters"]["rejectRange"] == 1
    assert sum(result["triggers"].values()) == 0


def test_a_file_cut_in_a_gzip_block_is_read_as_far_as_it_goes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = gzip.compress("".join(lines.spot_lines(4000)).encode(), 1)
    path = tmp_path / "cut.gz"
    path.write_bytes(whole[: len(whole) * 2 // 3])
    code, result = replay(capsys, path)
    assert code == 1
    assert spot(result)["messages"] > 1000
    assert spot(result)["damage"][0]["reason"] == "cut off"
    assert spot(result)["damage"][0]["file"] == str(path)


@pytest.mark.parametrize("seed", range(8))
def test_random_damage_never_stops_a_replay(seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    generator = random.Random(seed)
    content = bytearray("".join(lines.spot_lines(300)).encode())
    for _ in range(200):
        content[generator.randrange(1000, len(content))] = generator.randrange(256)
    path = tmp_path / "noise"
    path.write_bytes(bytes(content))
    code, result = replay(capsys, path)
    assert code in (0, 1)
    assert sum(spot(result)["rejects"].values()) > 0


@pytest.mark.parametrize(
    ("option", "code", "text"),
    [
        ("binance-spot", 2, "must be NAME=FILE"),
        ("mtgox=/tmp/x", 2, "'mtgox' is no venue"),
        ("binance-spot=/nonexistent/file", 3, "/nonexistent/file"),
        (f"kraken={__file__}", 2, "lists no such venue"),
        (f"binance-spot={__file__}", 3, "holds unknown"),
    ],
)
def test_bad_sources_are_explained(option: str, code: int, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--source", option]) == code
    assert text in capsys.readouterr().err


MEASURE = """
import resource, sys
from orchestrator.cli.entry import main
code = main(["replay", "--source", f"binance-spot={sys.argv[1]}", "--json"])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


def peak_kilobytes(path: Path) -> int:
    finished = subprocess.run([sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True)
    return int(finished.stderr.splitlines()[-1])


def test_memory_stays_flat_on_a_recording_fifty_times_as_long(data: Path, tmp_path: Path) -> None:
    once = data / "binance-20240808" / "spot_btcusdt_20240808.gz"
    path = tmp_path / "fifty.gz"
    path.write_bytes(once.read_bytes() * 50)
    assert peak_kilobytes(path) < peak_kilobytes(once) * 1.15
