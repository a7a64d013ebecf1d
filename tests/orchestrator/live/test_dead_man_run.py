"""A run that makes a market is killed: its orders are gone from the venue soon after, with nobody there to cancel."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from market.orders.kinds import Side
from tests.orchestrator.live.exchange_world import ACCOUNT, PATIENCE_S, SPOT, ExchangeWorld, exchange_world
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


def open_orders(world: ExchangeWorld) -> int:
    return len(world.do(lambda: world.venues[SPOT].open_orders(ACCOUNT)))


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 2 * PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_quotes_of_a_killed_market_maker_are_cancelled(tmp_path: Path) -> None:
    with exchange_world(tmp_path) as world:
        profile = world.profile(extra=MAKING)
        text = profile.read_text(encoding="utf-8").replace('active = ["arbitrage"]', 'active = ["market-making"]')
        text = text.replace("[risk.dead_man]\nenabled = false\n", "[risk.dead_man]\nenabled = true\n")
        profile.write_text(text, encoding="utf-8")
        with Runs(world) as runs:
            process = runs.start(profile, 60, tmp_path / "result.json")
            wait_for(lambda: open_orders(world) == 2)
            sides = {order.side for order in world.do(lambda: world.venues[SPOT].open_orders(ACCOUNT))}
            os.kill(process, signal.SIGKILL)
            assert os.WTERMSIG(runs.ended()) == signal.SIGKILL
            wait_for(lambda: open_orders(world) == 0)
    assert {side.name for side in sides} == {Side.BUY.name, Side.SELL.name}
