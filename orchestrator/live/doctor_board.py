"""Checks of the board that decides: its key, whether it answers, over the network and its serial line, its build."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import IPv4Address
from pathlib import Path

from config.credentials import Credentials
from config.settings import Settings
from market.errors import Fatal, MissingInput, Retry
from market.receive.words import Endpoint
from orchestrator.clock import SystemClock
from orchestrator.engine.tables import NS_PER_MS, engine_sizes
from orchestrator.fpga.connection import board_key
from orchestrator.fpga.host import BoardHost
from orchestrator.fpga.serial_line import SerialLine
from orchestrator.fpga.takeover import EPOCH, check_sizes
from orchestrator.live.findings import Finding, Grade
from orchestrator.loop.sockets import open_control

_BUILD = "set TICKWIRE_BOARD_KEY to the key that the board was built with"
_REACH = "check engine.board, the cable and the board's power; `tickwire fpga ping` asks the same"


def examine_board(settings: Settings, credentials: Credentials, serial: Path | None = None) -> Iterator[Finding]:
    """All checks in turn. A board that no run has armed stays killed; its last market's position is 0 afterwards.

    Parameters
    ----------
    serial: the device of the board's serial line, which is tried as well; None: it is not.
    """
    try:
        key = board_key(credentials)
    except MissingInput as missing:
        yield Finding("board key", Grade.FAILED, str(missing), _BUILD)
        return
    yield Finding("board key", Grade.GOOD, "there, of the right length")
    try:
        yield from _conversation(settings, key, serial)
    except (Retry, MissingInput) as problem:
        yield Finding("board", Grade.FAILED, str(problem), _REACH)


def _conversation(settings: Settings, key: bytes, serial: Path | None) -> Iterator[Finding]:
    board, clock = settings.engine.board, SystemClock()
    at = Endpoint(IPv4Address(board.address), board.control_port)
    patience_s = board.answer_ms * NS_PER_MS / 1e9
    with ExitStack() as stack:
        own = stack.enter_context(open_control(Endpoint(IPv4Address(board.bind_address), board.message_port)))
        host = BoardHost(own, at, clock, key, patience_s)
        host.adopt()
        status, answer = host.status()
        seen = f"{at} answered in {answer.round_trip_ns / 1e3:.0f} us, {_state(bool(status['killed']))}"
        counted = host.report("BoardCounters")
        bad = {name: counted[name] for name in ("controlLost", "lineErrors") if counted[name]}
        if bad:
            seen += "".join(f", {name} {count}" for name, count in bad.items())
        yield Finding("board", Grade.WARNING if bad else Grade.GOOD, seen, "messages were lost: check the cables")
        if status["killed"]:
            host.hello(EPOCH)
            yield _sizes(settings, host, int(status["id"]))
        else:
            yield Finding("board armed", Grade.WARNING, "a run has armed it", "end that run: the next one kills it")
        if serial is not None:
            line = stack.enter_context(SerialLine(serial))
            heard = BoardHost(own, at, clock, key, patience_s, line.send).adopt()
            trip_ms = heard.round_trip_ns / NS_PER_MS
            yield Finding("board serial", Grade.GOOD, f"asked by {serial}, it answered in {trip_ms:.1f} ms")


def _sizes(settings: Settings, host: BoardHost, last_id: int) -> Finding:
    """Whether the board was built for the sizes of the settings."""
    sizes = engine_sizes(settings)
    asked = f"{sizes.instruments} instruments, {sizes.venues} venues, prices of {sizes.price_bits} bits"
    try:
        check_sizes(host, sizes, last_id)
    except (MissingInput, Fatal) as differs:
        return Finding("board build", Grade.FAILED, str(differs), "set [engine] as the board was built, or build anew")
    return Finding("board build", Grade.GOOD, asked)


def _state(killed: bool) -> str:
    return "killed, as it should be before a run" if killed else "armed"
