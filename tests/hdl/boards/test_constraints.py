"""The tops of the boards, as far as they go without a board: every clock is constrained, every line has its pins."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

pytest.importorskip("amaranth_boards", reason="the fpga extra is not installed: make test installs it")

from hdl.boards.board import Board
from hdl.boards.catalogue import board_build
from hdl.boards.network import BoardNetwork
from hdl.control.seal import BoardSeal
from market.fastpath.specification import Feed

NETWORK = BoardNetwork(address=IPv4Address("10.1.2.3"), host=IPv4Address("10.1.2.4"))
SEAL = BoardSeal(bytes(range(16)), floor=1_000)
LINE = 'FREQUENCY NET "lines.line_clock" 125000000.0 HZ;'
CORE = 'FREQUENCY NET "core_clock.core_clock" 50000000.0 HZ;'
CLOCKS = {
    Board.ECPIX5: (LINE, 'FREQUENCY PORT "clk100_0__io" 100000000.0 HZ;'),
    Board.BUTTERSTICK: (LINE, 'FREQUENCY PORT "clk30_0__io" 30000000.0 HZ;'),
    Board.COLORLIGHT: (LINE, 'FREQUENCY PORT "clk25_0__io" 25000000.0 HZ;'),
    Board.WIDE_CORE: ('FREQUENCY NET "core_clock" 156250000.0 HZ;',),
}
LINE_PINS = ("rx_clk", "rx_data", "rx_ct", "tx_clk", "tx_data", "tx_ct")
PINS = {**dict.fromkeys(Board, LINE_PINS), Board.WIDE_CORE: ("rx_clk", "rx_ctrl", "tx_ctrl")}


FORMS = [*((board, 8) for board in Board), (Board.ECPIX5, 1)]


@pytest.mark.parametrize(("board", "bus_bytes"), FORMS, ids=lambda value: getattr(value, "value", value))
def test_every_clock_is_constrained_and_the_line_has_its_pins(board: Board, bus_bytes: int) -> None:
    made = board_build(board, NETWORK, SEAL, bus_bytes=bus_bytes)
    constraints = made.platform.prepare(made.top, "top", emit_src=False).files["top.lpf"]
    constraints = constraints if isinstance(constraints, str) else constraints.decode()
    assert all(clock in constraints for clock in CLOCKS[board])
    assert (CORE in constraints) == (bus_bytes == 8 and board is not Board.WIDE_CORE)
    assert all(f'LOCATE COMP "eth_rgmii_0__{name}' in constraints for name in PINS[board])


def test_a_build_may_have_fewer_decoders() -> None:
    def description(feeds: frozenset[Feed] | None) -> str:
        made = board_build(Board.COLORLIGHT, NETWORK, SEAL, feeds)
        return str(made.platform.prepare(made.top, "top", emit_src=False).files["top.il"])

    few, more = description(None), description(frozenset({Feed.BINANCE_SBE, Feed.STARBASE}))
    assert "core.books.packets" not in few
    assert "core.books.packets" in more
