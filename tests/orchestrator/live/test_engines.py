"""A live run's engine decides as the CPU engine does, wherever it runs."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from config.engine import BackEnd
from config.loading import load_settings
from config.settings import Settings
from market.errors import MissingInput, Retry
from market.fastpath.engine import CpuEngine
from orchestrator.engine.link import EngineLink, Takeover
from orchestrator.live.engines import LossNotes, live_engine
from tests.orchestrator.engine.inputs import arm_engine, feed, inputs, tables, triggers_of
from tests.orchestrator.fpga.soft_board import board_environment
from tests.orchestrator.loop.rig import LOOPBACK

COUNT = 40


def expected() -> list[bytes]:
    engine = CpuEngine(tables()[0])
    return triggers_of(feed(engine, list(inputs(COUNT, arm_engine(engine)))))


@pytest.mark.parametrize("back_end", [BackEnd.CPU, BackEnd.CPU_PROCESS, BackEnd.SOFT_FPGA])
def test_all_builds_decide_alike(tmp_path: Path, back_end: BackEnd) -> None:
    profile = tmp_path / "profile.toml"
    # these inputs jump in time: nobody is silent
    text = f'extends = "demo"\n[engine]\nback_end = "{back_end}"\npatience_ms = 3_600_000\n'
    profile.write_text(text, encoding="utf-8")
    settings = load_settings(profile)
    takeovers: list[Takeover] = []
    with live_engine(settings, wake=lambda: None, on_takeover=takeovers.append, say=lambda text: None) as engine:
        said = feed(engine, list(inputs(COUNT, arm_engine(engine))))
        for _ in range(500):
            if not isinstance(engine, EngineLink) or not engine.behind:
                break
            engine._back_end.wait(0.02)
            said += engine.outputs()
    assert triggers_of(said) == expected()
    assert not takeovers


def test_the_process_ends_with_the_run(tmp_path: Path) -> None:
    profile = tmp_path / "profile.toml"
    profile.write_text('extends = "demo"\n[engine]\nback_end = "cpu-process"\n', encoding="utf-8")
    with live_engine(
        load_settings(profile), wake=lambda: None, on_takeover=lambda takeover: None, say=lambda text: None
    ) as engine:
        assert isinstance(engine, EngineLink)
        process = engine._back_end.process  # type: ignore[attr-defined]
        assert process.poll() is None
    assert process.returncode == -signal.SIGKILL


def board_settings() -> Settings:
    quick = {"TICKWIRE__ENGINE__BACK_END": "fpga", "TICKWIRE__ENGINE__BOARD__ANSWER_MS": "20"}
    return load_settings("demo", environment={**board_environment(), **quick})


def open_engine(settings: Settings) -> None:
    with live_engine(settings, wake=lambda: None, on_takeover=lambda takeover: None, say=lambda text: None):
        raise AssertionError("there is no board")


def test_without_a_board_it_says_who_did_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = board_settings()
    monkeypatch.setenv("TICKWIRE_BOARD_KEY", "5a" * 16)
    with pytest.raises(Retry, match=f"no answer from {LOOPBACK}:{settings.engine.board.control_port}"):
        open_engine(settings)


@pytest.mark.parametrize(("key", "seen"), [("", "set TICKWIRE_BOARD_KEY"), ("secret", "has 6 characters")])
def test_a_board_needs_its_key_and_never_shows_it(monkeypatch: pytest.MonkeyPatch, key: str, seen: str) -> None:
    monkeypatch.setenv("TICKWIRE_BOARD_KEY", key)
    with pytest.raises(MissingInput, match=seen) as refused:
        open_engine(board_settings())
    assert "secret" not in str(refused.value)


def test_losses_are_told_of_at_first_and_when_they_are_ten_times_as_many() -> None:
    said: list[str] = []
    notes = LossNotes("the board", said.append)
    for count in (1, 2, 9, 12, 100, 120, 1_000):
        notes(count)
    assert [text.split(": ")[1] for text in said] == [f"{count} messages so far" for count in (1, 12, 120)]
