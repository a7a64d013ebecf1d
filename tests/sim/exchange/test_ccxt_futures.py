"""CCXT trades USD-M futures: every call of its own, over HTTP and over WebSockets."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from market.orders.kinds import Side
from sim.exchange.keys import ApiKey
from tests.sim.exchange.clients import ccxt_futures
from tests.sim.exchange.stage import ED25519, FUTURES, HMAC, PATIENCE_S, PRICE, Stage, play, soon

SYMBOL = "BTC/USDT:USDT"
BEST_BID, BEST_ASK = PRICE - 10.0, PRICE + 10.0


def test_markets_have_their_filters() -> None:
    async def scene(stage: Stage) -> None:
        async with ccxt_futures(stage) as client:
            market = client.markets[SYMBOL]
            assert market["active"]
            assert market["linear"]
            assert (market["precision"]["price"], market["precision"]["amount"]) == (0.1, 0.001)
            assert market["limits"]["cost"]["min"] == 5.0

    play(scene)


@pytest.mark.parametrize("key", [HMAC, ED25519], ids=["hmac", "ed25519"])
def test_the_wallet_is_that_of_the_key(key: ApiKey) -> None:
    async def scene(stage: Stage) -> None:
        async with ccxt_futures(stage, key) as client:
            assert (await client.fetch_balance())["USDT"]["total"] == 1_000_000.0

    play(scene)


def test_a_market_order_opens_a_position() -> None:
    async def scene(stage: Stage) -> None:
        async with ccxt_futures(stage) as client:
            order = await client.create_order(SYMBOL, "market", "buy", 2, None, {"clientOrderId": "m-1"})
            assert (order["status"], order["filled"], order["average"]) == ("closed", 2.0, BEST_ASK)
            assert order["clientOrderId"] == "m-1"
            (position,) = await client.fetch_positions([SYMBOL])
            assert (position["side"], position["contracts"], position["entryPrice"]) == ("long", 2.0, BEST_ASK)
            trades = await client.fetch_my_trades(SYMBOL)
            assert [(trade["order"], trade["fee"]["cost"]) for trade in trades] == [(order["id"], 60.01)]
            balance = await client.fetch_balance()
            assert balance["info"]["totalWalletBalance"] == "999939.99000000"

    play(scene)


def test_reducing_closes_a_position_and_no_more() -> None:
    import ccxt

    async def scene(stage: Stage) -> None:
        async with ccxt_futures(stage) as client:
            await client.create_order(SYMBOL, "market", "buy", 1)
            closed = await client.create_order(SYMBOL, "market", "sell", 1, None, {"reduceOnly": True})
            assert closed["filled"] == 1.0
            assert await client.fetch_positions([SYMBOL]) == []
            with pytest.raises(ccxt.InvalidOrder, match="ReduceOnly"):
                await client.create_order(SYMBOL, "market", "sell", 1, None, {"reduceOnly": True})
            income = await client.fapiprivate_get_income({"incomeType": "REALIZED_PNL"})
            assert [entry["income"] for entry in income] == ["-20.00000000"]

    play(scene)


@pytest.mark.parametrize(
    ("time_in_force", "amount", "status", "filled"),
    [("GTC", 12, "open", 10.0), ("IOC", 12, "expired", 10.0), ("FOK", 12, "expired", 0.0), ("FOK", 10, "closed", 10.0)],
)
def test_limit_orders_work_as_long_as_they_say(time_in_force: str, amount: float, status: str, filled: float) -> None:
    async def scene(stage: Stage) -> None:
        async with ccxt_futures(stage) as client:
            words = {"timeInForce": time_in_force}
            order = await client.create_order(SYMBOL, "limit", "buy", amount, BEST_ASK, words)
            assert (order["status"], order["filled"]) == (status, filled)
            again = await client.fetch_order(order["id"], SYMBOL)
            assert (again["status"], again["filled"], again["remaining"]) == (status, filled, amount - filled)

    play(scene)


def test_a_post_only_order_makes_or_is_refused() -> None:
    import ccxt

    async def scene(stage: Stage) -> None:
        async with ccxt_futures(stage) as client:
            order = await client.create_order(SYMBOL, "limit", "buy", 1, BEST_BID, {"postOnly": True})
            assert (order["timeInForce"], order["postOnly"], order["status"]) == ("PO", True, "open")
            with pytest.raises(ccxt.OrderNotFillable):
                await client.create_order(SYMBOL, "limit", "buy", 1, BEST_ASK, {"postOnly": True})

    play(scene)


@pytest.mark.parametrize("limited", [False, True], ids=["stop-market", "stop"])
def test_a_conditional_order_waits_for_its_price(limited: bool) -> None:
    async def scene(stage: Stage) -> None:
        async with ccxt_futures(stage) as client:
            kind, price = ("limit", BEST_BID - 30) if limited else ("market", None)
            words = {"stopLossPrice": BEST_BID - 10, "clientOrderId": "stop-1"}
            order = await client.create_order(SYMBOL, kind, "sell", 1, price, words)
            assert (order["status"], order["triggerPrice"], order["clientOrderId"]) == (
                "open",
                BEST_BID - 10,
                "stop-1",
            )
            assert await client.fetch_open_orders(SYMBOL) == []
            waiting = await client.fetch_open_orders(SYMBOL, None, None, {"trigger": True})
            assert [one["id"] for one in waiting] == [order["id"]]
            stage.quote(Side.BUY, BEST_BID - 20, 5, venue=FUTURES)
            stage.quote(Side.SELL, BEST_BID - 20, 10.5, venue=FUTURES)
            found = await client.fetch_order(order["id"], SYMBOL)
            assert (found["status"], found["average"]) == ("closed", BEST_BID - 20)
            found = await client.fetch_order(order["id"], SYMBOL, {"trigger": True})
            assert found["info"]["algoStatus"] == "FINISHED"

    play(scene)


def test_a_conditional_order_is_cancelled() -> None:
    import ccxt

    async def scene(stage: Stage) -> None:
        async with ccxt_futures(stage) as client:
            order = await client.create_order(SYMBOL, "market", "buy", 1, None, {"takeProfitPrice": BEST_BID - 50})
            with pytest.raises(ccxt.OrderNotFound):
                await client.cancel_order(order["id"], SYMBOL)
            await client.cancel_order(order["id"], SYMBOL, {"trigger": True})
            assert await client.fetch_open_orders(SYMBOL, None, None, {"trigger": True}) == []

    play(scene)


def test_conditional_orders_have_endpoints_of_their_own() -> None:
    import ccxt

    async def scene(stage: Stage) -> None:
        async with ccxt_futures(stage) as client:
            words = {"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET", "quantity": "1", "stopPrice": "59000"}
            with pytest.raises(ccxt.ExchangeError, match="-4120"):
                await client.fapiprivate_post_order(words)

    play(scene)


def test_orders_are_cancelled_and_asked_for() -> None:
    import ccxt

    async def scene(stage: Stage) -> None:
        async with ccxt_futures(stage) as client:
            orders = await client.create_orders(
                [
                    {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 1, "price": 59_000 - step}
                    for step in range(4)
                ]
            )
            assert [order["status"] for order in orders] == ["open"] * 4
            first, second, third, fourth = (order["id"] for order in orders)
            assert (await client.cancel_order(first, SYMBOL))["status"] == "canceled"
            await client.cancel_orders([second, third], SYMBOL)
            assert [order["id"] for order in await client.fetch_open_orders(SYMBOL)] == [fourth]
            await client.cancel_all_orders(SYMBOL)
            assert [order["status"] for order in await client.fetch_orders(SYMBOL)] == ["canceled"] * 4
            with pytest.raises(ccxt.OrderNotFound):
                await client.cancel_order(first, SYMBOL)
            with pytest.raises(ccxt.OrderNotFound):
                await client.fetch_order("999", SYMBOL)

    play(scene)


def test_a_batch_says_what_became_of_each_order() -> None:
    async def scene(stage: Stage) -> None:
        async with ccxt_futures(stage) as client:
            legs = [
                {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": amount, "price": 59_000}
                for amount in (1, 100_000)
            ]
            orders = await client.create_orders(legs)
            outcomes = {order["status"]: order["info"].get("code") for order in orders}
            assert outcomes == {"open": None, "rejected": -2019}

    play(scene)


def test_an_order_is_changed() -> None:
    async def scene(stage: Stage) -> None:
        async with ccxt_futures(stage) as client:
            before = await client.create_order(SYMBOL, "limit", "buy", 1, 59_000)
            after = await client.edit_order(before["id"], SYMBOL, "limit", "buy", 2, 58_000)
            assert (after["id"], after["amount"], after["price"]) == (before["id"], 2.0, 58_000.0)

    play(scene)


def test_leverage_margin_and_countdown_are_set() -> None:
    import ccxt

    async def scene(stage: Stage) -> None:
        async with ccxt_futures(stage) as client:
            assert (await client.set_leverage(5, SYMBOL))["leverage"] == 5
            with pytest.raises(ccxt.MarginModeAlreadySet):
                await client.set_margin_mode("cross", SYMBOL)
            tiers = await client.fetch_leverage_tiers([SYMBOL])
            assert tiers[SYMBOL][0]["maxLeverage"] == 125.0
            assert not (await client.fetch_position_mode(SYMBOL))["hedged"]
            answer = await client.fapiprivate_post_countdowncancelall({"symbol": "BTCUSDT", "countdownTime": 5000})
            assert answer == {"symbol": "BTCUSDT", "countdownTime": "5000"}

    play(scene)


def test_a_countdown_that_is_not_renewed_cancels() -> None:
    async def scene(stage: Stage) -> None:
        async with ccxt_futures(stage) as client:
            await client.create_order(SYMBOL, "limit", "buy", 1, 59_000)
            await client.fapiprivate_post_countdowncancelall({"symbol": "BTCUSDT", "countdownTime": 50})
            async with asyncio.timeout(PATIENCE_S):
                while await client.fetch_open_orders(SYMBOL):
                    await asyncio.sleep(0.01)

    play(scene)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("limit", "buy", 10_000, 59_000), "InsufficientFunds"),
        (("limit", "buy", 1, 500_000), "BadRequest"),
    ],
)
def test_refusals_are_understood(words: tuple[Any, ...], error: str) -> None:
    import ccxt

    async def scene(stage: Stage) -> None:
        async with ccxt_futures(stage) as client:
            with pytest.raises(getattr(ccxt, error)):
                await client.create_order(SYMBOL, *words)

    play(scene)


def test_the_book_is_watched() -> None:
    async def scene(stage: Stage) -> None:
        async with ccxt_futures(stage) as client:
            watched = asyncio.ensure_future(client.watch_order_book(SYMBOL))
            step = 0
            while not watched.done():
                step += 1
                stage.quote(Side.BUY, BEST_BID + step / 10, 0.1, venue=FUTURES)
                await asyncio.sleep(0.01)
            book = await watched
            for more in range(3):
                best = BEST_ASK - 1 - more
                stage.quote(Side.SELL, best, 1, venue=FUTURES)
                while book["asks"][0][0] != best:
                    book = await soon(client.watch_order_book(SYMBOL))
            own = await client.fetch_order_book(SYMBOL)
            assert (book["bids"], book["asks"]) == (own["bids"], own["asks"])

    play(scene)


def test_the_market_is_asked_for() -> None:
    async def scene(stage: Stage) -> None:
        async with ccxt_futures(stage) as client:
            stage.quote(Side.BUY, BEST_ASK, 1, venue=FUTURES)
            trades = await client.fetch_trades(SYMBOL)
            assert [(trade["side"], trade["amount"]) for trade in trades] == [("buy", 1.0)]
            assert (await client.fetch_ticker(SYMBOL))["last"] == BEST_ASK
            rate = await client.fetch_funding_rate(SYMBOL)
            assert (rate["markPrice"], rate["fundingRate"]) == (BEST_ASK, 0.0001)

    play(scene)


def test_trades_are_watched() -> None:
    async def scene(stage: Stage) -> None:
        async with ccxt_futures(stage) as client:
            watched = asyncio.ensure_future(client.watch_trades(SYMBOL))
            while not watched.done():
                await client.create_order(SYMBOL, "market", "sell", 0.1)
            (trade,) = (await watched)[-1:]
            assert (trade["side"], trade["price"], trade["amount"]) == ("sell", BEST_BID, 0.1)

    play(scene)


def test_orders_and_balances_are_watched() -> None:
    async def scene(stage: Stage) -> None:
        async with ccxt_futures(stage) as client:
            orders = asyncio.ensure_future(client.watch_orders(SYMBOL))
            balance = asyncio.ensure_future(client.watch_balance())
            placed: dict[str, Any] = {}
            while not orders.done():
                placed = await client.create_order(SYMBOL, "limit", "buy", 0.5, BEST_ASK)
                await asyncio.sleep(0.01)
            seen = (await orders)[-1]
            while seen["id"] != placed["id"] or seen["status"] != "closed":
                seen = (await soon(client.watch_orders(SYMBOL)))[-1]
            assert (seen["filled"], seen["average"]) == (0.5, BEST_ASK)
            held = await soon(balance)
            assert held["USDT"]["total"] < 1_000_000.0

    play(scene)


def test_conditional_orders_are_watched() -> None:
    async def scene(stage: Stage) -> None:
        async with ccxt_futures(stage) as client:
            orders = asyncio.ensure_future(client.watch_orders(SYMBOL))
            words = {"stopLossPrice": BEST_BID - 100}
            while not orders.done():
                await client.create_order(SYMBOL, "market", "sell", 0.5, None, words)
                await client.cancel_all_orders(SYMBOL, {"trigger": True})
                await asyncio.sleep(0.01)
            seen = {order["status"] for order in await orders}
            assert seen <= {"open", "canceled"}

    play(scene)


def test_orders_go_over_a_websocket() -> None:
    import ccxt

    async def scene(stage: Stage) -> None:
        async with ccxt_futures(stage) as client:
            order = await client.create_order_ws(SYMBOL, "limit", "buy", 1, 59_000, {"clientOrderId": "ws-1"})
            assert order["status"] == "open"
            assert (await client.fetch_order_ws(order["id"], SYMBOL))["clientOrderId"] == "ws-1"
            assert (await client.cancel_order_ws(order["id"], SYMBOL))["status"] == "canceled"
            taken = await client.create_order_ws(SYMBOL, "market", "sell", 0.5)
            assert (taken["status"], taken["average"]) == ("closed", BEST_BID)
            (position,) = await client.fetch_positions_ws([SYMBOL])
            assert (position["side"], position["contracts"]) == ("short", 0.5)
            waiting = await client.create_order_ws(SYMBOL, "market", "buy", 1, None, {"stopLossPrice": 61_000})
            assert waiting["info"]["algoStatus"] == "NEW"
            await client.cancel_order_ws(waiting["id"], SYMBOL, {"trigger": True})
            with pytest.raises(ccxt.InsufficientFunds):
                await client.create_order_ws(SYMBOL, "limit", "buy", 10_000, 59_000)

    play(scene)
