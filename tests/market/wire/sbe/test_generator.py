"""The generated kernels are what the generator writes today, and it refuses what kernels cannot read."""

from __future__ import annotations

from pathlib import Path

import pytest

from market.errors import Fatal
from market.wire.binary import FIRST_FIELD
from market.wire.sbe import load_schema
from market.wire.sbe.generated import CHOICES, target
from market.wire.sbe.generator import Choice, kernel_source
from market.wire.schemas import BINANCE_STREAM, COINBASE_DERIVATIVES

FEATURES = load_schema(Path(__file__).parent / "features.xml")


@pytest.mark.parametrize("schema", CHOICES, ids=lambda path: path.stem)
def test_generated_source_is_current(schema: Path) -> None:
    assert target(schema).read_text(encoding="utf-8") == kernel_source(load_schema(schema), CHOICES[schema])


def choice(name: str, slots: dict[str, int] | None = None) -> Choice:
    return Choice({"message": name}, slots or {}, frozenset(), FIRST_FIELD)


def test_arrays_and_younger_fields_are_refused() -> None:
    with pytest.raises(Fatal, match=r"Everything\.code is an array or younger"):
        kernel_source(FEATURES, choice("Everything"))
    with pytest.raises(Fatal, match="is an array or younger than its message"):
        kernel_source(load_schema(COINBASE_DERIVATIVES), choice("EndOfSnapshot"))


def test_every_group_needs_a_slot() -> None:
    with pytest.raises(Fatal, match="has groups trades; each needs a slot"):
        kernel_source(load_schema(BINANCE_STREAM), choice("TradesStreamEvent"))


def test_big_endian_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "big.xml"
    path.write_text(BINANCE_STREAM.read_text(encoding="utf-8").replace("littleEndian", "bigEndian"), encoding="utf-8")
    with pytest.raises(Fatal, match=r"big\.xml is big-endian"):
        kernel_source(load_schema(path), choice("BestBidAskStreamEvent"))
