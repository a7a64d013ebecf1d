"""``tickwire fpga``: the hardware; ``soft`` puts the simulated core in the place of a board."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from config.errors import Problem, SettingsError
from config.settings import Settings
from hdl.control.seal import BoardSeal
from market.fastpath.layout import SCHEMA
from market.receive.words import Endpoint
from market.wire.sbe import decode
from orchestrator.cli.exits import Interrupted
from orchestrator.cli.output import Output, with_output
from orchestrator.cli.profile import load_profile, profile_option
from orchestrator.clock import SystemClock
from orchestrator.engine.tables import engine_sizes
from orchestrator.fpga.board import build, flash, key, report, verilog
from orchestrator.fpga.connection import board_markets
from orchestrator.fpga.key_file import read_key
from orchestrator.fpga.peer import SELFTEST_PORT, ping, selftest
from orchestrator.loop.channels import destination
from orchestrator.loop.sockets import endpoint_of, open_channel, open_control

if TYPE_CHECKING:
    from sim.rtl.bridge import SoftBoard

_WAIT_S: Final = 1.0
_LOG_PORT: Final = 31_902


@click.group()
def fpga() -> None:
    """The hardware: boards and the simulated core."""


for _board_command in (key, build, report, flash, verilog, ping, selftest):
    fpga.add_command(_board_command)


@fpga.command()
@profile_option
@click.option("--bus", type=click.Choice(["8", "64"]), default="64", show_default=True, help="Bits per clock cycle.")
@click.option(
    "--log-port", type=click.IntRange(1, 65_535), default=_LOG_PORT, show_default=True, help="Port of the event log."
)
@click.option(
    "--selftest-port",
    type=click.IntRange(0, 65_534),
    default=SELFTEST_PORT,
    show_default=True,
    help="Takes the quotes of tickwire fpga selftest at the control address, here and at the next port; 0: nowhere.",
)
@click.option(
    "--key-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Take sealed control messages only, as a board does, and tell latencies.",
)
@click.option("--stamped", is_flag=True, help="Take times from the datagrams, for tickwire replay --engine fpga.")
@with_output
def soft(
    output: Output,
    /,
    profile: str,
    bus: str,
    log_port: int,
    selftest_port: int,
    key_file: Path | None,
    stamped: bool,
) -> None:
    """Run the simulated core in place of a board, on sockets; shows what it counted when interrupted.

    Channels, control address and host are those of [loop]: the host is another process, so loop.host_port must be
    set. Triggers, acknowledgements and status messages go to the host's port, the event log to --log-port beside it.
    With a key its clock begins at zero, as a board's does, and it takes the market data of a live run or a replay at
    engine.board.market_port and the ports behind it.
    """
    settings = load_profile(profile).settings
    seal = None if key_file is None else BoardSeal(read_key(key_file), SystemClock().now_ns())
    with ExitStack() as stack:
        board = _open_board(settings, int(bus) // 8, log_port, selftest_port, seal, stamped, output, stack)
        try:
            while True:
                board.turn(_WAIT_S)
        except KeyboardInterrupt:
            result = _result(board)
            _show(output, result)
            output.emit(result)
            raise Interrupted(f"after {result['cycles']:,} cycles; the counters are complete") from None


def _open_board(
    settings: Settings,
    bus_bytes: int,
    log_port: int,
    selftest_port: int,
    seal: BoardSeal | None,
    stamped: bool,
    output: Output,
    stack: ExitStack,
) -> SoftBoard:
    """A board with a core from the cache, or built first, and with open sockets."""
    # the hardware's tools are an extra: only these commands need them
    from sim.rtl.addresses import BoardAddresses
    from sim.rtl.bridge import BoardSockets, SoftBoard
    from sim.rtl.engine import SoftFpga, build_core
    from sim.rtl.model import Area

    loop = settings.loop
    if loop.host_port == 0:
        raise SettingsError(Problem("settings", "loop.host_port", "was 0: must be the port of the board's host"))
    sizes = engine_sizes(settings)
    build = build_core(sizes, bus_bytes=bus_bytes, guarded=seal is not None, say=output.note)
    sockets = _open_sockets(settings, selftest_port, seal is not None, stack)
    own, host = endpoint_of(sockets[1]), Endpoint(IPv4Address(loop.host_address), loop.host_port)
    addresses = BoardAddresses(
        source_address=own.address,
        source_port=own.port,
        destination_address=host.address,
        message_port=host.port,
        log_port=log_port,
    )
    core = SoftFpga(build, sizes, addresses=addresses, seal=seal, keep=[Area.SENT])
    stack.callback(core.close)
    stack.enter_context(_termination_interrupts())
    output.note(f"the simulated core receives {len(sockets[0])} channels; control at {own} by {host}; interrupt to end")
    return SoftBoard(core, BoardSockets(*sockets), host, _clock_of(seal), stamped=stamped)


def _clock_of(seal: BoardSeal | None) -> Callable[[], int]:
    """A board's clock counts from its configuration; an engine of this machine has the system's."""
    clock = SystemClock()
    if seal is None:
        return clock.now_ns
    began_ns = clock.monotonic_ns()
    return lambda: clock.monotonic_ns() - began_ns


def _open_sockets(
    settings: Settings, selftest_port: int, is_board: bool, stack: ExitStack
) -> tuple[list[tuple[Any, Endpoint]], Any]:
    loop = settings.loop
    wanted = [(destination(channel), channel.interface) for channel in loop.channels.values()]
    own = IPv4Address(loop.control_address)
    if is_board:
        wanted += [(to, "") for to in board_markets(settings, own).destinations]
    if selftest_port:
        wanted += [(Endpoint(own, port), "") for port in (selftest_port, selftest_port + 1)]
    channels = []
    for to, interface in wanted:
        opened = open_channel(to, interface=interface, buffer_bytes=loop.receive_buffer_bytes)
        channels.append((stack.enter_context(opened), to))
    control = open_control(Endpoint(IPv4Address(loop.control_address), loop.control_port))
    return channels, stack.enter_context(control)


@contextmanager
def _termination_interrupts() -> Iterator[None]:
    """A polite request to end is an interrupt: the counters are shown."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _result(board: SoftBoard) -> dict[str, Any]:
    """What the board did, ready for JSON."""
    frames = dict(decode(SCHEMA, board.soft.frame_counters()).fields)
    return {
        "cycles": board.soft.cycles,
        "steps": frames.pop("step"),
        "datagrams": asdict(board.traffic),
        "frames": frames,
        "counters": board.soft.counters,
        "parity": f"{board.soft.parity:08x}",
    }


def _show(output: Output, result: dict[str, Any]) -> None:
    for title in ("datagrams", "frames", "counters"):
        counted = [(name, f"{count:,}") for name, count in result[title].items() if count]
        if counted:
            output.table(title, ("counter", "count"), counted, right=("count",))
