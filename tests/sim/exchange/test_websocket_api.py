"""The WebSocket API as it is on the wire."""

from __future__ import annotations

from typing import Any

import pytest

from market.orders.kinds import Side
from sim.exchange.venue.model import UNIT
from tests.sim.exchange.clients import Socket, raw, signed_values
from tests.sim.exchange.stage import ACCOUNT, ED25519, FUTURES, HMAC, OTHER_KEY, Stage, play

PATH, FUTURES_PATH = "/ws-api/v3", "/ws-fapi/v1"
ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1", "price": "59000"}


def now(stage: Stage) -> int:
    return stage.server.servers["binance-spot"].service.now_ns()


def test_requests_are_answered_with_their_id_and_the_limits() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket = await client.open(PATH)
            answer = await socket.call("ping")
            assert (answer["status"], answer["result"]) == (200, {})
            (weight,) = answer["rateLimits"]
            assert (weight["rateLimitType"], weight["interval"]) == ("REQUEST_WEIGHT", "MINUTE")
            assert 1 <= weight["count"] <= 3
            assert "rateLimits" not in await socket.call("v3/time", {"returnRateLimits": False})
            await socket.send({"id": None, "method": "time"})
            assert (await socket.next())["id"] is None

    play(scene)


def test_limits_are_hidden_from_who_does_not_want_them() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket = await client.open(f"{PATH}?returnRateLimits=false")
            assert "rateLimits" not in await socket.call("ping")
            assert "rateLimits" in await socket.call("ping", {"returnRateLimits": True})

    play(scene)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("nonsense", -1135),
        ("[1]", -1135),
        ('{"id": 1, "method": "no.such"}', -1020),
        ('{"id": 1}', -1102),
        ('{"id": 1, "method": "depth", "params": [1]}', -1135),
        ('{"id": 1, "method": "depth", "params": {"symbol": ["BTCUSDT"]}}', -1130),
        ('{"id": 1, "method": "depth", "params": {}}', -1102),
    ],
)
def test_what_cannot_be_read_is_refused(content: str, code: int) -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket = await client.open(PATH)
            await socket.socket.send_str(content)
            answer = await socket.next()
            assert (answer["status"], answer["error"]["code"]) == (400, code)

    play(scene)


def test_orders_are_signed_one_by_one() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket = await client.open(PATH)
            answer = await socket.call("order.place", signed_values(HMAC, ORDER))
            assert (answer["status"], answer["result"]["status"]) == (200, "NEW")
            assert [row["rateLimitType"] for row in answer["rateLimits"]] == ["ORDERS", "ORDERS", "REQUEST_WEIGHT"]
            wrong = signed_values(HMAC, ORDER) | {"price": "58000"}
            assert (await socket.call("order.place", wrong))["error"]["code"] == -1022
            unsigned = await socket.call("order.place", ORDER)
            assert (unsigned["status"], unsigned["error"]["code"]) == (401, -2014)

    play(scene)


def test_a_session_logs_on_once_and_signs_no_more() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket = await client.open(PATH)
            assert (await socket.call("session.status"))["result"]["apiKey"] is None
            answer = await socket.call("session.logon", signed_values(ED25519))
            assert answer["result"]["apiKey"] == ED25519.key
            stamp = now(stage) // 10**6
            placed = await socket.call("order.place", {**ORDER, "timestamp": stamp})
            assert placed["result"]["status"] == "NEW"
            late = await socket.call("order.place", {**ORDER, "timestamp": stamp - 60_000})
            assert late["error"]["code"] == -1021
            other = await socket.call("account.status", signed_values(OTHER_KEY))
            assert other["result"]["canTrade"]
            assert (await socket.call("session.logout"))["result"]["apiKey"] is None
            refused = await socket.call("order.place", {**ORDER, "timestamp": stamp})
            assert refused["status"] == 401

    play(scene)


def test_only_ed25519_keys_log_on() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket = await client.open(PATH)
            answer = await socket.call("session.logon", signed_values(HMAC))
            assert (answer["status"], answer["error"]["code"]) == (400, -4056)

    play(scene)


async def subscribed(socket: Socket) -> None:
    answer = await socket.call("userDataStream.subscribe.signature", signed_values(HMAC))
    assert answer["result"] == {"subscriptionId": 0}


async def event(socket: Socket, kind: str, **wanted: Any) -> dict[str, Any]:
    """The next event of a kind with some fields."""

    def matches(message: Any) -> bool:
        told = message.get("event", {})
        return told.get("e") == kind and all(told.get(name) == value for name, value in wanted.items())

    found = (await socket.until(matches))["event"]
    assert isinstance(found, dict)
    return found


def test_an_order_is_reported_from_the_beginning_to_the_end() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket = await client.open(PATH)
            await subscribed(socket)
            placed = await socket.call("order.place", signed_values(HMAC, ORDER | {"newClientOrderId": "mine"}))
            number = placed["result"]["orderId"]
            stage.quote(Side.SELL, 59_000, 10.4)
            fill = await event(socket, "executionReport", x="TRADE")
            assert (fill["i"], fill["c"], fill["X"]) == (number, "mine", "PARTIALLY_FILLED")
            assert (fill["l"], fill["z"], fill["L"]) == ("0.40000000", "0.40000000", "59000.00000000")
            assert (fill["n"], fill["N"], fill["m"]) == ("0.00040000", "BTC", True)
            assert (fill["Y"], fill["Z"]) == ("23600.00000000", "23600.00000000")
            (trade,) = stage.spot.trades(ACCOUNT, "BTCUSDT")
            assert fill["t"] == trade.trade_id
            cancel = {"symbol": "BTCUSDT", "origClientOrderId": "mine", "newClientOrderId": "away"}
            assert (await socket.call("order.cancel", signed_values(HMAC, cancel)))["result"]["status"] == "CANCELED"

    play(scene)


def test_reports_tell_of_cancellations_and_balances() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket, orders = await client.open(PATH), await client.open(PATH)
            await subscribed(socket)
            await orders.call("order.place", signed_values(HMAC, ORDER | {"newClientOrderId": "mine"}))
            new = await event(socket, "executionReport", x="NEW")
            assert (new["c"], new["C"], new["w"], new["t"]) == ("mine", "", True, -1)
            locked = await event(socket, "outboundAccountPosition")
            assert {"a": "USDT", "f": "941000.00000000", "l": "59000.00000000"} in locked["B"]
            cancel = {"symbol": "BTCUSDT", "origClientOrderId": "mine", "newClientOrderId": "away"}
            await orders.call("order.cancel", signed_values(HMAC, cancel))
            ended = await event(socket, "executionReport", x="CANCELED")
            assert (ended["c"], ended["C"], ended["X"], ended["w"]) == ("away", "mine", "CANCELED", False)
            stage.spot.deposit(ACCOUNT, "ETH", 2 * UNIT, now(stage))
            brought = await event(socket, "balanceUpdate")
            assert (brought["a"], brought["d"]) == ("ETH", "2.00000000")

    play(scene)


def test_an_expiry_is_reported() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket = await client.open(PATH)
            await subscribed(socket)
            number = 7
            await socket.send(
                {
                    "id": number,
                    "method": "order.place",
                    "params": signed_values(HMAC, ORDER | {"timeInForce": "FOK", "price": "60010", "quantity": "11"}),
                }
            )
            ended = await event(socket, "executionReport", x="EXPIRED")
            assert (ended["X"], ended["z"]) == ("EXPIRED", "0.00000000")

    play(scene)


def test_a_pair_of_orders_is_reported() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket, orders = await client.open(PATH), await client.open(PATH)
            await subscribed(socket)
            pair = {
                "symbol": "BTCUSDT",
                "side": "SELL",
                "quantity": "1",
                "aboveType": "LIMIT_MAKER",
                "abovePrice": "60500",
                "belowType": "STOP_LOSS",
                "belowStopPrice": "59000",
            }
            placed = await orders.call("orderList.place.oco", signed_values(HMAC, pair))
            begun = await event(socket, "listStatus")
            assert (begun["g"], begun["l"], len(begun["O"])) == (placed["result"]["orderListId"], "EXEC_STARTED", 2)
            stage.quote(Side.BUY, 60_500, 11)
            done = await event(socket, "listStatus")
            assert (done["g"], done["l"]) == (begun["g"], "ALL_DONE")

    play(scene)


def test_a_logged_on_session_subscribes_without_a_signature() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket = await client.open(PATH)
            assert (await socket.call("userDataStream.subscribe"))["status"] == 401
            await socket.call("session.logon", signed_values(ED25519))
            assert (await socket.call("userDataStream.subscribe"))["result"] == {"subscriptionId": 0}
            assert (await socket.call("session.subscriptions"))["result"] == [{"subscriptionId": 0}]
            await socket.send({"id": "x", "method": "userDataStream.unsubscribe", "params": {"subscriptionId": 0}})
            first, second = await socket.next(), await socket.next()
            assert first["event"]["e"] == "eventStreamTerminated"
            assert second["id"] == "x"
            assert (await socket.call("session.subscriptions"))["result"] == []

    play(scene)


def test_listen_keys_of_spot_are_gone() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket = await client.open(PATH)
            answer = await socket.call("userDataStream.start", {"apiKey": HMAC.key})
            assert (answer["status"], answer["error"]["code"]) == (410, -1020)

    play(scene)


def test_accounts_hear_of_themselves_only() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            mine, other = await client.open(PATH), await client.open(PATH)
            await subscribed(mine)
            await other.call("userDataStream.subscribe.signature", signed_values(OTHER_KEY))
            await other.call("order.place", signed_values(OTHER_KEY, ORDER | {"newClientOrderId": "other"}))
            await mine.call("order.place", signed_values(HMAC, ORDER | {"newClientOrderId": "mine"}))
            stage.quote(Side.SELL, 59_000, 12)
            assert (await event(mine, "executionReport", x="TRADE"))["c"] == "mine"
            assert (await event(other, "executionReport", x="TRADE"))["c"] == "other"

    play(scene)


def test_futures_answer_on_a_path_of_their_own() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket = await client.open(FUTURES_PATH, venue=FUTURES)
            await socket.call("session.logon", signed_values(ED25519))
            stamp = {"timestamp": now(stage) // 10**6}
            placed = await socket.call("order.place", {**ORDER, **stamp})
            assert placed["result"]["status"] == "NEW"
            account = await socket.call("v2/account.status", stamp)
            assert account["result"]["totalOpenOrderInitialMargin"] == "2950.00000000"
            (balance,) = (await socket.call("account.balance", stamp))["result"]
            assert balance["balance"] == "1000000.00000000"
            assert "listenKey" in (await socket.call("userDataStream.start", {"apiKey": HMAC.key}))["result"]
            assert (await socket.call("userDataStream.subscribe"))["error"]["code"] == -1020

    play(scene)
