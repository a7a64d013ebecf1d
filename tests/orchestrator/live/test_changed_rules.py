"""A venue closes a market or changes its filters during a run: no new orders there, working ones are cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.credentials import read_credentials
from config.execution import Mode
from config.loading import load_settings
from config.settings import Settings
from config.venues import VenueName
from market.errors import Rejected, Retry
from market.orders.kinds import OrderState
from orchestrator.bus.client import BusClient
from orchestrator.clock import SystemClock
from orchestrator.live import rules_watch
from orchestrator.live.session import LiveSession, RunPlan, live_session
from orchestrator.live.taped import play
from orchestrator.risk.market_rules import MarketRules, RulesSource
from orchestrator.run_loop.catalogue import catalogue
from orchestrator.run_loop.summary import RunSummary
from orchestrator.storage.journal_folder import journal_path
from orchestrator.storage.journal_reader import read_journal
from orchestrator.storage.records import Audited
from sim.faults.plan import SymbolChange
from tests.orchestrator.live.exchange_world import ACCOUNT, SPOT, SYMBOL, ExchangeWorld, exchange_world
from tests.orchestrator.live.test_commanded_run import ORDER, is_running, with_bus
from tests.orchestrator.live.test_live_run import wait_for

Script = Callable[[BusClient, LiveSession], None]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ExchangeWorld]:
    monkeypatch.setattr(rules_watch, "_LEAST_PAUSE_S", 0.1)
    with exchange_world(tmp_path) as made:
        yield made


def settings_of(world: ExchangeWorld, every_s: int) -> Settings:
    profile = world.profile()
    with_bus(profile)
    settings = load_settings(profile, environment=world.environment)
    execution = settings.execution.model_copy(update={"rules_every_s": every_s})
    return settings.model_copy(update={"execution": execution})


def change(world: ExchangeWorld, **values: object) -> None:
    """Have the spot venue trade the market otherwise from now on."""
    made = SymbolChange.model_validate({"venue": SPOT, "symbol": SYMBOL, **values})
    world.do(lambda: world.server.faults.change(made, world.clock.now_ns()))


@contextmanager
def operated(world: ExchangeWorld, every_s: int, script: Script, said: list[str]) -> Iterator[RunSummary]:
    """A run on a tape, while an operator does something."""
    settings = settings_of(world, every_s)
    plan = RunPlan(mode=Mode.LIVE, tape=world.folder / "run.tape")
    failed = list[BaseException]()
    with live_session(settings, read_credentials(world.environment), plan, said.append) as session:

        def operate() -> None:
            try:
                with BusClient(settings.bus, "test", SystemClock()) as client:
                    wait_for(lambda: is_running(client) and session.readiness.is_ready)
                    script(client, session)
            except BaseException as error:  # noqa: BLE001 - the test's thread raises it
                failed.append(error)
            finally:
                session.stop("the operator is done")

        operator = threading.Thread(target=operate)
        operator.start()
        summary = session.run()
        operator.join()
    if failed:
        raise failed[0]
    yield summary


def test_a_market_that_is_closed_is_left_alone_until_it_opens_again(world: ExchangeWorld) -> None:
    said: list[str] = []

    def script(client: BusClient, session: LiveSession) -> None:
        client.place(ORDER)
        wait_for(lambda: len(client.orders()) == 1)
        change(world, is_trading=False)
        wait_for(lambda: not client.orders())
        status = client.status()
        assert status.state == "paused"
        assert any("market-rules" in reason and "is BREAK at the venue" in reason for reason in status.reasons)
        with pytest.raises(Rejected, match="BTCUSDT on binance-spot is BREAK at the venue: no orders until"):
            client.place(ORDER)
        world.do(world.server.faults.clear)
        wait_for(lambda: client.status().state == "running")
        client.place(ORDER)
        wait_for(lambda: len(client.orders()) == 1)

    with operated(world, 1, script, said) as summary:
        states = [order.state for order in summary.orders if order.intent.cause.strategy == "operator"]
    assert states == [OrderState.CANCELLED, OrderState.REJECTED, OrderState.CANCELLED]
    texts = [text for text in said if text.startswith("MARKET RULES")]
    assert texts == [
        "MARKET RULES: BTCUSDT on binance-spot is BREAK at the venue: no orders until it is TRADING again",
        "MARKET RULES: BTCUSDT on binance-spot is traded as before",
    ]
    audits = [
        record.detail
        for record in read_journal(journal_path(world.folder / "journal", 1)).records
        if isinstance(record, Audited) and record.action == "market rules"
    ]
    assert [f"MARKET RULES: {detail}" for detail in audits] == texts
    again, _, _ = play(world.folder / "run.tape")
    assert again.orders == summary.orders
    assert again.decision_hash == summary.decision_hash


def test_a_refusal_by_a_changed_filter_has_the_venue_asked_at_once(world: ExchangeWorld) -> None:
    """Nothing is asked at intervals here: only the refusal of an order shows that the tick is another one."""
    off = msgspec.structs.replace(ORDER, price=Decimal("59985"))
    said: list[str] = []

    def script(client: BusClient, session: LiveSession) -> None:
        change(world, tick_factor=1_000, notional_factor=2)
        client.place(off)
        wait_for(lambda: client.status().state == "paused")
        with pytest.raises(Rejected, match="no orders until the run is started again"):
            client.place(ORDER)

    with operated(world, 86_400, script, said) as summary:
        refused = [order for order in summary.orders if order.intent.cause.strategy == "operator"]
    assert [order.state for order in refused] == [OrderState.REJECTED] * 2
    assert "-1013" in refused[0].reason
    (text,) = [text for text in said if text.startswith("MARKET RULES")]
    assert "tick was 0.01; expected 10.00000000, as the venue says" in text
    assert not world.do(lambda: world.venues[SPOT].open_orders(ACCOUNT))


def test_a_venue_that_does_not_answer_is_told_of_once_and_asked_again() -> None:
    settings = load_settings("demo", environment={})
    unknown = Rejected("Invalid symbol.")
    answers: list[Retry | Rejected | dict[str, Any]] = [Retry("nobody there"), {}, unknown, {"symbols": []}, {}, {}]
    said, woken, asked = list[str](), threading.Event(), list[str]()
    asked_all = threading.Event()

    def ask(url: str) -> dict[str, Any]:
        asked.append(url)
        answer = answers[min(len(asked), len(answers)) - 1]
        if len(asked) > len(answers):
            asked_all.set()
        if isinstance(answer, Retry | Rejected):
            raise answer
        return answer

    watch = rules_watch.RulesWatch(
        settings,
        catalogue(settings),
        [VenueName.BINANCE_SPOT],
        every_s=0.01,
        wake=woken.set,
        say=said.append,
        ask=ask,
        least_pause_s=0.001,
    )
    with watch:
        assert asked_all.wait(60)
        assert woken.wait(60)
    whole = "https://api.binance.com/api/v3/exchangeInfo"
    assert set(asked) == {whole, whole + "?symbols=%5B%22BTCUSDT%22%2C%22ETHUSDT%22%5D"}
    assert [text.partition(": ")[2] for text in said] == ["nobody there", "'symbols'"]
    news = watch.source.take()
    assert {one.problem for one in news} == {
        f"{symbol} on binance-spot is unknown at the venue: no orders until it is TRADING again"
        for symbol in ("BTCUSDT", "ETHUSDT")
    }
    assert not watch.source.take()


def test_a_refusal_for_other_reasons_asks_nobody() -> None:
    asked: list[str] = []
    source = RulesSource(tuple, lambda: asked.append("asked"))
    rules = MarketRules(
        source, catalogue(load_settings("demo", environment={})), lambda *about: None, lambda *about: None
    )
    rules.refused('binance {"code":-2010,"msg":"Account has insufficient balance for requested action."}')
    assert asked == []
    rules.refused('binance {"code":-1013,"msg":"Filter failure: PRICE_FILTER"}')
    assert asked == ["asked"]
