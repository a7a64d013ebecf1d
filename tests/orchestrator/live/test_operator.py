"""A live run as an operator meets it: asked for its status, halted, emptied, over the real message bus."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from config.credentials import read_credentials
from config.execution import Mode
from config.loading import load_settings
from market.errors import Retry
from market.orders.kinds import Side
from orchestrator.bus.client import BusClient
from orchestrator.cli.entry import main
from orchestrator.clock import SystemClock
from orchestrator.live.session import RunPlan, live_session
from tests.orchestrator.live.exchange_world import FUTURES, PATIENCE_S, exchange_world


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses."""
    opened = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in opened]
    for one in opened:
        one.close()
    return ports


def test_an_operator_sees_positions_and_empties_a_run(tmp_path: Path) -> None:
    data, commands, responses = free_ports(3)
    bus = (
        f'[bus]\nenabled = true\ndata_address = "tcp://127.0.0.1:{data}"\n'
        f'command_address = "tcp://127.0.0.1:{commands}"\nresponse_address = "tcp://127.0.0.1:{responses}"\n'
        "command_timeout_ms = 5_000\nresponse_timeout_ms = 5_000\n"
    )
    with exchange_world(tmp_path) as world:
        profile = world.profile()
        profile.write_text(profile.read_text("utf-8").replace("[bus]\nenabled = false\n", bus), "utf-8")
        said: dict[str, object] = {}
        settings = load_settings(profile, environment=world.environment)

        def until(condition: Callable[[], bool]) -> None:
            end = time.monotonic() + PATIENCE_S
            while not condition():
                assert time.monotonic() < end
                time.sleep(0.02)

        def is_running(client: BusClient) -> bool:
            try:
                return client.status().state == "running"
            except Retry:
                return False

        def operate() -> None:
            try:
                with BusClient(settings.bus, "test", SystemClock()) as client:
                    until(lambda: is_running(client) and session.readiness.is_ready)
                    world.quote(FUTURES, Side.BUY, "60600", "0.01")
                    until(lambda: len(client.positions()) == 2)
                    said["close"] = client.close_all("enough")
                    until(lambda: not client.positions())
                    said["state"] = client.status().state
                    said["resume"] = client.resume()
            finally:
                session.stop("the operator is done")

        plan = RunPlan(mode=Mode.LIVE)
        with live_session(settings, read_credentials(world.environment), plan, lambda text: None) as session:
            operator = threading.Thread(target=operate)
            operator.start()
            summary = session.run()
            operator.join()
    assert "closing 2 positions" in str(said["close"])
    assert said["state"] == "halted"
    assert said["resume"] == "trading is running"
    # Commissions in coins leave less than a lot.
    assert all(abs(position.quantity) < 10_000_000 * 0.002 for position in summary.positions.values())
    assert {order.intent.cause.strategy for order in summary.orders} == {"arb", "risk"}


def test_without_a_run_the_operator_is_told_where_nobody_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data, commands, responses = free_ports(3)
    (tmp_path / "p.toml").write_text(
        f'extends = "demo"\n[bus]\ndata_address = "tcp://127.0.0.1:{data}"\ncommand_timeout_ms = 100\n'
        f'command_address = "tcp://127.0.0.1:{commands}"\nresponse_address = "tcp://127.0.0.1:{responses}"\n',
        encoding="utf-8",
    )
    assert main(["status", "--profile", "p.toml"]) == 4
    assert f"127.0.0.1:{responses}" in capsys.readouterr().err
