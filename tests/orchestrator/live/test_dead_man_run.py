"""A run that makes a market is killed: its orders are gone from the venue soon after, with nobody there to cancel."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from config.credentials import read_credentials
from config.execution import Mode
from config.loading import load_settings
from market.orders.kinds import Side
from orchestrator.live.session import RunPlan, live_session
from tests.orchestrator.live.exchange_world import (
    ACCOUNT,
    FUTURES,
    PATIENCE_S,
    SPOT,
    SYMBOL,
    ExchangeWorld,
    exchange_world,
)
from tests.orchestrator.live.test_kill import Runs

MAKING = """
[strategies.market_making]
instrument = "BTC"
venue = "binance-spot"
quantity = 0.001
inventory_limit = 0.01
vpin_bucket = 1
maximum_quote_age_ms = 20_000
"""


ARMED = "[risk.dead_man]\nenabled = true\nbeat_ms = 200\ncountdown_ms = 1_000\n"


def open_orders(world: ExchangeWorld, venue: str = SPOT) -> int:
    return len(world.do(lambda: world.venues[venue].open_orders(ACCOUNT)))


def making(world: ExchangeWorld, venue: str = SPOT) -> Path:
    """A profile that makes a market, with the dead-man switches on."""
    profile = world.profile(extra=MAKING.replace(SPOT, venue))
    text = profile.read_text(encoding="utf-8").replace('active = ["arbitrage"]', 'active = ["market-making"]')
    profile.write_text(text.replace("[risk.dead_man]\nenabled = false\n", ARMED), encoding="utf-8")
    return profile


def children(process: int) -> list[int]:
    """The processes that a process has started and that still run."""
    tasks = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text(encoding="ascii").split()]


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 3 * PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_quotes_of_a_killed_market_maker_are_cancelled(tmp_path: Path) -> None:
    with exchange_world(tmp_path) as world:
        profile = making(world)
        with Runs(world) as runs:
            process = runs.start(profile, 60, tmp_path / "result.json")
            wait_for(lambda: open_orders(world) == 2)
            sides = {order.side for order in world.do(lambda: world.venues[SPOT].open_orders(ACCOUNT))}
            os.kill(process, signal.SIGKILL)
            assert os.WTERMSIG(runs.ended()) == signal.SIGKILL
            wait_for(lambda: open_orders(world) == 0)
    assert {side.name for side in sides} == {Side.BUY.name, Side.SELL.name}


def test_a_futures_venue_cancels_by_itself_when_run_and_switch_are_killed(tmp_path: Path) -> None:
    with exchange_world(tmp_path) as world, Runs(world) as runs:
        process = runs.start(making(world, FUTURES), 60, tmp_path / "result.json")
        wait_for(lambda: open_orders(world, FUTURES) == 2)
        switches = children(process)
        for switch in switches:
            os.kill(switch, signal.SIGSTOP)
        os.kill(process, signal.SIGKILL)
        for switch in switches:
            os.kill(switch, signal.SIGKILL)
        assert os.WTERMSIG(runs.ended()) == signal.SIGKILL
        assert switches
        wait_for(lambda: open_orders(world, FUTURES) == 0)
        ended = world.do(lambda: world.venues[FUTURES].all_orders(ACCOUNT, SYMBOL))
    assert {order.status.value for order in ended} == {"CANCELED"}


def test_orders_that_an_orderly_end_leaves_outlive_the_countdown(tmp_path: Path) -> None:
    countdowns: list[int] = []
    notes: list[str] = []
    with exchange_world(tmp_path) as world:
        venue = world.venues[FUTURES]
        set_countdown = venue.countdown_cancel

        def countdown(account: str, symbol: str, countdown_ms: int, now_ns: int) -> None:
            countdowns.append(countdown_ms)
            set_countdown(account, symbol, countdown_ms, now_ns)

        venue.countdown_cancel = countdown  # type: ignore[method-assign]
        settings = load_settings(making(world, FUTURES), environment=world.environment)
        plan = RunPlan(mode=Mode.LIVE, leaves_orders=True)
        with live_session(settings, read_credentials(world.environment), plan, notes.append) as session:

            def end() -> None:
                try:
                    wait_for(lambda: open_orders(world, FUTURES) == 2 and bool(countdowns))
                finally:
                    session.stop("the test is over")

            other = threading.Thread(target=end)
            other.start()
            session.run()
            other.join()
        symbols = len(venue.exchange_info().symbols)
    assert countdowns[:symbols] == [1_000] * symbols
    assert countdowns[-symbols:] == [0] * symbols
    assert not [note for note in notes if "countdown" in note]
