"""The simulated core as a board has it, in a process of its own, and settings that find it."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from config.loading import Loaded, load_with_origins
from tests.orchestrator.fpga.test_soft import COMMAND, READY
from tests.orchestrator.loop.rig import LOOPBACK, free_ports

MARKETS = 8
"""At most; the demo's settings have fewer."""


@dataclass(frozen=True)
class SoftBoard:
    """A running board. ``environment``: variables that hold its place and key."""

    process: subprocess.Popen[str]
    environment: dict[str, str]
    profile: Path

    def loaded(self, **environment: str) -> Loaded:
        """Settings that use it."""
        return load_with_origins(self.profile, environment={**self.environment, **environment})


def _market_ports() -> int:
    """The first of enough free ports in a row."""
    while True:
        (first,) = free_ports(1)
        with ExitStack() as stack, suppress(OSError, OverflowError):
            for number in range(MARKETS):
                opened = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                opened.bind((LOOPBACK, first + number))
            return first


def board_environment() -> dict[str, str]:
    """Free ports and a new key."""
    control, message, log = free_ports(3)
    board = {
        "ADDRESS": LOOPBACK,
        "BIND_ADDRESS": LOOPBACK,
        "CONTROL_PORT": control,
        "MESSAGE_PORT": message,
        "LOG_PORT": log,
        "MARKET_PORT": _market_ports(),
    }
    return {
        **{f"TICKWIRE__ENGINE__BOARD__{name}": str(value) for name, value in board.items()},
        "TICKWIRE__LOOP__CONTROL_PORT": str(control),
        "TICKWIRE__LOOP__HOST_PORT": str(message),
        "TICKWIRE_BOARD_KEY": secrets.token_hex(16),
    }


@contextmanager
def soft_board(folder: Path, profile: str, *words: str) -> Iterator[SoftBoard]:
    """A simulated 8-bit core with sealed control, from the moment that it receives.

    ``profile``: text of the settings, without the places of the board.
    """
    environment = board_environment()
    key, file = folder / "board.key", folder / "board.toml"
    key.write_text(environment["TICKWIRE_BOARD_KEY"], encoding="ascii")
    key.chmod(0o600)
    file.write_text(profile, encoding="utf-8")
    log_port = environment["TICKWIRE__ENGINE__BOARD__LOG_PORT"]
    options = ["--profile", str(file), "--bus", "8", "--selftest-port", "0", "--log-port", log_port]
    command = [*COMMAND, *options, "--key-file", str(key), *words]
    known = {**os.environ, **environment}
    with subprocess.Popen(command, cwd=folder, env=known, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            assert any(line.startswith(READY) for line in process.stderr), "it ended before it was ready"
            yield SoftBoard(process, environment, file)
        finally:
            process.kill()
