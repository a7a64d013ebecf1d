"""The operator's commands: what they print and how they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.cli.entry import main
from orchestrator.cli.exits import ExitCode
from tests.orchestrator.bus.parts import PATIENT_MS, Served, refused, served


def profile(folder: Path, small: Served, timeout_ms: int = PATIENT_MS) -> str:
    path = folder / "run.toml"
    path.write_text(
        f"""extends = "demo"
[bus]
command_address = "{small.settings.command_address}"
response_address = "{small.settings.response_address}"
command_timeout_ms = {timeout_ms}
response_timeout_ms = {timeout_ms}
""",
        encoding="utf-8",
    )
    return str(path)


def test_status_says_why_a_run_does_not_trade(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with served() as small:
        assert main(["status", "--profile", profile(tmp_path, small)]) == ExitCode.DONE
        assert capsys.readouterr().out.splitlines() == [
            "paper run 7, since 2024-08-08 00:00:00 UTC: paused",
            "  spread: too wide",
            "working orders: 1; open positions: 2; closing: idle",
            "equity: 9999.5",
            "orders sent: 12",
        ]
        assert main(["status", "--json", "--profile", profile(tmp_path, small)]) == ExitCode.DONE
        found = json.loads(capsys.readouterr().out)
        assert (found["state"], found["equity"], found["details"]) == ("paused", "9999.5", {"orders sent": 12})


def test_orders_and_positions_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with served() as small:
        name = profile(tmp_path, small)
        assert main(["orders", "--profile", name, "--symbol", "BTCUSDT"]) == ExitCode.DONE
        assert "operator-d1-1-0  binance-spot  BTCUSDT  buy   limit  61700.1      0.01       0  sent" in (
            capsys.readouterr().out
        )
        assert main(["positions", "--profile", name]) == ExitCode.DONE
        assert "binance-spot  BTCUSDT     -0.02    61700             1.5              0.617" in capsys.readouterr().out
        assert main(["positions", "--json", "--profile", name]) == ExitCode.DONE
        (held,) = json.loads(capsys.readouterr().out)["positions"]
        assert (held["quantity"], held["mark_price"]) == ("-0.02", None)
        assert main(["orders", "--json", "--profile", name]) == ExitCode.DONE
        assert json.loads(capsys.readouterr().out)["orders"][0]["price"] == "61700.1"


@pytest.mark.parametrize(
    ("words", "called"),
    [
        (["halt", "--reason", "storm"], "halt storm"),
        (["close-all", "--reason", "storm"], "close storm"),
        (["resume"], "resume"),
    ],
)
def test_commands_reach_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], called: str
) -> None:
    with served() as small:
        name = profile(tmp_path, small)
        assert main([*words, "--profile", name]) == ExitCode.DONE
        assert capsys.readouterr().out == f"did {called}\n"
        assert main([*words, "--json", "--profile", name]) == ExitCode.DONE
        assert json.loads(capsys.readouterr().out) == {"message": f"did {called}"}
        assert small.run.calls == [called, called]


def test_a_refusal_ends_with_3_and_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with served() as small:
        small.run.refusal = refused()
        assert main(["resume", "--profile", profile(tmp_path, small)]) == ExitCode.INPUT
        assert capsys.readouterr().err == "error: the run has other plans\n"


def test_no_answer_ends_with_4_and_names_the_address(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with served() as small:
        name = profile(tmp_path, small, timeout_ms=50)
    assert main(["halt", "--json", "--profile", name]) == ExitCode.MISSING
    captured = capsys.readouterr()
    assert json.loads(captured.out)["error"]["exit_code"] == 4
    assert small.settings.command_address in captured.err
    assert "within 50 ms" in captured.err
