"""``tickwire exchange``."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from market.errors import MissingInput
from orchestrator.exchange.command import read_plan
from sim.faults.plan import FaultKind
from tests.orchestrator.cli.terminal import Terminal
from tests.processes import mortal

_PROGRAM = "import sys; from orchestrator.cli import main; sys.exit(main())"


@contextmanager
def running(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own; it is killed if it is still there in the end."""
    command = [sys.executable, "-c", _PROGRAM, "exchange", "--profile", "demo", "--json", *words]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TICKWIRE__")}
    with (
        subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process,
        mortal(process),
    ):
        try:
            yield process
        finally:
            process.kill()


def test_it_serves_until_interrupted(tmp_path: Path) -> None:
    with running(tmp_path) as process:
        assert process.stdout
        told = json.loads(process.stdout.readline())
        assert set(told) == {"venues", "symbols", "keys"}
        for name, path in (("binance-spot", "time"), ("binance-usdm", "ping")):
            with urllib.request.urlopen(f"{told['venues'][name]['rest']}/{path}", timeout=120) as answer:
                assert answer.status == 200
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=120)
        assert process.returncode == 130, error


def test_it_ends_after_a_time_and_shows_addresses_and_keys(terminal: Terminal) -> None:
    ended = terminal.run("exchange", "--profile", "demo", "--seconds", "0.05")
    assert ended.code == 0, ended.err
    assert "/ws-api/v3" in ended.out
    assert "hmac key: " in ended.out
    assert "BEGIN PRIVATE KEY" in ended.out


def test_a_port_that_is_taken_is_named(terminal: Terminal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = terminal.run("exchange", "--profile", "demo", "--port", port)
    assert ended.code == 3
    assert f"cannot listen on 127.0.0.1:{port}" in ended.err


def test_a_plan_of_faults_is_read(tmp_path: Path) -> None:
    path = tmp_path / "faults.toml"
    path.write_text('seed = 7\n[[faults]]\nkind = "lost-answer"\npermille = 100\n', encoding="utf-8")
    plan = read_plan(path)
    assert (plan.seed, plan.faults[0].kind, plan.faults[0].permille) == (7, FaultKind.LOST_ANSWER, 100)


def test_the_plan_in_the_documentation_is_right(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs/exchange.md").read_text(encoding="utf-8")
    path = tmp_path / "faults.toml"
    path.write_text(text.partition("```toml")[2].partition("```")[0], encoding="utf-8")
    kinds = [fault.kind for fault in read_plan(path).faults]
    assert kinds == [FaultKind.DROP, FaultKind.DELAY, FaultKind.DISCONNECT]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read"),
        (b"[[faults", "is no TOML"),
        (b"\xff", "is no TOML"),
        (b'[[faults]]\nkind = "rain"', "faults.0.kind"),
        (b'[[faults]]\nkind = "delay"', "amount_ns was 0"),
    ],
)
def test_a_plan_that_is_wrong_is_refused(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "faults.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MissingInput, match=says):
        read_plan(path)
