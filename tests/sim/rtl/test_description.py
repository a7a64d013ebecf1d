"""A core is described anew when a file changes that it is made from, and for no other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from sim.rtl.description import described_by, digest_of_description

ROOT = Path(__file__).parents[3]
DESCRIPTIONS = ("sim.rtl.build", "sim.rtl.guarded", "sim.rtl.bench.simulator")


def imported(file: Path) -> set[Path]:
    """Files of the project that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{file} imports from a place of its own"
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    places = [ROOT.joinpath(*name.split(".")) for name in names]
    files = [each for place in places for each in (place.with_suffix(".py"), place / "__init__.py")]
    return {each for each in files if each.is_file()}


@pytest.mark.parametrize("module", DESCRIPTIONS)
def test_nothing_that_is_imported_is_missing(module: str) -> None:
    files = set(described_by(module))
    assert ROOT / "hdl" / "core.py" in files
    assert set().union(*map(imported, files)) <= files


def test_boards_are_none_of_a_bare_core() -> None:
    folders = {file.parent.relative_to(ROOT).as_posix() for file in described_by("sim.rtl.build")}
    assert {"hdl/decision", "hdl/ethernet", "market/wire/sbe"} <= folders
    assert not folders & {"hdl/boards", "hdl/formal", "market/fastpath/conformance"}
    assert ROOT / "hdl" / "boards" / "guarded_core.py" in described_by("sim.rtl.guarded")


def test_descriptions_have_names_of_their_own() -> None:
    assert len({digest_of_description(module) for module in DESCRIPTIONS}) == len(DESCRIPTIONS)
