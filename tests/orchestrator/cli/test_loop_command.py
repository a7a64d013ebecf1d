"""``tickwire loop``: runs until interrupted, shows what it counted, says what is wrong."""

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
from market.fastpath.specification import StepKind
from market.wire.sbe import decode
from orchestrator.cli.exits import ExitCode
from tests.orchestrator.cli.terminal import Terminal
from tests.orchestrator.loop.rig import Rig, bound, open_rig
from tests.processes import mortal

COMMAND = (sys.executable, "-c", "import sys; from orchestrator.cli import main; sys.exit(main())", "loop")


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
            assert process.stderr.readline().startswith("receiving 6 channels; triggers go to 127.0.0.1:")
            yield process
        finally:
            if process.poll() is None:
                process.kill()


@pytest.mark.parametrize("request_to_end", [signal.SIGINT, signal.SIGTERM])
def test_when_interrupted_it_shows_what_it_counted(tmp_path: Path, request_to_end: signal.Signals) -> None:
    with open_rig() as rig, running(rig, tmp_path, "--json", "--event-log", "steps.sbe") as process:
        rig.quote("btc-usdm", 1, 61_599, 61_600)
        rig.quote("btc-usdm", 2, 61_599, 61_600)
        rig.quote("btc-spot", 1, 61_900, 61_901)
        rig.quote("btc-usdm", 3, 61_598, 61_599)
        assert rig.trigger().name == "Trigger"
        process.send_signal(request_to_end)
        out, err = process.communicate()
    assert process.returncode == ExitCode.INTERRUPTED
    assert "interrupted: after" in err
    result = json.loads(out)
    assert result["loop"]["triggers_sent"] == result["triggers"]["ARB"] >= 1
    assert result["channels"]["btc-spot"]["datagrams"] == 1
    log = (tmp_path / "steps.sbe").read_bytes()
    first = decode(SCHEMA, log)
    assert (first.name, first.fields["number"], first.fields["kind"]) == ("LogStep", 1, StepKind.CONTROL)
    assert log.count(b"BTCUSDT") >= 3


def test_people_get_tables(tmp_path: Path) -> None:
    with open_rig() as rig, running(rig, tmp_path) as process:
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate()
    assert process.returncode == ExitCode.INTERRUPTED
    assert "kernel_drops" in out
    assert "btc-spot" in out


def test_a_port_in_use_is_a_missing_peer(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_rig() as rig, bound() as other:
        for name, value in rig.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("TICKWIRE__LOOP__CONTROL_PORT", str(other.getsockname()[1]))
        ended = terminal.run("loop", "--json")
    assert ended.code == ExitCode.MISSING
    assert "in use by another socket" in ended.json["error"]["message"]


def test_a_log_that_cannot_be_written_is_unusable(terminal: Terminal) -> None:
    ended = terminal.run("loop", "--event-log", "no/such/folder/steps.sbe")
    assert ended.code == ExitCode.INPUT
    assert "no/such/folder/steps.sbe cannot be written: No such file or directory" in ended.err


def test_a_mistake_in_the_settings_is_named(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKWIRE__LOOP__WAIT", "never")
    ended = terminal.run("loop")
    assert ended.code == ExitCode.USAGE
    assert "must be 'busy' or 'sleep'" in ended.err
