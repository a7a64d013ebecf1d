"""The simulated core as a board has it, in a process of its own, and settings that find it."""

from __future__ import annotations

import itertools
import os
import secrets
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from config.loading import Loaded, load_settings, load_with_origins
from tests.orchestrator.fpga.test_soft import COMMAND, READY
from tests.orchestrator.loop.rig import LOOPBACK
from tests.processes import mortal

MARKETS = 8
"""At most; the demo's settings have fewer."""
PORTS = 3 + MARKETS
"""Of a board; the demo has no more channels, either."""
_TRIED = itertools.count()


@dataclass(frozen=True)
class SoftBoard:
    """A running board. ``environment``: variables that hold its place and key."""

    process: subprocess.Popen[str]
    environment: dict[str, str]
    profile: Path

    def loaded(self) -> Loaded:
        """Settings that use it."""
        return load_with_origins(self.profile, environment=self.environment)


def port_block() -> int:
    """The first of ``PORTS`` free ports in a row, below those that the system gives to sockets without one."""
    while True:
        first = 10_000 + (os.getpid() * 7 + next(_TRIED)) * PORTS % 22_000
        with ExitStack() as stack, suppress(OSError):
            for number in range(PORTS):
                opened = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                opened.bind((LOOPBACK, first + number))
            return first


def board_ports() -> dict[str, str]:
    """Free ports as the settings of a board: its control and market ports, its host's for messages and log."""
    first = port_block()
    ports = {"CONTROL_PORT": first, "MESSAGE_PORT": first + 1, "LOG_PORT": first + 2, "MARKET_PORT": first + 3}
    return {f"TICKWIRE__ENGINE__BOARD__{name}": str(port) for name, port in ports.items()}


def board_environment() -> dict[str, str]:
    """Free ports, those of the demo's channels included, and a new key."""
    ports = board_ports()
    channels = enumerate(load_settings("demo").loop.channels, start=port_block())
    return {
        **ports,
        "TICKWIRE__ENGINE__BOARD__ADDRESS": LOOPBACK,
        "TICKWIRE__ENGINE__BOARD__BIND_ADDRESS": LOOPBACK,
        # a busy machine is no silence
        "TICKWIRE__ENGINE__BOARD__ANSWER_MS": "20_000",
        "TICKWIRE__LOOP__CONTROL_PORT": ports["TICKWIRE__ENGINE__BOARD__CONTROL_PORT"],
        "TICKWIRE__LOOP__HOST_PORT": ports["TICKWIRE__ENGINE__BOARD__MESSAGE_PORT"],
        **{f"TICKWIRE__LOOP__CHANNELS__{name.upper().replace('-', '_')}__PORT": str(port) for port, name in channels},
        "TICKWIRE_BOARD_KEY": secrets.token_hex(16),
    }


@contextmanager
def soft_board(folder: Path, profile: str, *words: str, **variables: str) -> Iterator[SoftBoard]:
    """A simulated 8-bit core with sealed control, from the moment that it receives.

    ``profile``: text of the settings, without the places of the board. ``variables``: that these settings need.
    """
    environment = {**board_environment(), **variables}
    key, file = folder / "board.key", folder / "board.toml"
    key.write_text(environment["TICKWIRE_BOARD_KEY"], encoding="ascii")
    key.chmod(0o600)
    file.write_text(profile, encoding="utf-8")
    log_port = environment["TICKWIRE__ENGINE__BOARD__LOG_PORT"]
    options = ["--profile", str(file), "--bus", "8", "--selftest-port", "0", "--log-port", log_port]
    command = [*COMMAND, *options, "--key-file", str(key), *words]
    known = {**os.environ, **environment}
    with (
        subprocess.Popen(command, cwd=folder, env=known, stderr=subprocess.PIPE, text=True) as process,
        mortal(process),
    ):
        try:
            assert process.stderr is not None
            said = []
            for line in process.stderr:
                said.append(line)
                if line.startswith(READY):
                    break
            else:
                raise AssertionError(f"it ended before it was ready: {said}")
            yield SoftBoard(process, environment, file)
        finally:
            process.kill()
