"""``tickwire fpga ping`` and ``selftest``: the host's side of a board, or of the simulated core in its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import wraps
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Final

import click

from market.receive.words import Endpoint
from orchestrator.cli.exits import ExitCode
from orchestrator.cli.output import Output, with_output
from orchestrator.cli.profile import load_profile, profile_option
from orchestrator.clock import SystemClock
from orchestrator.engine.tables import engine_sizes
from orchestrator.fpga.board import IpAddress
from orchestrator.fpga.host import BoardHost
from orchestrator.fpga.key_file import read_key
from orchestrator.fpga.selftest import Outcome, SelfTest
from orchestrator.fpga.selftest_plan import Places
from orchestrator.fpga.serial_line import SerialLine
from orchestrator.loop.sockets import open_control, open_sender

SELFTEST_PORT: Final = 31_950
"""Quotes of the first venue; those of the second go to the next port."""
_port = click.IntRange(1, 65_535)
_STATUS_SHOWN: Final = ("id", "epoch", "killed", "step", "number", "parity", "time", "quoteEvents", "controlApplied")
_GUARD_SHOWN: Final = ("forged", "replayed", "loosened", "controlLost", "lineErrors")


@dataclass(frozen=True, slots=True)
class Peer:
    """Where a board is, where it answers to, and its key."""

    address: IPv4Address
    control_port: int
    bind: IPv4Address
    message_port: int
    key_file: Path | None
    serial: Path | None
    timeout: float

    def open(self, stack: ExitStack) -> BoardHost:
        """A host on a socket of its own."""
        key = None if self.key_file is None else read_key(self.key_file)
        own = stack.enter_context(open_control(Endpoint(self.bind, self.message_port)))
        way = None if self.serial is None else stack.enter_context(SerialLine(self.serial)).send
        return BoardHost(own, Endpoint(self.address, self.control_port), SystemClock(), key, self.timeout, way)


def peer_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of ``Peer``, given to the command as one argument."""
    options = (
        click.option("--address", type=IpAddress(), default="192.168.1.50", show_default=True, help="The board's."),
        click.option("--control-port", type=_port, default=31_901, show_default=True, help="The board's."),
        click.option("--bind", type=IpAddress(), default="0.0.0.0", show_default=True, help="Own address to use."),
        click.option(
            "--message-port", type=_port, default=31_900, show_default=True, help="Where the board answers to."
        ),
        click.option(
            "--key-file",
            type=click.Path(path_type=Path, dir_okay=False),
            help="The board's key; without it messages are not sealed, which only the simulated core takes.",
        ),
        click.option(
            "--serial",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Send control messages over this serial device; the board answers over the network.",
        ),
        click.option(
            "--timeout", type=click.FloatRange(0.01, 60), default=1.0, show_default=True, help="Seconds for an answer."
        ),
    )

    @wraps(command)
    def gathered(*args: Any, **words: Any) -> None:
        values = {name: words.pop(name) for name in Peer.__dataclass_fields__}
        command(*args, peer=Peer(**values), **words)

    for option in reversed(options):
        gathered = option(gathered)
    return gathered


@click.command()
@peer_options
@with_output
def ping(output: Output, /, peer: Peer) -> None:
    """Ask a board for its status. Takes one number of its control messages: no other host may be at work."""
    with ExitStack() as stack:
        host = peer.open(stack)
        host.adopt()
        status, answer = host.status()
        guard = None if host.key is None else host.report("BoardCounters")
    shown = {name: status[name] for name in _STATUS_SHOWN} | {"parity": f"{status['parity']:08x}"}
    shown["killed"] = bool(status["killed"])
    result: dict[str, Any] = {
        "board": f"{peer.address}:{peer.control_port}",
        "round_trip_us": answer.round_trip_ns / 1e3,
        **shown,
        "guard": None if guard is None else {name: guard[name] for name in _GUARD_SHOWN},
    }
    rows = [(name, str(value)) for name, value in result.items() if name != "guard"]
    output.table("", ("status", "value"), rows + _pairs(guard, _GUARD_SHOWN))
    output.emit(result)


@click.command()
@peer_options
@profile_option
@click.option("--log-port", type=_port, default=31_902, show_default=True, help="Where the board sends its event log.")
@click.option("--market-address", type=IpAddress(), help="Destination of the quotes.  [default: the board's address]")
@click.option(
    "--market-port", type=click.IntRange(1, 65_534), default=SELFTEST_PORT, show_default=True, help="And the next one."
)
@click.option("--rounds", type=click.IntRange(1, 1_000), default=8, show_default=True, help="Six triggers each.")
@click.option("--force", is_flag=True, help="Also with an armed board: it is stopped.")
@with_output
def selftest(
    output: Output,
    /,
    peer: Peer,
    profile: str,
    log_port: int,
    market_address: IPv4Address | None,
    market_port: int,
    rounds: int,
    force: bool,
) -> None:
    """Arm a board, send it quotes, and compare its triggers with the CPU engine's, byte by byte; then kill it.

    It writes tables, positions and quotes of the board, and leaves it killed. Exit code 1: a check failed.
    """
    to = market_address or peer.address
    places = Places(
        engine_sizes(load_profile(profile).settings), (Endpoint(to, market_port), Endpoint(to, market_port + 1))
    )
    with ExitStack() as stack:
        host = peer.open(stack)
        log = stack.enter_context(open_control(Endpoint(peer.bind, log_port)))
        market = stack.enter_context(open_sender())
        outcome = SelfTest(host, market, log, places, rounds, SystemClock()).run(force=force)
    _show(output, outcome)
    output.emit(outcome.result())
    if not outcome.passed:
        raise click.exceptions.Exit(ExitCode.CHECK_FAILED)


def _show(output: Output, outcome: Outcome) -> None:
    rows = [("ok" if check.passed else "FAILED", check.name, check.seen) for check in outcome.checks]
    output.table("self-test", ("result", "the board", "seen"), rows)
    latency = outcome.latency
    if latency is not None:
        cycle_ns = latency["cycle_ns"]
        measured = f"{latency['measured']} triggers, {latency['unmatched']} without a known frame"
        title = f"last byte of a message in to first byte out, cycles of {cycle_ns:g} ns: {measured}"
        buckets = [(name, f"{count:,}") for name, count in latency["cycles"].items()]
        output.table(title, ("cycles", "triggers"), buckets, right=("triggers",))
        extremes = latency["minimum_cycles"], latency["maximum_cycles"]
        output.say("since its configuration: {} to {} cycles".format(*extremes))
    output.say("passed" if outcome.passed else "FAILED")


def _pairs(fields: Mapping[str, Any] | None, names: tuple[str, ...]) -> list[tuple[str, str]]:
    return [] if fields is None else [(name, f"{fields[name]:,}") for name in names]
