"""A live run on its own tape makes the same decisions: triggers, orders, fills and profit, to the hash."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from config.execution import Mode
from config.loading import load_settings, profile_names
from market.errors import Fatal, Rejected
from orchestrator.cli.entry import main
from orchestrator.cli.exits import ExitCode
from orchestrator.live.reload import defaults_in, settings_of, settings_text
from orchestrator.live.taped import TapedPlan, plan_bytes, plan_of, play
from orchestrator.run_loop.summary import RunSummary
from orchestrator.storage.records import HeldPosition, TakenOver
from orchestrator.tape.calls import VERSION, Head
from orchestrator.tape.file import TapeWriter, read_tape
from tests.orchestrator.live.exchange_world import exchange_world
from tests.orchestrator.live.test_live_run import run_with_dislocation


@pytest.mark.parametrize("engine", ["cpu", "cpu-process"])
def test_a_live_run_and_its_tape_decide_alike(tmp_path: Path, engine: str) -> None:
    tape = tmp_path / "run.tape"
    with exchange_world(tmp_path) as world:
        extra = f'[engine]\nback_end = "{engine}"\npatience_ms = 20_000\n'
        _, live = run_with_dislocation(world, "ccxt-websocket", tape, extra)
    played, journal, calls = play(tape)
    assert live.counts.triggers == 1
    assert len(live.orders) == 2
    assert played.decision_hash == live.decision_hash
    assert played.parity == live.parity
    assert played.orders == live.orders
    assert played.positions == live.positions
    assert played.counts == live.counts
    assert len(journal.intents) == 2
    assert calls > 100


@pytest.fixture(scope="module")
def taped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunSummary]:
    """The tape of a run in which a dislocation was taken, and what came of the run."""
    folder = tmp_path_factory.mktemp("taped")
    with exchange_world(folder) as world:
        _, live = run_with_dislocation(world, "ccxt-websocket", folder / "run.tape")
    return folder / "run.tape", live


def test_a_tape_from_before_settings_were_added_plays_with_their_defaults_and_says_so(
    taped: tuple[Path, RunSummary], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    older = tmp_path / "older.tape"
    head, calls = read_tape(taped[0])
    written = msgspec.json.decode(head.settings)
    del written["optimizer"], written["risk"]["closing"], written["instruments"]["BTC"]["cooldown_ms"]
    with TapeWriter(older) as writer:
        writer.write(msgspec.structs.replace(head, settings=msgspec.json.encode(written)))
        for call in calls:
            writer.write(call)
    assert main(["tape", str(older), "--json"]) == ExitCode.DONE
    said = capsys.readouterr()
    result = json.loads(said.out)
    assert result["decision_hash"] == taped[1].decision_hash
    assert [default.split(" = ")[0] for default in result["defaults"]] == [
        "instruments.BTC.cooldown_ms",
        "risk.closing",
        "optimizer",
    ]
    assert "is older than this setting, which has its default: instruments.BTC.cooldown_ms = " in said.err


@pytest.mark.parametrize("profile", profile_names())
def test_settings_come_back_from_a_tape_as_they_were(profile: str) -> None:
    settings = load_settings(profile, environment={"BINANCE_API_KEY": "k", "BINANCE_API_SECRET": "s"})
    text = settings_text(settings)
    assert settings_of(text) == settings
    assert list(defaults_in(settings, text)) == []


def test_positions_beyond_64_bits_come_back_from_a_tape() -> None:
    held = HeldPosition(
        strategy="arb", instrument=0, venue=1, quantity=3, cost=-(2**70), cash=2**70, realised=0, fees=2**65
    )
    before = TakenOver(epoch=7, orders=(), positions=(held,), decisions={"arb": 4}, components={"risk": b"\x00\xff"})
    plan = TapedPlan(Mode.LIVE, 10**9, True, False, (), before)
    assert plan_of(plan_bytes(plan)) == plan


def test_a_tape_of_other_settings_is_refused(tmp_path: Path) -> None:
    text = settings_text(load_settings("demo", environment={})).replace(b'"engine":{', b'"engine":{"steam":1,')
    with TapeWriter(tmp_path / "run.tape") as tape:
        tape.write(Head(VERSION, text, 1, ()))
    with pytest.raises(Rejected, match=r"engine\.steam"):
        play(tmp_path / "run.tape")


def test_another_strategy_decides_otherwise_and_is_told(
    taped: tuple[Path, RunSummary], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.live.assembly.strategies", lambda *about: [])
    with pytest.raises(Fatal, match="decides otherwise"):
        play(taped[0])
