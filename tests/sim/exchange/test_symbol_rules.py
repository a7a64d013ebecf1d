"""A venue that changes how a symbol is traded: what it says of it, and which orders it takes."""

from __future__ import annotations

import time
from typing import Any

import pytest

from market.errors import Fatal
from sim.exchange.venue.symbol_rules import SymbolRules
from sim.faults.plan import FaultPlan, SymbolChange
from tests.sim.exchange.clients import Raw, raw, signed
from tests.sim.exchange.stage import ACCOUNT, FUTURES, HMAC, SPOT, Stage, Wishes, play

ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
ROOTS = {SPOT: "/api/v3", FUTURES: "/fapi/v1"}


async def place(client: Raw, venue: str, price: str, quantity: str) -> int:
    """Code of the refusal, 0 for an order that was taken."""
    form = signed(HMAC, {**ORDER, "price": price, "quantity": quantity})
    _, content, _ = await client.ask(f"{ROOTS[venue]}/order", form, method="POST", key=HMAC, venue=venue)
    return int(content.get("code", 0))


async def listed(client: Raw, venue: str, symbol: str = "BTCUSDT") -> dict[str, Any]:
    """What the venue says of a symbol, its filters by name."""
    _, content, _ = await client.ask(f"{ROOTS[venue]}/exchangeInfo", venue=venue)
    found: dict[str, Any] = next(each for each in content["symbols"] if each["symbol"] == symbol)
    return found | {each["filterType"]: each for each in found["filters"]}


def change(stage: Stage, **values: Any) -> None:
    stage.server.faults.change(SymbolChange(symbol="BTCUSDT", **values), time.time_ns())
    for server in stage.server.servers.values():
        server.pulse()


@pytest.mark.parametrize(("venue", "code"), [(SPOT, -1013), (FUTURES, -4141)])
def test_a_closed_symbol_takes_no_orders_and_keeps_those_that_work(venue: str, code: int) -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            assert await place(client, venue, "59000", "0.01") == 0
            change(stage, venue=venue, is_trading=False)
            assert (await listed(client, venue))["status"] == "BREAK"
            assert await place(client, venue, "59000", "0.01") == code
            other = FUTURES if venue == SPOT else SPOT
            assert (await listed(client, other))["status"] == "TRADING"
            simulated = stage.spot if venue == SPOT else stage.futures
            assert len(simulated.open_orders(ACCOUNT)) == 1
            assert simulated.cancel_all(ACCOUNT, "BTCUSDT", time.time_ns())
            stage.server.faults.clear()
            stage.server.servers[venue].pulse()
            assert (await listed(client, venue))["status"] == "TRADING"
            assert await place(client, venue, "59000", "0.01") == 0

    play(scene)


@pytest.mark.parametrize(
    ("venue", "tick", "codes"), [(SPOT, "0.1", (-1013, -1013, -1013)), (FUTURES, "1", (-4014, -4023, -4164))]
)
def test_coarser_filters_are_stated_and_hold(venue: str, tick: str, codes: tuple[int, int, int]) -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            change(stage, venue=venue, tick_factor=10)
            change(stage, venue=venue, lot_factor=10, notional_factor=200)
            found = await listed(client, venue)
            assert float(found["PRICE_FILTER"]["tickSize"]) == float(tick)
            lot = "0.0001" if venue == SPOT else "0.01"
            assert float(found["LOT_SIZE"]["stepSize"]) == float(found["LOT_SIZE"]["minQty"]) == float(lot)
            worth = found.get("NOTIONAL") or found["MIN_NOTIONAL"]
            assert float(worth.get("minNotional") or worth["notional"]) == 1_000
            off = "59000.01" if venue == SPOT else "59000.1"
            assert await place(client, venue, off, "0.1") == codes[0]
            assert await place(client, venue, "59000", "0.10001" if venue == SPOT else "0.101") == codes[1]
            assert await place(client, venue, "59000", "0.01") == codes[2]
            assert await place(client, venue, "59000", "0.1") == 0

    play(scene)


def test_a_plan_changes_symbols_at_its_times() -> None:
    plan = FaultPlan(changes=(SymbolChange(is_trading=False, at_ns=0, duration_ns=2**61),))

    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            for server in stage.server.servers.values():
                server.pulse()
            assert (await listed(client, SPOT, "ETHUSDT"))["status"] == "BREAK"
            assert (await listed(client, FUTURES))["status"] == "BREAK"

    play(scene, Wishes(plan=plan))


def test_steps_cannot_be_smaller_than_the_book_s() -> None:
    with pytest.raises(Fatal, match="expected factors of at least 1"):
        SymbolRules(tick_factor=0)
