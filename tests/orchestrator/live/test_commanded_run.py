"""A run that is commanded while its tape is kept: new limits hold at once, and the tape gives the same run again."""

from __future__ import annotations

import threading
from decimal import Decimal
from pathlib import Path

import pytest

from config.credentials import read_credentials
from config.execution import Mode
from config.loading import load_settings
from market.errors import Rejected, Retry
from market.orders.kinds import Side
from orchestrator.bus.client import BusClient
from orchestrator.bus.records import BusOrderType, BusSide, NewOrder
from orchestrator.clock import SystemClock
from orchestrator.live.session import RunPlan, live_session
from orchestrator.live.taped import play
from orchestrator.storage.journal_folder import journal_path
from orchestrator.storage.journal_reader import read_journal
from orchestrator.storage.records import Audited
from tests.orchestrator.live.exchange_world import FUTURES, exchange_world
from tests.orchestrator.live.test_live_run import wait_for
from tests.orchestrator.live.test_operator import free_ports

ORDER = NewOrder(
    symbol="BTCUSDT",
    venue="binance-spot",
    side=BusSide.BUY,
    order_type=BusOrderType.LIMIT,
    quantity=Decimal("0.01"),
    price=Decimal(59_980),
)
LOW = "[risk.limits]\nmaximum_order_notional_quote = 100\n"


def with_bus(profile: Path) -> None:
    """Switch a profile's bus on, on free ports."""
    data, commands, responses = free_ports(3)
    bus = (
        f'[bus]\nenabled = true\ndata_address = "tcp://127.0.0.1:{data}"\n'
        f'command_address = "tcp://127.0.0.1:{commands}"\nresponse_address = "tcp://127.0.0.1:{responses}"\n'
        "command_timeout_ms = 5_000\nresponse_timeout_ms = 5_000\n"
    )
    profile.write_text(profile.read_text("utf-8").replace("[bus]\nenabled = false\n", bus), "utf-8")


def is_running(client: BusClient) -> bool:
    try:
        return client.status().state == "running"
    except Retry:
        return False


def test_what_an_operator_does_is_on_the_tape(tmp_path: Path) -> None:
    tape, said = tmp_path / "run.tape", list[str]()
    with exchange_world(tmp_path) as world:
        profile = world.profile()
        with_bus(profile)
        text = profile.read_text("utf-8")
        settings = load_settings(profile, environment=world.environment)
        plan = RunPlan(mode=Mode.LIVE, tape=tape, reread=lambda: load_settings(profile, environment=world.environment))

        def operate() -> None:
            try:
                with BusClient(settings.bus, "test", SystemClock()) as client:
                    wait_for(lambda: is_running(client) and session.readiness.is_ready)
                    said.append(client.place(ORDER).client_order_id)
                    profile.write_text(text.replace("quantity = 0.01", "quantity = 0.005") + LOW, "utf-8")
                    said.append(client.reload())
                    with pytest.raises(Rejected, match=r"quantity was 0\.01; expected at most 0\.005"):
                        client.place(ORDER)
                    profile.write_text(text + "[risk.limits]\ncapital_quote = 7\n", "utf-8")
                    with pytest.raises(Rejected, match="capital_quote"):
                        client.reload()
                    profile.write_text(text + "[nonsense]\n", "utf-8")
                    with pytest.raises(Rejected, match="nonsense"):
                        client.reload()
                    world.quote(FUTURES, Side.BUY, "60600", "0.01")
                    wait_for(lambda: len(client.orders()) == 1)
                    said.append(client.close_all("enough"))
                    wait_for(lambda: client.status().closing == "done")
                    client.shut_down()
            finally:
                session.stop("the operator is done")

        with live_session(settings, read_credentials(world.environment), plan, lambda text: None) as session:
            operator = threading.Thread(target=operate)
            operator.start()
            live = session.run()
            operator.join()
    played, journal, _ = play(tape)
    assert played.orders == live.orders
    assert played.decision_hash == live.decision_hash
    assert played.counts == live.counts
    assert {order.intent.cause.strategy for order in journal.orders().values()} >= {"operator", "arb"}
    assert said[1] == (
        "instruments.BTC.maximum_quantity 0.01 -> 0.005; risk.limits.maximum_order_notional_quote 5000 -> 100"
    )
    assert {order.intent.quantity for order in live.orders if order.intent.cause.strategy == "arb"} == {5_000_000}
    audited = [
        (record.actor, record.action, record.detail)
        for record in read_journal(journal_path(tmp_path / "journal", 1)).records
        if isinstance(record, Audited)
    ]
    assert [action for _, action, _ in audited] == ["reload", "reload refused", "reload refused"]
    assert audited[0] == ("operator", "reload", said[1])
