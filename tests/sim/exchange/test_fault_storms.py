"""An exchange under random faults: it stays up, and money is neither made nor lost."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import ClientError

from sim.exchange.venue.model import BackgroundModel
from sim.faults.plan import FaultKind, drawn_plan
from sim.generator.chance import Chance
from tests.sim.exchange.clients import Raw, raw, signed, signed_values
from tests.sim.exchange.stage import ACCOUNT, FUTURES, HMAC, PRICE, SPOT, Stage, Wishes, play

RUN_NS = 600_000_000
PATIENCE_S = 0.1
PATHS = {SPOT: "/api/v3", FUTURES: "/fapi/v1"}
API = {SPOT: "/ws-api/v3", FUTURES: "/ws-fapi/v1"}
STREAMS = {SPOT: "/ws/btcusdt@depth@100ms/btcusdt@trade", FUTURES: "/public/ws/btcusdt@bookTicker"}
BROKEN = (ClientError, ConnectionError, TimeoutError, ValueError)
"""What a client sees of faults; anything else is a mistake of the server."""


def order(chance: Chance) -> dict[str, Any]:
    """An order near the market."""
    price = PRICE - 50 + chance.below(100)
    side = "BUY" if chance.sign() > 0 else "SELL"
    kind = {"type": "LIMIT", "timeInForce": ("GTC", "IOC", "FOK")[chance.below(3)], "price": str(price)}
    if chance.below(4) == 0:
        kind = {"type": "MARKET"}
    return {"symbol": "BTCUSDT", "side": side, "quantity": f"0.0{1 + chance.below(9)}", **kind}


async def trade(client: Raw, venue: str, chance: Chance) -> None:
    """One order or cancellation over HTTP, or a few over a WebSocket."""
    root = PATHS[venue]
    choice = chance.below(4)
    if choice == 0:
        await client.ask(f"{root}/order", signed(HMAC, order(chance)), method="POST", key=HMAC, venue=venue)
    elif choice == 1:
        path = f"{root}/openOrders" if venue == SPOT else f"{root}/allOpenOrders"
        await client.ask(path, signed(HMAC, {"symbol": "BTCUSDT"}), method="DELETE", key=HMAC, venue=venue)
    elif choice == 2:
        socket = await client.open(API[venue], venue=venue)
        for _ in range(3):
            await socket.call("order.place", signed_values(HMAC, order(chance)))
    else:
        socket = await client.open(STREAMS[venue], venue=venue)
        await socket.next()


@pytest.mark.parametrize("seed", range(6))
def test_faults_break_connections_and_nothing_else(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    async def scene(stage: Stage) -> None:
        chance = Chance(seed, stream=99)
        loop = asyncio.get_running_loop()
        end_s = loop.time() + RUN_NS / 1e9
        done = 0
        async with raw(stage) as client:
            while loop.time() < end_s or not done:
                try:
                    await asyncio.wait_for(trade(client, (SPOT, FUTURES)[chance.below(2)], chance), PATIENCE_S)
                    done += 1
                except BROKEN:
                    await asyncio.sleep(0.005)
            stage.server.faults.clear()
            for venue in (SPOT, FUTURES):
                status, content, _ = await client.ask(f"{PATHS[venue]}/time", venue=venue)
                assert (status, set(content)) == (200, {"serverTime"})
        for simulated in (stage.spot, stage.futures):
            assert set(simulated.totals().values()) == {0}
            assert simulated.account(ACCOUNT)

    plan = drawn_plan(seed, venues=(SPOT, FUTURES, ""), duration_ns=RUN_NS)
    play(scene, Wishes(background=BackgroundModel(seed=seed, requote_ns=3_000_000), plan=plan))
    assert [record.getMessage() for record in caplog.records if record.name.startswith("aiohttp")] == []


def test_the_seeds_draw_many_kinds() -> None:
    plans = [drawn_plan(seed, venues=(SPOT, FUTURES, ""), duration_ns=RUN_NS) for seed in range(6)]
    assert len({fault.kind for plan in plans for fault in plan.faults}) > len(FaultKind) // 2
