"""``tickwire optimize``: what it finds, writes and shows, how it goes on, and what it refuses."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from config.loading import load_settings
from orchestrator.cli.entry import main
from orchestrator.cli.exits import ExitCode
from tests.orchestrator.optimizer.market import PROFILE

PATIENCE_S: Final = 300
ENDING: Final = """
import os, signal, sys
from orchestrator.cli.entry import main
from orchestrator.optimizer.study import Study
finish, count = Study.finish, 0
def ending(*arguments):
    global count
    trial = finish(*arguments)
    count += 1
    if count == 3:
        os.kill(os.getpid(), signal.Signals[sys.argv[1]])
    return trial
Study.finish = ending
# A parent that ignores interrupts has children that do.
signal.signal(signal.SIGINT, signal.default_int_handler)
if __name__ == "__main__":
    sys.exit(main(sys.argv[2:]))
"""


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A profile file, in the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "maker.toml").write_text(PROFILE, encoding="utf-8")
    return "maker.toml"


def words_of(usdm: Path, profile: str, *more: str) -> list[str]:
    words = ["optimize", "--profile", profile, "--source", f"binance-usdm={usdm}", "--out", "study", "--workers", "1"]
    return [*words, *more]


def drawn(folder: Path) -> list[tuple[int, int]]:
    """Study and draw of each trial in the file."""
    with sqlite3.connect(folder / "optuna_study.db") as database:
        rows = database.execute(
            "select trials.study_id, value_json from trial_user_attributes join trials using (trial_id) "
            "where key = 'draw'"
        )
        return sorted((study, int(draw)) for study, draw in rows)


def test_a_search_end_to_end(usdm: Path, profile: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = words_of(usdm, profile, "--search", "random", "--trials", "3", "--save-best")
    code = main([*words, "--json"])
    result = json.loads(capsys.readouterr().out)
    assert code == (ExitCode.DONE if result["best"]["winner"] else ExitCode.CHECK_FAILED)
    assert json.loads((tmp_path / "study/results.json").read_text()) == result
    assert result["synthetic"] is True
    assert [len(each["trials"]) for each in (result["best"], *result["folds"])] == [3, 3, 3]
    winner = result["best"]["winner"]
    assert set(winner["parameters"]) == {
        "strategies.market_making.spread",
        "strategies.market_making.microprice_weight",
    }
    assert winner["deflated_sharpe"]["trials"] == result["best"]["distinct"]
    best = load_settings(tmp_path / "study/best_params.toml", local=None, environment={})
    assert best.strategies.market_making is not None
    assert str(best.strategies.market_making.spread) == winner["parameters"]["strategies.market_making.spread"]
    assert not list((tmp_path / "study").glob("decoded*"))

    # The profile is one that a backtest takes, and makes what the search says.
    backtest = ["backtest", "--profile", "study/best_params.toml", "--source", f"binance-usdm={usdm}", "--json"]
    assert main(backtest) == ExitCode.DONE
    plain = json.loads(capsys.readouterr().out)
    assert abs(float(plain["performance"]["USDT"]["gain"]) - winner["train"]["gain"]) < 0.05
    assert abs(plain["performance"]["USDT"]["closing_count"] - winner["train"]["trades"]) <= 1

    # The same command finds everything done, and says the same.
    before = drawn(tmp_path / "study")
    assert main(words) == ExitCode.DONE
    shown = capsys.readouterr().out
    for text in ("SYNTHETIC", "winners by sharpe", "out of sample", "best parameters", "probability of overfitting"):
        assert text in shown
    assert drawn(tmp_path / "study") == before
    again = json.loads((tmp_path / "study/results.json").read_text())
    assert {**again, "seconds": 0} == {**result, "seconds": 0}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--objective", "luck"], ExitCode.USAGE, "luck"),
        (["--search", "magic"], ExitCode.USAGE, "magic"),
        (["--trials", "0"], ExitCode.USAGE, "--trials"),
        (["--workers", "0"], ExitCode.USAGE, "--workers"),
        (["--seed", "-1"], ExitCode.USAGE, "--seed"),
        (["--cluster", "host"], ExitCode.USAGE, "cluster"),
        (["--strategy", "flash-crash"], ExitCode.USAGE, "flash_crash.markets"),
        (["--strategy", "guess"], ExitCode.USAGE, "guess"),
        (["--out", "maker.toml"], ExitCode.USAGE, "maker.toml"),
        (["--source", "binance-usdm=none.gz"], ExitCode.INPUT, "none.gz"),
        (["--source", "nowhere=USDM"], ExitCode.USAGE, "nowhere"),
        (["--profile", "none.toml"], ExitCode.USAGE, "none.toml"),
        (["--profile", "demo"], ExitCode.USAGE, "no strategy runs"),
        (["--profile", "long.toml"], ExitCode.INPUT, "optimizer.folds"),
        (["--profile", "currency.toml"], ExitCode.USAGE, "optimizer.currency was EUR"),
        (["--profile", "typing.toml"], ExitCode.USAGE, "optimizer.objektive"),
        (["--profile", "wrong.toml"], ExitCode.USAGE, "optimizer.space.spread.setting"),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(
    words: list[str],
    code: ExitCode,
    said: str,
    usdm: Path,
    profile: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, line in {"long": "purge_s = 1000", "currency": 'currency = "EUR"', "typing": "objektive = 1"}.items():
        more = PROFILE.replace("purge_s = 0", line)
        (tmp_path / f"{name}.toml").write_text(more, encoding="utf-8")
    wrong = PROFILE.replace("market_making.spread", "market_making.spred")
    (tmp_path / "wrong.toml").write_text(wrong, encoding="utf-8")
    before = sorted(path.name for path in tmp_path.iterdir())
    assert main([*words_of(usdm, profile), *words]) == code
    assert said in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def study_of(tmp_path: Path, inputs: dict[str, Any]) -> Path:
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "study.json").write_text(json.dumps(inputs), encoding="utf-8")
    return folder


def test_a_study_of_something_else_is_left_alone(
    usdm: Path, profile: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = study_of(tmp_path, {"format": "tickwire study 1", "optimizer": {"seed": 7}})
    assert main(words_of(usdm, profile)) == ExitCode.INPUT
    assert "choose another --out" in capsys.readouterr().err
    assert not (folder / "optuna_study.db").exists()
    (folder / "study.json").write_text("{")
    assert main(words_of(usdm, profile)) == ExitCode.INPUT
    assert "study.json" in capsys.readouterr().err
    (folder / "study.json").unlink()
    (folder / "optuna_study.db").write_text("")
    assert main(words_of(usdm, profile)) == ExitCode.INPUT
    assert "no study.json" in capsys.readouterr().err


def test_a_study_in_use_by_another_process_is_left_alone(
    usdm: Path, profile: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "study").mkdir()
    with (tmp_path / "study/.lock").open("w") as lock:
        lock.write("4711")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert main(words_of(usdm, profile)) == ExitCode.MISSING
    assert "in use by process 4711" in capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / "study").iterdir()) == [".lock"]


def test_without_the_extra_the_package_to_install_is_named(
    usdm: Path, profile: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith("orchestrator.optimizer")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert main(words_of(usdm, profile)) == ExitCode.MISSING
    assert "pip install 'tickwire[tune]'" in capsys.readouterr().err


@pytest.mark.long
@pytest.mark.parametrize(("signal_name", "code"), [("SIGINT", ExitCode.INTERRUPTED), ("SIGKILL", -9)])
def test_a_search_that_was_ended_goes_on_and_repeats_nothing(
    signal_name: str, code: int, usdm: Path, profile: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ending.py").write_text(ENDING, encoding="utf-8")
    words = [*words_of(usdm, profile, "--search", "random", "--trials", "4"), "--workers", "2"]
    root = str(Path(__file__).parents[3])
    # The pipes end only when the workers do too.
    ended = subprocess.run(
        [sys.executable, "ending.py", signal_name, *words],
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ended.returncode == code, ended.stderr
    before = drawn(tmp_path / "study")
    assert len(before) == 3
    assert not (tmp_path / "study/results.json").exists()
    assert main([*words, "--json"]) in (ExitCode.DONE, ExitCode.CHECK_FAILED)
    result = json.loads(capsys.readouterr().out)
    after = drawn(tmp_path / "study")
    assert set(before) < set(after)
    assert len(after) == len(set(after)) == 12
    straight = [*words[: words.index("study")], "straight", *words[words.index("study") + 1 :]]
    main([*straight, "--json"])
    other = json.loads(capsys.readouterr().out)
    assert {**result, "seconds": 0} == {**other, "seconds": 0}
