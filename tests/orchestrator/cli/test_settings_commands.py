"""``tickwire config``: what is in force, where it comes from, and what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from config.reference import reference_text
from config.schema import schema_text
from tests.orchestrator.cli.terminal import Terminal, run_process


def test_show_names_the_source_of_every_value(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    (terminal.folder / "tickwire.local.toml").write_text("[engine]\nlease_ms = 77\n", encoding="utf-8")
    (terminal.folder / ".env").write_text("TICKWIRE__ENGINE__PRICE_BITS=47\nBINANCE_API_KEY=hidden\n", encoding="utf-8")
    monkeypatch.setenv("TICKWIRE__REPLAY__WORKERS", "3")
    shown = terminal.run("config", "show", "--json").json
    board = shown["settings"]["engine"].pop("board")
    assert (board["address"], board["control_port"]) == ("192.168.1.50", 31_901)
    assert shown["settings"]["engine"] == {
        "back_end": "cpu",
        "price_bits": 47,
        "venues": 4,
        "instruments": 16,
        "rate_interval_us": 10_000,
        "rate_tolerance_us": 90_000,
        "patience_ms": 250,
        "lease_ms": 77,
    }
    assert shown["settings"]["instruments"]["BTC"]["minimum_edge_bps"] == 0.5
    assert shown["origins"]["engine.lease_ms"] == str(terminal.folder / "tickwire.local.toml")
    assert shown["origins"]["engine.price_bits"] == "environment variable TICKWIRE__ENGINE__PRICE_BITS"
    assert shown["origins"]["replay.workers"] == "environment variable TICKWIRE__REPLAY__WORKERS"
    assert shown["origins"]["paths.output"] == "default"
    assert shown["credentials"] == {
        "BINANCE_API_KEY": True,
        "BINANCE_API_SECRET": False,
        "BINANCE_SBE_API_KEY": False,
        "TICKWIRE_BOARD_KEY": False,
    }


def test_show_for_people_never_shows_secrets(terminal: Terminal) -> None:
    (terminal.folder / ".env").write_text("BINANCE_API_KEY=hidden-key\n", encoding="utf-8")
    ended = terminal.run("config", "show")
    assert ended.code == 0
    assert "BINANCE_API_KEY: set\nBINANCE_API_SECRET: not set\n" in ended.out
    assert "hidden" not in ended.out
    assert "instruments.BTC.kinds" in ended.out
    assert "arb, basis " in ended.out


def test_show_of_a_part(terminal: Terminal) -> None:
    ended = terminal.run("config", "show", "venues.binance-cm", "--json")
    assert list(ended.json["settings"]) == ["venues"]
    assert list(ended.json["settings"]["venues"]) == ["binance-cm"]
    unknown = terminal.run("config", "show", "engin")
    assert (unknown.code, unknown.out) == (2, "")
    assert "KEY: engin is not a setting; there are engine, venues" in unknown.err


def test_check(terminal: Terminal) -> None:
    ended = terminal.run("config", "check")
    assert ended.code == 0
    assert ended.out.startswith("profile demo: no mistakes; mode backtest, back end cpu, venues binance-spot, ")
    assert terminal.run("config", "check", "--profile", "paper", "--json").json == {
        "profile": "paper",
        "valid": True,
        "problems": [],
    }


def test_check_lists_mistakes(terminal: Terminal) -> None:
    path = terminal.folder / "mine.toml"
    path.write_text('extends = "demo"\n[engine]\nlease_ms = 0\nleese_ms = 1\n', encoding="utf-8")
    ended = terminal.run("config", "check", "--profile", path)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines() == [
        f"error: {path}: engine.lease_ms was 0: must be greater than or equal to 1",
        f"error: {path}: engine.leese_ms is not a known setting; the nearest is engine.lease_ms",
    ]
    ended = terminal.run("config", "check", "--profile", path, "--json")
    assert ended.code == 2
    assert [problem["key"] for problem in ended.json["problems"]] == ["engine.lease_ms", "engine.leese_ms"]
    assert ended.json["valid"] is False


def test_live_without_keys_is_a_mistake_and_with_keys_is_none(tmp_path: Path) -> None:
    clean = {"BINANCE_API_KEY": "", "BINANCE_API_SECRET": ""}
    refused = run_process("config", "check", "--profile", "live", folder=tmp_path, environment=clean)
    assert refused.code == 2
    assert "needs BINANCE_API_KEY and BINANCE_API_SECRET" in refused.err
    keys = {"BINANCE_API_KEY": "a", "BINANCE_API_SECRET": "b"}
    assert run_process("config", "check", "--profile", "live", folder=tmp_path, environment=keys).code == 0


def test_schema_and_reference_are_the_documents(terminal: Terminal) -> None:
    assert terminal.run("config", "schema").out == schema_text()
    assert terminal.run("config", "schema", "--json").json == json.loads(schema_text())
    assert terminal.run("config", "reference").out == reference_text()
    assert terminal.run("config", "reference", "--json").json == {"markdown": reference_text()}
