"""A live run's engine decides as the CPU engine does, wherever it runs."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from config.engine import BackEnd
from config.loading import load_settings
from market.errors import Fatal
from market.fastpath.engine import CpuEngine
from orchestrator.engine.link import EngineLink, Takeover
from orchestrator.live.engines import live_engine
from tests.orchestrator.engine.inputs import arm_engine, feed, inputs, tables, triggers_of

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


def test_a_board_is_refused_with_what_to_use_instead(tmp_path: Path) -> None:
    profile = tmp_path / "profile.toml"
    profile.write_text('extends = "demo"\n[engine]\nback_end = "fpga"\n', encoding="utf-8")
    settings = load_settings(profile)
    refused = live_engine(settings, wake=lambda: None, on_takeover=lambda takeover: None, say=lambda text: None)
    with pytest.raises(Fatal, match=r"engine\.back_end was fpga.*cpu-process or soft-fpga"), refused:
        pass
