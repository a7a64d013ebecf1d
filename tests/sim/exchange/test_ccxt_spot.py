"""CCXT trades on spot: every call of its own, over HTTP and over WebSockets, as its users make them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from market.orders.kinds import Side
from sim.exchange.keys import ApiKey
from sim.exchange.venue.model import BackgroundModel
from tests.sim.exchange.clients import ccxt_spot
from tests.sim.exchange.stage import ED25519, HMAC, PRICE, READ_ONLY, Stage, Wishes, play, soon

SYMBOL = "BTC/USDT"
BEST_BID, BEST_ASK = PRICE - 10.0, PRICE + 10.0


def test_markets_have_their_filters() -> None:
    async def scene(stage: Stage) -> None:
        async with ccxt_spot(stage) as client:
            assert set(client.markets) == {SYMBOL, "ETH/USDT"}
            market = client.markets[SYMBOL]
            assert market["active"]
            assert (market["precision"]["price"], market["precision"]["amount"]) == (0.01, 0.00001)
            assert market["limits"]["cost"]["min"] == 5.0

    play(scene)


@pytest.mark.parametrize("key", [HMAC, ED25519], ids=["hmac", "ed25519"])
def test_balances_are_those_of_the_key(key: ApiKey) -> None:
    async def scene(stage: Stage) -> None:
        async with ccxt_spot(stage, key) as client:
            balance = await client.fetch_balance()
            assert balance["USDT"] == {"free": 1_000_000.0, "used": 0.0, "total": 1_000_000.0}
            assert balance["BTC"]["total"] == 10.0

    play(scene)


def test_a_market_order_takes_and_pays() -> None:
    async def scene(stage: Stage) -> None:
        async with ccxt_spot(stage) as client:
            order = await client.create_order(SYMBOL, "market", "buy", 0.5, None, {"clientOrderId": "m-1"})
            assert (order["status"], order["filled"], order["average"]) == ("closed", 0.5, BEST_ASK)
            assert order["clientOrderId"] == "m-1"
            assert order["fee"] == {"currency": "BTC", "cost": 0.0005}
            balance = await client.fetch_balance()
            assert balance["BTC"]["free"] == pytest.approx(10.4995, abs=1e-12)
            assert balance["USDT"]["free"] == 1_000_000.0 - 0.5 * BEST_ASK
            trades = await client.fetch_my_trades(SYMBOL)
            assert [trade["order"] for trade in trades] == [order["id"]]
            assert trades[0]["info"]["commission"] == "0.00050000"

    play(scene)


def test_a_market_order_by_cost() -> None:
    async def scene(stage: Stage) -> None:
        async with ccxt_spot(stage) as client:
            order = await client.create_market_buy_order_with_cost(SYMBOL, 6_001.0)
            assert order["filled"] == 0.1
            assert order["cost"] == 6_001.0

    play(scene)


@pytest.mark.parametrize(
    ("time_in_force", "amount", "status", "filled"),
    [("GTC", 12, "open", 10.0), ("IOC", 12, "expired", 10.0), ("FOK", 12, "expired", 0.0), ("FOK", 10, "closed", 10.0)],
)
def test_limit_orders_work_as_long_as_they_say(time_in_force: str, amount: float, status: str, filled: float) -> None:
    async def scene(stage: Stage) -> None:
        async with ccxt_spot(stage) as client:
            words = {"timeInForce": time_in_force}
            order = await client.create_order(SYMBOL, "limit", "buy", amount, BEST_ASK, words)
            assert (order["status"], order["filled"]) == (status, filled)
            again = await client.fetch_order(order["id"], SYMBOL)
            assert (again["status"], again["filled"], again["remaining"]) == (status, filled, amount - filled)

    play(scene)


def test_a_post_only_order_makes_or_is_refused() -> None:
    import ccxt

    async def scene(stage: Stage) -> None:
        async with ccxt_spot(stage) as client:
            order = await client.create_order(SYMBOL, "limit", "buy", 1, BEST_BID, {"postOnly": True})
            assert (order["type"], order["status"]) == ("limit", "open")
            assert order["postOnly"]
            with pytest.raises(ccxt.OrderImmediatelyFillable):
                await client.create_order(SYMBOL, "limit", "buy", 1, BEST_ASK, {"postOnly": True})

    play(scene)


@pytest.mark.parametrize("limited", [False, True], ids=["stop", "stop-limit"])
def test_a_stop_order_waits_for_its_price(limited: bool) -> None:
    async def scene(stage: Stage) -> None:
        async with ccxt_spot(stage) as client:
            kind, price = ("limit", BEST_BID - 30) if limited else ("market", None)
            order = await client.create_order(SYMBOL, kind, "sell", 1, price, {"stopLossPrice": BEST_BID - 10})
            found = await client.fetch_order(order["id"], SYMBOL)
            assert (found["status"], found["triggerPrice"]) == ("open", BEST_BID - 10)
            stage.quote(Side.BUY, BEST_BID - 20, 5)
            stage.quote(Side.SELL, BEST_BID - 20, 10.5)
            found = await client.fetch_order(order["id"], SYMBOL)
            assert (found["status"], found["average"]) == ("closed", BEST_BID - 20)

    play(scene)


def test_a_take_profit_order_waits_for_its_price() -> None:
    async def scene(stage: Stage) -> None:
        async with ccxt_spot(stage) as client:
            words = {"takeProfitPrice": BEST_ASK}
            order = await client.create_order(SYMBOL, "market", "sell", 1, None, words)
            assert (await client.fetch_order(order["id"], SYMBOL))["status"] == "open"
            await client.create_order(SYMBOL, "market", "buy", 0.1)
            assert (await client.fetch_order(order["id"], SYMBOL))["status"] == "closed"

    play(scene)


def test_one_order_of_a_pair_cancels_the_other() -> None:
    async def scene(stage: Stage) -> None:
        async with ccxt_spot(stage) as client:
            pair = await client.private_post_orderlist_oco(
                {
                    "symbol": "BTCUSDT",
                    "side": "SELL",
                    "quantity": "1",
                    "aboveType": "LIMIT_MAKER",
                    "abovePrice": "60500",
                    "belowType": "STOP_LOSS_LIMIT",
                    "belowStopPrice": "59000",
                    "belowPrice": "58900",
                    "belowTimeInForce": "GTC",
                }
            )
            assert pair["contingencyType"] == "OCO"
            assert len(await client.fetch_open_orders(SYMBOL)) == 2
            stage.quote(Side.BUY, 60_500, 11)
            orders = await client.fetch_orders(SYMBOL)
            assert {order["status"] for order in orders} == {"closed", "expired"}
            found = await client.private_get_orderlist({"orderListId": pair["orderListId"]})
            assert found["listOrderStatus"] == "ALL_DONE"

    play(scene)


def test_a_pair_is_cancelled_whole() -> None:
    async def scene(stage: Stage) -> None:
        async with ccxt_spot(stage) as client:
            words = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "1", "price": "60500", "stopPrice": "59000"}
            pair = await client.private_post_order_oco(words)
            assert len(await client.private_get_openorderlist()) == 1
            ended = await client.private_delete_orderlist({"symbol": "BTCUSDT", "orderListId": pair["orderListId"]})
            assert {report["status"] for report in ended["orderReports"]} == {"CANCELED"}
            assert await client.fetch_open_orders(SYMBOL) == []

    play(scene)


def test_orders_are_cancelled_and_asked_for() -> None:
    import ccxt

    async def scene(stage: Stage) -> None:
        async with ccxt_spot(stage) as client:
            first, second, third = [
                await client.create_order(SYMBOL, "limit", "buy", 1, 59_000 - step, {"clientOrderId": f"o-{step}"})
                for step in range(3)
            ]
            assert (await client.cancel_order(first["id"], SYMBOL))["status"] == "canceled"
            found = await client.fetch_order(None, SYMBOL, {"origClientOrderId": "o-1"})
            assert found["id"] == second["id"]
            assert [order["id"] for order in await client.fetch_open_orders(SYMBOL)] == [second["id"], third["id"]]
            await client.cancel_all_orders(SYMBOL)
            assert await client.fetch_open_orders(SYMBOL) == []
            orders = await client.fetch_orders(SYMBOL)
            assert [order["status"] for order in orders] == ["canceled"] * 3
            with pytest.raises(ccxt.OrderNotFound):
                await client.cancel_order(first["id"], SYMBOL)
            with pytest.raises(ccxt.OrderNotFound):
                await client.fetch_order("999", SYMBOL)

    play(scene)


def test_an_order_is_replaced() -> None:
    async def scene(stage: Stage) -> None:
        async with ccxt_spot(stage) as client:
            before = await client.create_order(SYMBOL, "limit", "buy", 1, 59_000)
            after = await client.edit_order(before["id"], SYMBOL, "limit", "buy", 2, 58_000)
            assert (after["amount"], after["price"], after["status"]) == (2.0, 58_000.0, "open")
            assert (await client.fetch_order(before["id"], SYMBOL))["status"] == "canceled"

    play(scene)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("limit", "buy", 100, 59_000), "InsufficientFunds"),
        (("limit", "buy", 0.00001, 59_000), "BadRequest"),
        (("limit", "buy", 1, 500_000), "InvalidOrder"),
    ],
)
def test_refusals_are_understood(words: tuple[Any, ...], error: str) -> None:
    import ccxt

    async def scene(stage: Stage) -> None:
        async with ccxt_spot(stage) as client:
            with pytest.raises(getattr(ccxt, error)):
                await client.create_order(SYMBOL, *words)

    play(scene)


def test_a_client_order_id_is_taken_once_while_it_works() -> None:
    import ccxt

    async def scene(stage: Stage) -> None:
        async with ccxt_spot(stage) as client:
            words = {"clientOrderId": "same"}
            await client.create_order(SYMBOL, "limit", "buy", 1, 59_000, words)
            with pytest.raises(ccxt.InvalidOrder, match="Duplicate order sent"):
                await client.create_order(SYMBOL, "limit", "buy", 1, 59_000, words)

    play(scene)


def test_a_key_that_may_not_trade_may_read() -> None:
    import ccxt

    async def scene(stage: Stage) -> None:
        async with ccxt_spot(stage, READ_ONLY) as client:
            await client.fetch_balance()
            with pytest.raises((ccxt.AuthenticationError, ccxt.DDoSProtection)):
                await client.create_order(SYMBOL, "market", "buy", 0.1)

    play(scene)


def test_the_book_is_watched() -> None:
    async def scene(stage: Stage) -> None:
        async with ccxt_spot(stage) as client:
            book = await soon(client.watch_order_book(SYMBOL))
            assert (book["bids"][0][0], book["asks"][0][0]) == (BEST_BID, BEST_ASK)
            for step in range(5):
                stage.quote(Side.BUY, BEST_BID + 1 + step, 1)
                while book["bids"][0][0] != BEST_BID + 1 + step:
                    book = await soon(client.watch_order_book(SYMBOL))
            own = await client.fetch_order_book(SYMBOL)
            assert (book["bids"], book["asks"]) == (own["bids"], own["asks"])

    play(scene)


def test_the_book_follows_busy_traders() -> None:
    async def scene(stage: Stage) -> None:
        async with ccxt_spot(stage) as client:
            for _ in range(8):
                book = await soon(client.watch_order_book(SYMBOL))
                assert book["bids"][0][0] < book["asks"][0][0]
            depth = stage.spot.depth("BTCUSDT")
            while book["nonce"] < depth.last_update_id:
                book = await soon(client.watch_order_book(SYMBOL))

    busy = BackgroundModel(seed=5, requote_ns=5_000_000, trades_per_minute=6_000)
    play(scene, Wishes(background=busy))


def test_the_market_is_asked_for() -> None:
    async def scene(stage: Stage) -> None:
        async with ccxt_spot(stage) as client:
            stage.quote(Side.BUY, BEST_ASK, 1)
            stage.quote(Side.SELL, BEST_BID, 2)
            trades = await client.fetch_trades(SYMBOL)
            assert [(trade["side"], trade["price"], trade["amount"]) for trade in trades] == [
                ("buy", BEST_ASK, 1.0),
                ("sell", BEST_BID, 2.0),
            ]
            ticker = await client.fetch_ticker(SYMBOL)
            assert (ticker["open"], ticker["last"], ticker["baseVolume"]) == (BEST_ASK, BEST_BID, 3.0)
            assert (ticker["high"], ticker["low"], ticker["bid"]) == (BEST_ASK, BEST_BID, BEST_BID)
            best = await client.fetch_bids_asks([SYMBOL])
            assert best[SYMBOL]["ask"] == BEST_ASK
            assert set(await client.fetch_tickers()) == {SYMBOL, "ETH/USDT"}

    play(scene)


def test_trades_are_watched() -> None:
    async def scene(stage: Stage) -> None:
        async with ccxt_spot(stage) as client:
            watched = asyncio.ensure_future(client.watch_trades(SYMBOL))
            while not watched.done():
                await client.create_order(SYMBOL, "market", "buy", 0.1)
            (trade,) = (await watched)[-1:]
            assert (trade["side"], trade["price"], trade["amount"]) == ("buy", BEST_ASK, 0.1)

    play(scene)


def test_orders_and_balances_are_watched() -> None:
    async def scene(stage: Stage) -> None:
        async with ccxt_spot(stage) as client:
            await client.authenticate()
            orders = asyncio.ensure_future(client.watch_orders(SYMBOL))
            balance = asyncio.ensure_future(client.watch_balance())
            await asyncio.sleep(0)
            placed = await client.create_order(SYMBOL, "limit", "buy", 1, BEST_ASK, {"clientOrderId": "w-1"})
            seen = (await soon(orders))[-1]
            while seen["status"] != "closed":
                seen = (await soon(client.watch_orders(SYMBOL)))[-1]
            assert (seen["id"], seen["clientOrderId"], seen["filled"]) == (placed["id"], "w-1", 1.0)
            held = await soon(balance)
            while held["BTC"]["total"] == 10.0:
                held = await soon(client.watch_balance())
            assert held["BTC"]["total"] == 10.999

    play(scene)


def test_orders_go_over_a_websocket() -> None:
    import ccxt

    async def scene(stage: Stage) -> None:
        async with ccxt_spot(stage) as client:
            order = await client.create_order_ws(SYMBOL, "limit", "buy", 1, 59_000, {"clientOrderId": "ws-1"})
            assert order["status"] == "open"
            assert (await client.fetch_order_ws(order["id"], SYMBOL))["clientOrderId"] == "ws-1"
            assert [one["id"] for one in await client.fetch_open_orders_ws(SYMBOL)] == [order["id"]]
            assert (await client.cancel_order_ws(order["id"], SYMBOL))["status"] == "canceled"
            taken = await client.create_order_ws(SYMBOL, "market", "sell", 0.5)
            assert (taken["status"], taken["average"]) == ("closed", BEST_BID)
            held = (await client.fetch_balance_ws())["info"]["balances"]
            assert {"asset": "BTC", "free": "9.50000000", "locked": "0.00000000"} in held
            with pytest.raises(ccxt.OrderNotFound):
                await client.cancel_order_ws(order["id"], SYMBOL)
            with pytest.raises(ccxt.InsufficientFunds):
                await client.create_order_ws(SYMBOL, "limit", "buy", 100, 59_000)

    play(scene)


def test_an_ed25519_key_signs_over_a_websocket() -> None:
    async def scene(stage: Stage) -> None:
        async with ccxt_spot(stage, ED25519) as client:
            order = await client.create_order_ws(SYMBOL, "limit", "buy", 1, 59_000)
            assert order["status"] == "open"

    play(scene)
