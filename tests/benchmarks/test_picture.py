"""README's picture is what ``python -m benchmarks.picture`` draws of the recordings."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.picture import PICTURE, replay_picture
from benchmarks.recordings import recorded_files
from market.errors import Fatal
from orchestrator.replay.plan import SourceFile
from sim.generator.recording import write_recordings
from sim.generator.settings import SECOND_NS, Coin, CrashSettings, GeneratorSettings

_CRASH = GeneratorSettings(
    duration_ns=8 * SECOND_NS, crash=CrashSettings(at_ns=4 * SECOND_NS, drop_bps=200, fall_ns=2 * SECOND_NS)
)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> list[SourceFile]:
    files = write_recordings(_CRASH, 7, tmp_path_factory.mktemp("generated"))
    return [SourceFile(file.venue, file.path) for file in files]


def outline(text: str) -> list[tuple[str, str]]:
    """Tags with their classes, triggers apart, in the order of first appearance."""
    parts = [(node.tag.rpartition("}")[2], node.get("class", "")) for node in ElementTree.fromstring(text).iter()]
    return list(dict.fromkeys(part for part in parts if part[1].split(" ")[-1] not in {"arb", "basis", "imbalance"}))


def test_the_picture_is_that_of_the_recordings(data: Path) -> None:
    committed = PICTURE.read_text(encoding="utf-8")
    assert committed == replay_picture(recorded_files(*Coin)), "draw it anew: python -m benchmarks.picture"


def test_a_picture_of_a_generated_market_has_the_same_parts_and_says_that_it_is_synthetic(
    generated: list[SourceFile],
) -> None:
    drawn = replay_picture(generated)
    assert outline(drawn) == outline(PICTURE.read_text(encoding="utf-8"))
    assert "BTC on 2026-01-01, SYNTHETIC: mid price by venue" in drawn
    assert 'class="mark ' in drawn
    assert "<title>" not in drawn


def test_one_venue_alone_has_no_basis_to_draw(generated: list[SourceFile]) -> None:
    with pytest.raises(Fatal, match="two venues of one instrument"):
        replay_picture(generated[:1])
