"""What is reckoned of a DeepLOB's windows: never less than the model's own products; as the page has it."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from benchmarks.gpu.expected import Device, reckon, recurrent_instructions, table, tower_instructions
from gpu.models.architecture import PAPER_DEEPLOB, PUBLIC_DEEPLOB, DeepLob, vectors_per_window

MULTIPLICATIONS = 16 * 8 * 16
PAGE = Path(__file__).parents[2] / "docs/gpu.md"


def products_of_a_row(architecture: DeepLob) -> int:
    """Multiplications of a row's vector, but for the first layer's."""
    places = {"pair": 2 * architecture.levels, "level": architecture.levels}
    return sum(
        math.prod(shape) * places.get(name.partition(".")[0], 1)
        for name, shape in architecture.shapes.items()
        if name.endswith((".weight", "0.input")) and name not in ("pair.across.weight", "dense.weight")
    )


@pytest.mark.parametrize("architecture", [PUBLIC_DEEPLOB, PAPER_DEEPLOB])
def test_instructions_cover_all_products_and_not_much_more(architecture: DeepLob) -> None:
    needed = products_of_a_row(architecture)
    assert needed < tower_instructions(architecture) * MULTIPLICATIONS < 1.25 * needed
    recurrent = (vectors_per_window(architecture) - 1) * 4 * architecture.hidden**2 + 3 * architecture.hidden
    assert recurrent < recurrent_instructions(architecture) * MULTIPLICATIONS < 1.01 * recurrent


def test_the_public_size_has_the_products_that_were_counted_by_hand() -> None:
    # Of 20 pairs, 10 levels, the book; of the branches; of the gates.
    tower = 20 * 2 * 4 * 32**2 + 10 * (2 + 4 + 4) * 32**2 + (10 + 4 + 4) * 32**2
    branches = 3 * 32 * 64 + (3 + 5) * 64**2
    assert products_of_a_row(PUBLIC_DEEPLOB) == tower + branches + 192 * 256 == 372_736


def test_a_faster_gpu_takes_less() -> None:
    slow, fast = (sum(line.seconds for line in reckon(PUBLIC_DEEPLOB, Device(tanh=rate))) for rate in (1e12, 2e12))
    assert slow - fast == pytest.approx(78 * 64 * 5 / 2e12)


def test_the_page_has_the_table_that_the_command_prints() -> None:
    assert table() in PAGE.read_text(encoding="utf-8")
