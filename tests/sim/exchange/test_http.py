"""Requests over HTTP as they are on the wire: security, time, limits, errors."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from sim.exchange.quota import Interval, Limits
from tests.sim.exchange.clients import Raw, raw, signed
from tests.sim.exchange.stage import ACCOUNT, FUTURES, HMAC, OTHER_KEY, READ_ONLY, SPOT, Stage, Wishes, play

ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1", "price": "59000"}
SECOND_NS = 10**9


def asked(
    path: str, form: str = "", *, method: str = "GET", key: Any = None, venue: str = SPOT, wishes: Wishes | None = None
) -> tuple[int, Any]:
    """Status and content of the answer to one request."""

    async def scene(stage: Stage) -> tuple[int, Any]:
        async with raw(stage) as client:
            status, content, _ = await client.ask(path, form, method=method, key=key, venue=venue)
            return status, content

    return play(scene, wishes)


def test_anybody_may_see_the_market() -> None:
    assert asked("/api/v3/ping") == (200, {})
    status, depth = asked("/api/v3/depth", "symbol=BTCUSDT&limit=5")
    assert (status, depth["bids"], depth["asks"]) == (
        200,
        [["59990.00000000", "10.00000000"]],
        [["60010.00000000", "10.00000000"]],
    )
    status, ticker = asked("/fapi/v1/ticker/bookTicker", "symbol=BTCUSDT", venue=FUTURES)
    assert (status, ticker["bidPrice"], ticker["askQty"]) == (200, "59990.0", "10.000")
    assert asked("/api/v3/ticker/price", "symbol=ETHUSDT")[1] == {"symbol": "ETHUSDT", "price": "2500.00000000"}


def test_the_server_knows_the_time() -> None:
    before = time.time_ns() // 10**6
    _, told = asked("/api/v3/time")
    assert before <= told["serverTime"] <= time.time_ns() // 10**6


@pytest.mark.parametrize(
    ("path", "form", "key", "status", "code"),
    [
        ("/api/v3/nothing", "", None, 404, -1000),
        ("/api/v3/depth", "", None, 400, -1102),
        ("/api/v3/depth", "symbol=XXX", None, 400, -1121),
        ("/api/v3/depth", "symbol=BTCUSDT&limit=0", None, 400, -1130),
        ("/api/v3/depth", "symbol=BTCUSDT&symbol=BTCUSDT", None, 400, -1101),
        ("/api/v3/account", "timestamp=1", None, 401, -2014),
        ("/api/v3/account", "timestamp=1", OTHER_KEY, 400, -1102),
        ("/api/v3/account", "timestamp=1&signature=00", HMAC, 400, -1022),
        ("/api/v3/userDataStream", "", None, 404, -1000),
    ],
)
def test_refusals_have_status_code_and_text(path: str, form: str, key: Any, status: int, code: int) -> None:
    seen, content = asked(path, form, key=key)
    assert (seen, content["code"]) == (status, code)
    assert content["msg"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_listen_keys_of_spot_are_gone(method: str) -> None:
    status, content = asked("/api/v3/userDataStream", method=method, key=HMAC)
    assert (status, content["code"]) == (410, -1020)


@pytest.mark.parametrize(
    ("shift_ns", "window", "code"),
    [
        (0, None, None),
        (-SECOND_NS, None, None),
        (-6 * SECOND_NS, None, -1021),
        (-6 * SECOND_NS, "60000", None),
        (-SECOND_NS, "1.5", -1021),
        (60 * SECOND_NS, None, -1021),
        (0, "60001", -1131),
        (0, "abc", -1100),
    ],
)
def test_requests_are_valid_for_a_while(shift_ns: int, window: str | None, code: int | None) -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            values = {"recvWindow": window} if window else {}
            form = signed(HMAC, values, at_ns=time.time_ns() + shift_ns)
            status, content, _ = await client.ask("/api/v3/account", form, key=HMAC)
            assert content.get("code") == code
            assert status == (400 if code else 200)

    play(scene)


def test_microseconds_are_understood() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            form = signed(HMAC, at_ns=time.time_ns() * 10**3)
            assert (await client.ask("/api/v3/account", form, key=HMAC))[0] == 200

    play(scene)


async def placed(client: Raw, key: Any = HMAC, **changes: str | None) -> tuple[int, Any, Any]:
    values = {name: value for name, value in {**ORDER, **changes}.items() if value is not None}
    return await client.ask("/api/v3/order", signed(key, values), method="POST", key=key)


def test_an_answer_is_as_long_as_asked_for() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            fields = {}
            for response in ("ACK", "RESULT", "FULL"):
                _, content, _ = await placed(client, newOrderRespType=response, newClientOrderId=f"id-{response}")
                fields[response] = set(content)
            assert fields["ACK"] == {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"}
            assert fields["FULL"] - fields["RESULT"] == {"fills"}
            _, content, _ = await placed(client, type="STOP_LOSS_LIMIT", stopPrice="61000")
            assert set(content) == fields["ACK"]

    play(scene)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"side": "HOLD"}, -1117),
        ({"type": "ICEBERG"}, -1116),
        ({"timeInForce": "GTX"}, -1115),
        ({"timeInForce": None}, -1102),
        ({"price": None}, -1102),
        ({"price": "59000.001"}, -1013),
        ({"price": "59000.0000000001"}, -1111),
        ({"price": "5e4"}, -1100),
        ({"quantity": "0"}, -1130),
        ({"quantity": "0.000001"}, -1013),
        ({"stopPrice": "1"}, -1106),
        ({"type": "MARKET", "timeInForce": None}, -1106),
        ({"type": "MARKET", "timeInForce": None, "price": None, "quantity": None}, -1102),
        ({"newClientOrderId": "x" * 37}, -1100),
        ({"icebergQty": "0.1"}, -2010),
        ({"trailingDelta": "100"}, -2010),
        ({"selfTradePreventionMode": "MAYBE"}, -1130),
        ({"newOrderRespType": "LONG"}, -1130),
    ],
)
def test_orders_that_make_no_sense_are_refused(changes: dict[str, str | None], code: int) -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            status, content, _ = await placed(client, **changes)
            assert (status, content.get("code")) == (400, code), content
            assert stage.spot.open_orders(ACCOUNT) == ()

    play(scene)


def test_a_key_that_may_only_read_places_nothing() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            status, content, _ = await placed(client, READ_ONLY)
            assert (status, content["code"]) == (401, -2015)
            _, may, _ = await client.ask("/sapi/v1/account/apiRestrictions", signed(READ_ONLY), key=READ_ONLY)
            assert (may["enableReading"], may["enableSpotAndMarginTrading"], may["enableWithdrawals"]) == (
                True,
                False,
                False,
            )

    play(scene)


def test_accounts_see_their_own_orders_only() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            _, order, _ = await placed(client)
            form = signed(OTHER_KEY, {"symbol": "BTCUSDT", "orderId": order["orderId"]})
            status, content, _ = await client.ask("/api/v3/order", form, key=OTHER_KEY)
            assert (status, content["code"]) == (400, -2013)

    play(scene)


def test_an_order_is_tested_and_not_placed() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            form = signed(HMAC, ORDER)
            assert (await client.ask("/api/v3/order/test", form, method="POST", key=HMAC))[:2] == (200, {})
            assert stage.spot.open_orders(ACCOUNT) == ()

    play(scene)


def test_an_order_becomes_smaller_and_keeps_its_place() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            _, order, _ = await placed(client)
            path = "/api/v3/order/amend/keepPriority"
            values = {"symbol": "BTCUSDT", "orderId": order["orderId"], "newQty": "0.5"}
            status, content, _ = await client.ask(path, signed(HMAC, values), method="PUT", key=HMAC)
            assert (status, content["amendedOrder"]["origQty"]) == (200, "0.50000000")
            status, content, _ = await client.ask(path, signed(HMAC, values), method="PUT", key=HMAC)
            assert (status, content["code"]) == (400, -2038)

    play(scene)


def test_lists_are_asked_for_by_time() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            stamps = []
            for _ in range(3):
                _, order, _ = await placed(client)
                stamps.append(order["transactTime"])
                while time.time_ns() // 10**6 <= stamps[-1]:
                    await asyncio.sleep(0.001)

            async def orders(**values: int) -> list[int]:
                form = signed(HMAC, {"symbol": "BTCUSDT", **values})
                _, content, _ = await client.ask("/api/v3/allOrders", form, key=HMAC)
                return [stamps.index(order["time"]) for order in content]

            assert await orders() == [0, 1, 2]
            assert await orders(limit=2) == [1, 2]
            assert await orders(startTime=stamps[0], limit=2) == [0, 1]
            assert await orders(startTime=stamps[1]) == [1, 2]
            assert await orders(endTime=stamps[1], limit=1) == [1]

    play(scene)


def test_a_cancellation_may_be_restricted() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            _, order, _ = await placed(client)
            values = {
                "symbol": "BTCUSDT",
                "orderId": order["orderId"],
                "cancelRestrictions": "ONLY_PARTIALLY_FILLED",
            }
            status, content, _ = await client.ask("/api/v3/order", signed(HMAC, values), method="DELETE", key=HMAC)
            assert (status, content["code"]) == (400, -2011)
            values |= {"cancelRestrictions": "ONLY_NEW", "newClientOrderId": "mine"}
            status, content, _ = await client.ask("/api/v3/order", signed(HMAC, values), method="DELETE", key=HMAC)
            assert (status, content["status"], content["clientOrderId"]) == (200, "CANCELED", "mine")
            assert content["origClientOrderId"] == order["clientOrderId"]

    play(scene)


TIGHT = Limits(weight=Interval("DAY", 1, 30), orders=(Interval("DAY", 1, 2),), patience=1, ban_ns=60 * SECOND_NS)


def test_answers_say_how_much_was_used() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            _, _, headers = await client.ask("/api/v3/depth", "symbol=BTCUSDT")
            assert headers["X-MBX-USED-WEIGHT-1D"] == "5"
            _, _, headers = await placed(client)
            assert (headers["X-MBX-USED-WEIGHT-1D"], headers["X-MBX-ORDER-COUNT-1D"]) == ("6", "1")

    play(scene, Wishes(limits=TIGHT))


def test_limits_are_binances_where_nothing_else_is_said() -> None:
    def limits(path: str, venue: str) -> list[tuple[str, str, int, int]]:
        _, content = asked(path, venue=venue)
        names = ("rateLimitType", "interval", "intervalNum", "limit")
        return [tuple(row[name] for name in names) for row in content["rateLimits"]]

    assert limits("/api/v3/exchangeInfo", SPOT) == [
        ("REQUEST_WEIGHT", "MINUTE", 1, 6_000),
        ("ORDERS", "SECOND", 10, 100),
        ("ORDERS", "DAY", 1, 200_000),
    ]
    assert limits("/fapi/v1/exchangeInfo", FUTURES) == [
        ("REQUEST_WEIGHT", "MINUTE", 1, 2_400),
        ("ORDERS", "SECOND", 10, 300),
        ("ORDERS", "MINUTE", 1, 1_200),
    ]


def test_who_asks_too_much_is_slowed_down_and_then_banned() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            answers = [await client.ask("/api/v3/account", signed(HMAC), key=HMAC) for _ in range(4)]
            assert [answer[0] for answer in answers] == [200, 429, 418, 418]
            assert int(answers[1][2]["Retry-After"]) > 0
            assert answers[2][1]["code"] == -1003
            assert 50 < int(answers[2][2]["Retry-After"]) <= 60

    play(scene, Wishes(limits=TIGHT))


def test_too_many_orders_are_refused() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            statuses = [(await placed(client))[0] for _ in range(3)]
            assert statuses == [200, 200, 429]
            assert len(stage.spot.open_orders(ACCOUNT)) == 2

    play(scene, Wishes(limits=TIGHT))
