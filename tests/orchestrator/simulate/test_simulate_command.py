"""``tickwire simulate`` and ``tickwire detection`` as a user calls them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from orchestrator.cli.entry import main
from orchestrator.cli.exits import ExitCode
from sim.generator.recording import is_synthetic

NAME = "synthetic-quiet-3-binance-usdm-btc.gz"


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def simulate(*words: str) -> int:
    return main(["simulate", *words])


def test_a_session_is_written_and_replays(capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate("quiet", "--seed", "3", "--duration", "120", "--out", "made", "--json") == ExitCode.DONE
    result = json.loads(capsys.readouterr().out)
    assert result["synthetic"] is True
    assert result["crash"] is None
    path = Path("made") / NAME
    assert is_synthetic(path)
    assert json.loads(path.with_suffix(".json").read_text(encoding="utf-8")) == result
    assert len(gzip.decompress(path.read_bytes())) == result["bytes_of_text"]
    assert main(["replay", "--source", f"binance-usdm={path}", "--json"]) == ExitCode.DONE
    source = json.loads(capsys.readouterr().out)["sources"]["binance-usdm"]
    assert source["gaps"] == 0
    assert source["rejects"] == {}
    assert source["synchronised"]
    assert source["messages"] > 10_000


def test_nothing_is_replaced_unless_asked(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("quiet", "--seed", "3", "--duration", "120", "--out", "made")
    assert simulate(*words) == ExitCode.DONE
    before = (Path("made") / NAME).read_bytes()
    assert simulate(*words) == ExitCode.INPUT
    assert "--overwrite" in capsys.readouterr().err
    assert simulate(*words, "--overwrite") == ExitCode.DONE
    assert (Path("made") / NAME).read_bytes() == before
    assert sorted(file.name for file in Path("made").iterdir()) == [NAME, NAME.replace(".gz", ".json")]


def test_a_crash_goes_on_where_a_recording_ends(capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate("quiet", "--seed", "3", "--duration", "120", "--out", "first") == ExitCode.DONE
    base = Path("first") / NAME
    words = ("air-pocket", "--seed", "2", "--duration", "120", "--onto", str(base), "--out", "spliced", "--json")
    capsys.readouterr()
    assert simulate(*words) == ExitCode.DONE
    result = json.loads(capsys.readouterr().out)
    assert result["spliced_onto"] == str(base)
    real, both = (gzip.decompress(Path(name).read_bytes()) for name in (base, result["file"]))
    assert both.startswith(real)
    assert main(["replay", "--source", f"binance-usdm={result['file']}", "--json"]) == ExitCode.DONE
    source = json.loads(capsys.readouterr().out)["sources"]["binance-usdm"]
    assert source["gaps"] == 0
    assert source["synchronised"]
    assert source["messages"] > 10_000


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("panic", "--out", "made"), ExitCode.USAGE, "panic"),
        (("quiet",), ExitCode.USAGE, "--out"),
        (("quiet", "--duration", "5", "--out", "made"), ExitCode.USAGE, "--duration"),
        (("capitulation-2021", "--duration", "300", "--out", "made"), ExitCode.USAGE, "make it longer"),
        (("air-pocket", "--onto", "none.gz", "--out", "made"), ExitCode.INPUT, "none.gz"),
        (("quiet", "--profile", "none.toml", "--out", "made"), ExitCode.USAGE, "none.toml"),
    ],
)
def test_bad_input_leaves_nothing(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: ExitCode, text: str
) -> None:
    assert simulate(*words) == code
    assert text in capsys.readouterr().err
    assert not list(Path.cwd().iterdir())


def test_what_is_no_recording_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Path("text.txt").write_text("17 nothing\n", encoding="utf-8")
    assert simulate("air-pocket", "--duration", "200", "--onto", "text.txt", "--out", "made") == ExitCode.INPUT
    assert "text.txt" in capsys.readouterr().err
    assert not Path("made").exists()


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("--sessions", "0", "--out", "found"), ExitCode.USAGE, "--sessions"),
        (("--sessions", "2000", "--out", "found"), ExitCode.USAGE, "scenarios.sessions"),
        (("--seeds", "mine", "--out", "found"), ExitCode.USAGE, "--seeds"),
        (("--plot", "found.txt", "--out", "found"), ExitCode.USAGE, ".png"),
        (("--plot", "none/found.png", "--out", "found"), ExitCode.INPUT, "none"),
        (("--profile", "demo", "--sessions", "1", "--out", "found"), ExitCode.USAGE, "flash_crash.markets"),
    ],
)
def test_statistics_refuse_bad_input(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: ExitCode, text: str
) -> None:
    assert main(["detection", *words]) == code
    assert text in capsys.readouterr().err
    assert not list(Path.cwd().iterdir())


def test_statistics_of_two_sessions_with_a_plot(capsys: pytest.CaptureFixture[str]) -> None:
    Path("short.toml").write_text('extends = "flash-crash"\n[scenarios]\nduration_s = 120\n', encoding="utf-8")
    words = ["detection", "--profile", "short.toml", "--kind", "quiet", "--sessions", "2", "--seeds", "tuning"]
    assert main([*words, "--out", "found", "--plot", "found.png", "--json"]) == ExitCode.DONE
    result = json.loads(capsys.readouterr().out)
    assert result["sessions"] == 2
    assert result["quiet_orders"] == 0
    assert all(result["checks"].values())
    assert Path("found.png").read_bytes().startswith(b"\x89PNG")
    assert main([*words, "--out", "found"]) == ExitCode.DONE
    assert "SYNTHETIC" in capsys.readouterr().out
