"""The same seed gives the same bytes, on every machine."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

from sim.generator.market import generate
from sim.generator.recording import is_synthetic, write_recordings
from sim.generator.settings import SECOND_NS, CrashSettings, GeneratorSettings
from tests.sim.generator.generated import CM, SPOT, USDM, by_venue

CRASH = CrashSettings(at_ns=SECOND_NS, fall_ns=SECOND_NS, rebound_ns=SECOND_NS)
SETTINGS = GeneratorSettings(duration_ns=4 * SECOND_NS, crash=CRASH)
DIGESTS = {
    SPOT: "eccfcc10f3b080803d5a1773107ddb2f747fcfa4129516ffada8b7c1661e687d",
    USDM: "8cf5f4130d04f36881119f36793d6fce79d9c371d726fa6bd1ed58a224bc484f",
    CM: "fc28ab4b45c9980c33149ca00af443aacb274084aa5bb075103675e080afcde8",
}


def test_lines_are_those_of_every_machine() -> None:
    """The stored digests change only when the market is meant to change."""
    texts = by_venue(generate(SETTINGS, 42))
    assert {venue: hashlib.sha256("".join(lines).encode()).hexdigest() for venue, lines in texts.items()} == DIGESTS


def test_files_repeat_byte_for_byte_and_hold_the_lines(tmp_path: Path) -> None:
    first = write_recordings(SETTINGS, 7, tmp_path / "first")
    second = write_recordings(SETTINGS, 7, tmp_path / "second")
    texts = by_venue(generate(SETTINGS, 7))
    assert [file.venue for file in first] == [SPOT, USDM, CM]
    for file, again in zip(first, second, strict=True):
        assert file.path.name == again.path.name == f"synthetic-7-{file.venue}-btc.gz"
        assert is_synthetic(file.path)
        assert file.path.read_bytes() == again.path.read_bytes()
        assert gzip.decompress(file.path.read_bytes()).decode() == "".join(texts[file.venue])


def test_seeds_differ() -> None:
    settings = GeneratorSettings(duration_ns=SECOND_NS)
    assert by_venue(generate(settings, 1)) != by_venue(generate(settings, 2))


def test_a_longer_market_begins_like_a_shorter_one() -> None:
    short = GeneratorSettings(duration_ns=2 * SECOND_NS)
    until = short.start_ns + short.duration_ns
    shorter = [line for line in generate(short, 3) if line.receive_ns < until]
    longer = list(generate(short.model_copy(update={"duration_ns": 3 * SECOND_NS}), 3))
    assert longer[: len(shorter)] == shorter
