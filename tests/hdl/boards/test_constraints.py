"""The tops of the boards, as far as they go without a board: every clock is constrained, every line has its pins."""

from __future__ import annotations

import json
from ipaddress import IPv4Address

import pytest

pytest.importorskip("amaranth_boards", reason="the fpga extra is not installed: make test installs it")

from hdl.boards.board import Board
from hdl.boards.catalogue import board_build
from hdl.boards.geared_core import COMPACT_HERTZ, CORE_HERTZ
from hdl.boards.line_board import BOARD_BUS_BYTES, COMPACT_SPARING
from hdl.boards.network import BoardNetwork
from hdl.control.seal import BoardSeal
from market.fastpath.specification import Feed
from tests.hdl.kept import kept_text, name_of

NETWORK = BoardNetwork(address=IPv4Address("10.1.2.3"), host=IPv4Address("10.1.2.4"))
SEAL = BoardSeal(bytes(range(16)), floor=1_000)
LINE = 'FREQUENCY NET "lines.line_clock" 125000000.0 HZ;'
CORE, COMPACT = (f'FREQUENCY NET "core_clock.core_clock" {hertz}.0 HZ;' for hertz in (CORE_HERTZ, COMPACT_HERTZ))
CORES = {Board.ECPIX5: CORE, Board.BUTTERSTICK: CORE, Board.COLORLIGHT: COMPACT}
CLOCKS = {
    Board.ECPIX5: (LINE, 'FREQUENCY PORT "clk100_0__io" 100000000.0 HZ;'),
    Board.BUTTERSTICK: (LINE, 'FREQUENCY PORT "clk30_0__io" 30000000.0 HZ;'),
    Board.COLORLIGHT: (LINE, 'FREQUENCY PORT "clk25_0__io" 25000000.0 HZ;'),
    Board.WIDE_CORE: ('FREQUENCY NET "core_clock" 156250000.0 HZ;',),
}
LINE_PINS = ("rx_clk", "rx_data", "rx_ct", "tx_clk", "tx_data", "tx_ct")
PINS = {**dict.fromkeys(Board, LINE_PINS), Board.WIDE_CORE: ("rx_clk", "rx_ctrl", "tx_ctrl")}


FORMS = [*((board, 8) for board in Board), (Board.ECPIX5, 1)]


def prepare(board: Board, bus_bytes: int, feeds: frozenset[Feed] | None) -> str:
    """Constraints and description of a build by their suffix, as its tools are given them; as JSON."""
    made = board_build(board, NETWORK, SEAL, feeds, bus_bytes)
    files = made.platform.prepare(made.top, "top", emit_src=False).files
    texts = {suffix: files[f"top.{suffix}"] for suffix in ("lpf", "il")}
    return json.dumps({suffix: text if isinstance(text, str) else text.decode() for suffix, text in texts.items()})


def prepared(board: Board, bus_bytes: int = BOARD_BUS_BYTES, feeds: frozenset[Feed] | None = None) -> dict[str, str]:
    """The same, from the cache where neither this file nor anything that a build is made from has changed."""
    name = name_of(prepare, (board, bus_bytes, feeds), {}, ("amaranth", "amaranth-boards"))
    found: dict[str, str] = json.loads(kept_text(name, ".json", lambda: prepare(board, bus_bytes, feeds)))
    return found


@pytest.mark.parametrize(("board", "bus_bytes"), FORMS, ids=lambda value: getattr(value, "value", value))
def test_every_clock_is_constrained_and_the_line_has_its_pins(board: Board, bus_bytes: int) -> None:
    constraints = prepared(board, bus_bytes)["lpf"]
    assert all(clock in constraints for clock in CLOCKS[board])
    made = {constraint for constraint in CORES.values() if constraint in constraints}
    assert made == ({CORES[board]} if bus_bytes == 8 and board in CORES else set())
    assert all(f'LOCATE COMP "eth_rgmii_0__{name}' in constraints for name in PINS[board])


def test_what_is_mapped_sparingly_is_there() -> None:
    modules = prepared(Board.COLORLIGHT)["il"].split("\nmodule ")
    named = {module.partition("\n")[0].strip().removeprefix("\\top."): module for module in modules}
    assert set(COMPACT_SPARING.apart) <= set(named)
    for path in COMPACT_SPARING.unshown:
        assert "$memrd_v2" in named[path], path


def test_a_build_may_have_fewer_decoders() -> None:
    few = prepared(Board.COLORLIGHT)["il"]
    more = prepared(Board.COLORLIGHT, feeds=frozenset({Feed.BINANCE_SBE, Feed.STARBASE}))["il"]
    assert "core.books.packets" not in few
    assert "core.books.packets" in more
