"""``tickwire live`` and ``tickwire paper`` as a person runs them, against the simulated exchange."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cli.entry import main
from tests.orchestrator.live.exchange_world import ExchangeWorld, exchange_world


def run(
    world: ExchangeWorld, words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> tuple[int, dict[str, Any], str]:
    monkeypatch.chdir(world.folder)
    for name, value in world.environment.items():
        monkeypatch.setenv(name, value)
    code = main([*words, "--profile", str(world.profile()), "--json"])
    captured = capsys.readouterr()
    return code, json.loads(captured.out), captured.err


def test_a_live_run_ends_in_order_and_says_what_it_earned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with exchange_world(tmp_path) as world:
        code, result, notes = run(world, ["live", "--seconds", "1"], capsys, monkeypatch)
        again, second, _ = run(world, ["live", "--seconds", "1"], capsys, monkeypatch)
    assert (code, again) == (0, 0)
    assert result["ended"] == "its time is over"
    assert (result["session"], second["session"]) == (1, 2)
    assert second["epoch"] > result["epoch"]
    assert "binance-spot at http://127.0.0.1" in notes
    assert "(simulated)" in notes
    assert world.key.secret not in notes


def test_a_paper_run_needs_no_keys(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with exchange_world(tmp_path) as world:
        monkeypatch.chdir(tmp_path)
        profile = world.profile()
        profile.write_text(profile.read_text(encoding="utf-8").replace('mode = "live"', 'mode = "paper"'), "utf-8")
        code = main(["paper", "--profile", str(profile), "--seconds", "2", "--json"])
    result = json.loads(capsys.readouterr().out)
    assert code == 0
    assert result["ended"] == "its time is over"
    assert result["counts"]["events"] > 0


@pytest.mark.parametrize(
    ("words", "extra", "says"),
    [
        ([], "", "these orders cost real money: add --i-understand-the-risk"),
        (["--i-understand-the-risk"], "", "expected values for risk.limits.capital_quote"),
    ],
)
def test_real_orders_need_a_clear_yes_and_stated_limits(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    extra: str,
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BINANCE_API_KEY", "k" * 64)
    monkeypatch.setenv("BINANCE_API_SECRET", "s" * 64)
    (tmp_path / "real.toml").write_text('extends = "live"\n' + extra, encoding="utf-8")
    assert main(["live", "--profile", "real.toml", *words]) == 1
    assert says in capsys.readouterr().err


def test_without_keys_nothing_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("BINANCE_API_KEY", "BINANCE_API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    assert main(["live", "--profile", "live"]) == 2
    assert "BINANCE_API_KEY" in capsys.readouterr().err
