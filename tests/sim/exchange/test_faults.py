"""What clients see of faults: at the level of messages, connections and the whole venue."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from aiohttp import ClientError, ContentTypeError

from market.orders.kinds import Side
from sim.exchange.latency import Latency
from sim.faults.plan import Channel, Fault, FaultKind, FaultPlan
from tests.sim.exchange.clients import Socket, ccxt_spot, raw, signed, signed_values
from tests.sim.exchange.stage import ACCOUNT, FUTURES, HMAC, PRICE, SPOT, Stage, Wishes, play

ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1", "price": "59000"}
SECOND_NS = 10**9
MILLISECOND_NS = 10**6


def quotes(stage: Stage, *steps: int) -> None:
    for step in steps:
        stage.quote(Side.BUY, PRICE - 9 + step / 100, 1)


async def best_bids(socket: Socket, number: int) -> list[float]:
    return [float((await socket.next())["b"]) for _ in range(number)]


def test_a_dropped_message_never_comes() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket = await client.open("/ws/btcusdt@bookTicker")
            stage.fault(Fault(kind=FaultKind.DROP, channel=Channel.MARKET, count=1))
            quotes(stage, 1, 2, 3)
            assert await best_bids(socket, 2) == [PRICE - 9 + 0.02, PRICE - 9 + 0.03]

    play(scene)


def test_a_duplicated_message_comes_twice_and_reordered_ones_change_places() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket = await client.open("/ws/btcusdt@bookTicker")
            stage.fault(Fault(kind=FaultKind.DUPLICATE, channel=Channel.MARKET, count=1))
            quotes(stage, 1)
            assert await best_bids(socket, 2) == [PRICE - 9 + 0.01] * 2
            stage.fault(Fault(kind=FaultKind.REORDER, count=1))
            quotes(stage, 2, 3)
            assert await best_bids(socket, 2) == [PRICE - 9 + 0.03, PRICE - 9 + 0.02]

    play(scene)


def test_where_every_message_is_reordered_pairs_change_places_and_the_last_comes_late() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket = await client.open("/ws/btcusdt@bookTicker")
            stage.fault(Fault(kind=FaultKind.REORDER))
            quotes(stage, 1, 2, 3, 4, 5)
            cents = [2, 1, 4, 3, 5]
            assert await best_bids(socket, 5) == [pytest.approx(PRICE - 9 + cent / 100) for cent in cents]

    play(scene)


def test_a_corrupted_message_cannot_be_read() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket = await client.open("/ws/btcusdt@bookTicker")
            stage.fault(Fault(kind=FaultKind.CORRUPT, channel=Channel.MARKET, count=1))
            quotes(stage, 1, 2)
            with pytest.raises(ValueError, match="char"):
                await socket.next()
            assert await best_bids(socket, 1) == [PRICE - 9 + 0.02]

    play(scene)


def test_a_delayed_message_holds_up_those_behind_it() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket = await client.open("/ws/btcusdt@bookTicker")
            stage.fault(Fault(kind=FaultKind.DELAY, channel=Channel.MARKET, count=1, amount_ns=200 * MILLISECOND_NS))
            begun_ns = time.monotonic_ns()
            quotes(stage, 1, 2)
            assert await best_bids(socket, 2) == [PRICE - 9 + 0.01, PRICE - 9 + 0.02]
            assert time.monotonic_ns() - begun_ns >= 200 * MILLISECOND_NS

    play(scene)


def test_a_gap_shows_in_the_update_ids() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket = await client.open("/public/ws/btcusdt@depth@0ms", venue=FUTURES)

            def quote(step: int) -> None:
                stage.quote(Side.BUY, PRICE - 9 + step, 1, venue=FUTURES)

            quote(1)
            first = await socket.next()
            stage.fault(Fault(kind=FaultKind.GAP, count=1))
            quote(2)
            stage.server.servers[FUTURES].pulse()
            quote(3)
            second = await socket.next()
            assert second["pu"] > first["u"]

    play(scene)


def test_ccxt_sees_a_gap_and_recovers() -> None:
    import ccxt

    async def scene(stage: Stage) -> None:
        async with ccxt_spot(stage) as client:
            book = await client.watch_order_book("BTC/USDT")
            quotes(stage, 1)
            while book["bids"][0][0] != PRICE - 9 + 0.01:
                book = await client.watch_order_book("BTC/USDT")
            stage.fault(Fault(kind=FaultKind.GAP, count=1))
            quotes(stage, 2)
            await asyncio.sleep(0.15)
            quotes(stage, 3)
            with pytest.raises(ccxt.ChecksumError):
                await client.watch_order_book("BTC/USDT")
            book = await client.watch_order_book("BTC/USDT")
            assert book["bids"][0][0] == PRICE - 9 + 0.03

    play(scene)


def test_a_request_that_fails_is_not_carried_out() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            stage.fault(Fault(kind=FaultKind.SERVER_ERROR, count=2))
            status, content, _ = await client.ask("/api/v3/order", signed(HMAC, ORDER), method="POST", key=HMAC)
            assert (status, content["code"]) == (503, -1007)
            socket = await client.open("/ws-api/v3")
            answer = await socket.call("order.place", signed_values(HMAC, ORDER))
            assert (answer["status"], answer["error"]["code"]) == (503, -1007)
            assert stage.spot.open_orders(ACCOUNT) == ()

    play(scene)


def test_a_request_whose_answer_is_lost_is_carried_out() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            stage.fault(Fault(kind=FaultKind.LOST_ANSWER, count=1))
            with pytest.raises(ClientError):
                await client.ask("/api/v3/order", signed(HMAC, ORDER), method="POST", key=HMAC)
            assert len(stage.spot.open_orders(ACCOUNT)) == 1
            socket = await client.open("/ws-api/v3")
            stage.fault(Fault(kind=FaultKind.LOST_ANSWER, count=1))
            await socket.send({"id": 1, "method": "order.place", "params": signed_values(HMAC, ORDER)})
            assert (await socket.call("ping"))["status"] == 200
            assert len(stage.spot.open_orders(ACCOUNT)) == 2

    play(scene)


def test_a_dropped_request_is_not_carried_out_and_not_answered() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            stage.fault(Fault(kind=FaultKind.DROP, channel=Channel.REQUEST, count=1))
            with pytest.raises(ClientError):
                await client.ask("/api/v3/order", signed(HMAC, ORDER), method="POST", key=HMAC)
            socket = await client.open("/ws-api/v3")
            stage.fault(Fault(kind=FaultKind.DROP, channel=Channel.REQUEST, count=1))
            await socket.send({"id": 1, "method": "order.place", "params": signed_values(HMAC, ORDER)})
            assert (await socket.call("ping"))["status"] == 200
            assert stage.spot.open_orders(ACCOUNT) == ()

    play(scene)


def test_a_corrupted_answer_cannot_be_read() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            stage.fault(Fault(kind=FaultKind.CORRUPT, channel=Channel.ANSWER, count=1))
            with pytest.raises((ValueError, ContentTypeError)):
                await client.ask("/api/v3/time")

    play(scene)


def test_a_fill_comes_after_the_answer_to_the_cancellation() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket = await client.open("/ws-api/v3")
            await socket.call("userDataStream.subscribe.signature", signed_values(HMAC))
            placed = await socket.call("order.place", signed_values(HMAC, ORDER))
            stage.fault(Fault(kind=FaultKind.LATE_FILL, amount_ns=700 * MILLISECOND_NS))
            stage.quote(Side.SELL, 59_000, 10.4)
            cancel = {"symbol": "BTCUSDT", "orderId": placed["result"]["orderId"]}
            await socket.send({"id": "c", "method": "order.cancel", "params": signed_values(HMAC, cancel)})
            kinds: list[str] = []
            while "TRADE" not in kinds:
                message = await socket.next()
                kinds.append("answer" if message.get("id") == "c" else message["event"].get("x", ""))
            assert kinds.index("answer") < kinds.index("TRADE")
            assert kinds.index("CANCELED") < kinds.index("TRADE")

    play(scene)


def test_everybody_is_banned_for_a_while() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            stage.fault(Fault(kind=FaultKind.BAN, venue=SPOT, duration_ns=600 * SECOND_NS))
            status, content, headers = await client.ask("/api/v3/time")
            assert (status, content["code"]) == (418, -1003)
            assert 500 < int(headers["Retry-After"]) <= 600
            assert (await client.ask("/fapi/v1/time", venue=FUTURES))[0] == 200
            stage.server.faults.clear()
            assert (await client.ask("/api/v3/time"))[0] == 200

    play(scene)


def test_the_venues_clock_is_ahead() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            stage.fault(Fault(kind=FaultKind.CLOCK_SKEW, amount_ns=6 * SECOND_NS))
            _, content, _ = await client.ask("/api/v3/time")
            assert 1_000 < content["serverTime"] - time.time_ns() // MILLISECOND_NS < 7_000
            status, content, _ = await client.ask("/api/v3/account", signed(HMAC), key=HMAC)
            assert (status, content["code"]) == (400, -1021)
            ahead = signed(HMAC, at_ns=time.time_ns() + 6 * SECOND_NS)
            assert (await client.ask("/api/v3/account", ahead, key=HMAC))[0] == 200

    play(scene)


def test_a_half_open_connection_stands_and_says_nothing() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket = await client.open("/ws/btcusdt@bookTicker")
            stage.fault(Fault(kind=FaultKind.HALF_OPEN))
            quotes(stage, 1)
            await socket.socket.ping()
            asked = asyncio.ensure_future(client.ask("/api/v3/time"))
            with pytest.raises(TimeoutError):
                await socket.next(patience_s=0.1)
            assert not socket.socket.closed
            assert not asked.done()
            stage.server.faults.clear()
            assert (await asked)[0] == 200
            quotes(stage, 2)
            assert await best_bids(socket, 1) == [PRICE - 9 + 0.02]

    play(scene)


def test_an_exchange_ends_although_nobody_hears_it() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            await client.open("/ws/btcusdt@bookTicker")
            stage.fault(Fault(kind=FaultKind.HALF_OPEN))
            asked = asyncio.ensure_future(client.ask("/api/v3/time"))
            await asyncio.sleep(0.05)
            asked.cancel()

    play(scene)


def test_connections_are_cut_again_and_again() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            storm = Fault(kind=FaultKind.DISCONNECT, duration_ns=10 * SECOND_NS, every_ns=50 * MILLISECOND_NS)
            stage.fault(storm)
            for path in ("/ws/btcusdt@bookTicker", "/ws-api/v3", "/ws"):
                with pytest.raises((ConnectionError, ClientError)):
                    await (await client.open(path)).next()

    play(scene)


def test_a_listen_key_runs_out() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:

            async def key(method: str = "POST") -> tuple[int, Any]:
                status, content, _ = await client.ask("/fapi/v1/listenKey", method=method, key=HMAC, venue=FUTURES)
                return status, content

            _, made = await key()
            assert (await key("PUT"))[1] == made
            assert (await key())[1] == made
            socket = await client.open(f"/private/ws?listenKey={made['listenKey']}", venue=FUTURES)
            stage.fault(Fault(kind=FaultKind.EXPIRE_LISTEN_KEYS))
            told = await socket.next()
            assert (told["e"], told["listenKey"]) == ("listenKeyExpired", made["listenKey"])
            assert (await key("PUT"))[1]["code"] == -1125
            _, again = await key()
            assert again != made
            assert (await key("DELETE"))[0] == 200
            with pytest.raises(ClientError):
                await client.open(f"/private/ws?listenKey={again['listenKey']}", venue=FUTURES)

    play(scene)


def test_a_venue_goes_away_and_comes_back_with_a_new_book() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket = await client.open("/ws/btcusdt@bookTicker")
            stage.fault(Fault(kind=FaultKind.OUTAGE, venue=SPOT))
            with pytest.raises(ConnectionError):
                await socket.next()
            with pytest.raises(ClientError):
                await client.ask("/api/v3/time")
            with pytest.raises(ClientError):
                await client.open("/ws")
            assert (await client.ask("/fapi/v1/time", venue=FUTURES))[0] == 200
            stage.server.faults.clear()
            _, content, _ = await client.ask("/api/v3/depth", "symbol=BTCUSDT")
            assert (content["bids"], content["asks"]) == ([], [])

    play(scene)


def test_a_plan_counts_from_the_start() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            statuses = {(await client.ask("/api/v3/time"))[0]}
            while 418 not in statuses:
                statuses.add((await client.ask("/api/v3/time"))[0])
                await asyncio.sleep(0.02)
            assert statuses == {200, 418}

    ban = Fault(kind=FaultKind.BAN, at_ns=700 * MILLISECOND_NS)
    play(scene, Wishes(plan=FaultPlan(faults=(ban,))))


def test_latency_keeps_the_order_of_requests_and_messages() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket = await client.open("/ws-api/v3")
            begun_ns = time.monotonic_ns()
            for number in range(20):
                await socket.send({"id": number, "method": "ping"})
            assert [(await socket.next())["id"] for _ in range(20)] == list(range(20))
            assert time.monotonic_ns() - begun_ns >= 60 * MILLISECOND_NS
            begun_ns = time.monotonic_ns()
            await client.ask("/api/v3/time")
            assert time.monotonic_ns() - begun_ns >= 60 * MILLISECOND_NS

    latency = Latency(request_ns=40 * MILLISECOND_NS, answer_ns=20 * MILLISECOND_NS, publish_ns=MILLISECOND_NS)
    play(scene, Wishes(latency=latency))
