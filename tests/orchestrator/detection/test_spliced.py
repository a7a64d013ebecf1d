"""Crashes behind real recordings: judged from the real calm on, in Bitcoin and in Ether."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import islice
from pathlib import Path

import pytest

from config.scenarios import ScenarioKind
from config.settings import Settings
from market.errors import MissingInput
from orchestrator.cli.entry import main
from orchestrator.cli.exits import ExitCode
from orchestrator.detection.cases import Case, Seeds, cases
from orchestrator.detection.judge import judge
from orchestrator.detection.listen import listen
from orchestrator.detection.play import listening_settings, play, source_of, traded_market
from orchestrator.detection.run import fingerprint
from orchestrator.detection.spliced import read_bases
from sim.scenarios.plan import draw_plan
from sim.scenarios.recording import session_lines, write_lines
from sim.scenarios.session import Session
from sim.scenarios.splice import continued, spliced_lines
from sim.scenarios.text import Written, lines_of
from tests.orchestrator.detection.test_statistics import settings_of

POCKET = ScenarioKind.AIR_POCKET


def calm(folder: Path, settings: Settings) -> Path:
    path = folder / "synthetic-calm.gz"
    write_lines(path, session_lines(draw_plan(settings.scenarios, ScenarioKind.QUIET, 3)))
    return path


def test_a_crash_behind_a_recording_is_found_and_names_what_it_is_of(tmp_path: Path) -> None:
    settings = settings_of(120)
    path = calm(tmp_path, settings)
    [base] = read_bases(settings, [path])
    assert base.settings is settings
    assert 119 < base.seconds < 121
    found = judge(Case(0, POCKET, 5), settings, tmp_path, base)
    assert found.is_detected
    assert not found.false_actives
    assert (found.outside, found.left) == (0, 0)
    alone = fingerprint(settings, Seeds.TUNING, None)
    assert fingerprint(settings, Seeds.TUNING, None, [base]) != alone


def test_what_nothing_can_be_spliced_onto_is_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty.gz"
    write_lines(empty, [b'1000 {"lastUpdateId":1,"E":1,"T":1,"bids":[],"asks":[]}\n'])
    for path in (empty, tmp_path / "none.gz"):
        words = ("detection", "--out", str(tmp_path / "out"), "--sessions", "1", "--onto", str(path))
        assert main([*words]) == ExitCode.INPUT
        assert path.name in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_ether_is_written_in_its_own_ticks_and_lots() -> None:
    rows, levels = next(Session(draw_plan(settings_of(120).scenarios, ScenarioKind.QUIET, 3)).parts())
    bitcoin = lines_of(rows, levels).decode().splitlines()
    ether = lines_of(rows, levels, Written("ETHUSDT", 2, 23)).decode().splitlines()
    assert len(bitcoin) == len(ether) == len(rows)
    quotes = 0
    for first, second in zip(bitcoin, ether, strict=True):
        assert "BTC" not in second.upper()
        one, other = (json.loads(line.partition(" ")[2]).get("data", {}) for line in (first, second))
        if one.get("e") == "bookTicker":
            quotes += 1
            assert other["s"] == "ETHUSDT"
            assert Decimal(one["b"]) * 10 == Decimal(other["b"]) * 100
            assert Decimal(one["A"]) * 23 == Decimal(other["A"])
    assert quotes > 10


@pytest.mark.long
@pytest.mark.parametrize("coin", ["btc", "eth"])
def test_crashes_behind_real_recordings(data: Path, tmp_path: Path, coin: str) -> None:
    settings = settings_of(300)
    [base] = read_bases(settings, [data / "binance-20240808" / f"usdm_{coin}usdt_20240808.gz"])
    assert traded_market(base.settings).instrument == coin.upper()
    found = [judge(case, settings, tmp_path, base) for case in cases(settings.scenarios, Seeds.TUNING, 3, POCKET)]
    assert all(one.is_early and not one.false_actives and not one.outside and not one.left for one in found)
    assert sum(sum(one.rejections.values()) + one.orders for one in found)


@pytest.mark.long
def test_the_trader_hears_behind_a_real_recording_what_the_detector_hears(data: Path, tmp_path: Path) -> None:
    settings = settings_of(300)
    [base] = read_bases(settings, [data / "binance-20240808" / "usdm_ethusdt_20240808.gz"])
    ending, path = base.ending(), tmp_path / "synthetic.txt"
    plan = draw_plan(settings.scenarios, POCKET, 1, is_spliced=True)
    path.write_bytes(b"".join(spliced_lines(plan, ending)))
    heard = listen(source_of(base.settings, path), listening_settings(base.settings), continued(plan, ending).start_ns)
    assert heard.spans
    assert play(base.settings, path, heard) == play(base.settings, path, heard, whole=True)


@pytest.mark.long
def test_the_command_runs_it_on_several(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = data / "binance-20240808"
    words = ["detection", "--out", str(tmp_path / "out"), "--sessions", "2", "--kind", POCKET.value, "--json"]
    words += ["--seeds", "tuning", "--plot", str(tmp_path / "found.svg")]
    for coin in ("btc", "eth"):
        words += ["--onto", str(folder / f"usdm_{coin}usdt_20240808.gz")]
    assert main(words) in (ExitCode.DONE, ExitCode.CHECK_FAILED)
    result = json.loads(capsys.readouterr().out)
    assert len(result["spliced_onto"]) == 2
    assert result["recall_early"] == 1.0
    assert "usdm_ethusdt_20240808.gz" in (tmp_path / "found.svg").read_text(encoding="utf-8")


def test_another_instrument_is_traded_with_the_thresholds_of_the_profiles_own(tmp_path: Path) -> None:
    settings = settings_of(120)
    path = tmp_path / "synthetic-ether.txt"
    content = b"".join(islice(session_lines(draw_plan(settings.scenarios, ScenarioKind.QUIET, 3)), 3))
    path.write_bytes(content.replace(b"BTCUSDT", b"ETHUSDT").replace(b"btcusdt", b"ethusdt"))
    [base] = read_bases(settings, [path])
    assert traded_market(base.settings).instrument == "ETH"
    assert settings.detector.thresholds("ETH") != settings.detector.thresholds("BTC")
    assert base.settings.detector.thresholds("ETH") == settings.detector.thresholds("BTC")


def test_an_instrument_that_the_settings_lack_is_refused(tmp_path: Path) -> None:
    settings = settings_of(120)
    path = tmp_path / "synthetic-other.txt"
    content = b"".join(islice(session_lines(draw_plan(settings.scenarios, ScenarioKind.QUIET, 3)), 3))
    path.write_bytes(content.replace(b"BTCUSDT", b"XYZUSDT").replace(b"btcusdt", b"xyzusdt"))
    with pytest.raises(MissingInput, match="XYZ"):
        read_bases(settings, [path])
