"""Market data as it is on the wire, in JSON and in SBE."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import WSServerHandshakeError

from market.orders.kinds import Side
from market.wire.sbe import decode, load_schema
from market.wire.schemas import BINANCE_STREAM
from sim.exchange.venue.model import UNIT, BackgroundModel
from tests.sim.exchange.clients import Socket, raw
from tests.sim.exchange.stage import ED25519, FUTURES, HMAC, PRICE, SPOT, Stage, Wishes, play

BUSY = Wishes(background=BackgroundModel(seed=3, requote_ns=2_000_000, trades_per_minute=12_000))


async def subscribe(socket: Socket, *names: str) -> None:
    await socket.send({"method": "SUBSCRIBE", "params": list(names), "id": 1})
    assert await socket.until(lambda message: isinstance(message, dict) and message.get("id") == 1) == {
        "result": None,
        "id": 1,
    }


def test_the_best_prices_are_told_at_once() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket = await client.open("/ws/btcusdt@bookTicker")
            stage.quote(Side.BUY, PRICE - 5, 2)
            told = await socket.next()
            assert told == {
                "u": stage.spot.depth("BTCUSDT").last_update_id,
                "s": "BTCUSDT",
                "b": "59995.00000000",
                "B": "2.00000000",
                "a": "60010.00000000",
                "A": "10.00000000",
            }

    play(scene)


def test_combined_streams_name_themselves() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket = await client.open("/stream?streams=btcusdt@trade/btcusdt@aggTrade")
            stage.quote(Side.BUY, PRICE - 9, 1)
            stage.quote(Side.BUY, PRICE - 9, 1)
            stage.quote(Side.SELL, PRICE - 9, 2)
            told = [await socket.next() for _ in range(3)]
            assert [message["stream"] for message in told] == ["btcusdt@trade"] * 2 + ["btcusdt@aggTrade"]
            trades, whole = [message["data"] for message in told[:2]], told[2]["data"]
            assert [(trade["p"], trade["q"], trade["m"]) for trade in trades] == [
                ("59991.00000000", "1.00000000", True)
            ] * 2
            assert (whole["q"], whole["f"], whole["l"]) == ("2.00000000", trades[0]["t"], trades[1]["t"])

    play(scene)


def test_streams_are_joined_listed_and_left() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket = await client.open("/stream/ws/0")
            await subscribe(socket, "btcusdt@bookTicker", "ethusdt@trade")
            await socket.send({"method": "LIST_SUBSCRIPTIONS", "id": 2})
            assert await socket.next() == {"result": ["btcusdt@bookTicker", "ethusdt@trade"], "id": 2}
            await socket.send({"method": "UNSUBSCRIBE", "params": ["btcusdt@bookTicker"], "id": 3})
            assert await socket.next() == {"result": None, "id": 3}
            stage.quote(Side.BUY, PRICE - 1, 1)
            await socket.send({"method": "SET_PROPERTY", "params": ["combined", True], "id": 4})
            assert await socket.next() == {"result": None, "id": 4}
            await socket.send({"method": "GET_PROPERTY", "params": ["combined"], "id": 5})
            assert await socket.next() == {"result": True, "id": 5}

    play(scene)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("nonsense", 3),
        ("[]", 2),
        ('{"id": 1, "params": []}', 2),
        ('{"id": 1, "method": "SUBSCRIBE", "params": ["btcusdt@nothing"]}', 2),
        ('{"id": 1, "method": "SUBSCRIBE", "params": ["xxx@trade"]}', 2),
        ('{"id": 1, "method": "SUBSCRIBE", "params": [5]}', 2),
        ('{"id": 1, "method": "SUBSCRIBE", "params": "x"}', 2),
        ('{"id": 1, "method": "GET_PROPERTY", "params": ["x"]}', 0),
        ('{"id": 1, "method": "SET_PROPERTY", "params": ["combined", 1]}', 1),
    ],
)
def test_what_cannot_be_read_is_refused(content: str, code: int) -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket = await client.open("/ws")
            await socket.socket.send_str(content)
            assert (await socket.next())["error"]["code"] == code

    play(scene)


def test_a_client_that_asks_without_end_is_disconnected() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket = await client.open("/ws")
            for _ in range(40):
                await socket.send({"method": "LIST_SUBSCRIPTIONS", "id": 1})
            with pytest.raises(ConnectionError):
                await socket.until(lambda message: False)

    play(scene)


class Book:
    """A book kept by Binance's rules, which fails where they are broken."""

    def __init__(self, snapshot: dict[str, Any]) -> None:
        self.last_id = snapshot["lastUpdateId"]
        self.bids = dict(snapshot["bids"])
        self.asks = dict(snapshot["asks"])
        self.applied = 0

    def apply(self, change: dict[str, Any]) -> None:
        if change["u"] <= self.last_id:
            return
        if "pu" in change and self.applied:
            assert change["pu"] == self.last_id
        assert change["U"] <= self.last_id + 1 <= change["u"] + 1
        for levels, changes in ((self.bids, change["b"]), (self.asks, change["a"])):
            for price, quantity in changes:
                levels[price] = quantity
                if not float(quantity):
                    del levels[price]
        self.last_id = change["u"]
        self.applied += 1


@pytest.mark.parametrize(
    ("venue", "path", "snapshot"),
    [
        (SPOT, "/ws/btcusdt@depth@100ms", "/api/v3/depth"),
        (FUTURES, "/fstream/public/ws/btcusdt@depth@100ms", "/fapi/v1/depth"),
        (FUTURES, "/public/ws/btcusdt@depth@0ms", "/fapi/v1/depth"),
    ],
)
def test_a_book_kept_from_the_stream_is_the_venues_book(venue: str, path: str, snapshot: str) -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket = await client.open(path, venue=venue)
            await socket.next()
            _, content, _ = await client.ask(snapshot, "symbol=BTCUSDT&limit=1000", venue=venue)
            book = Book(content)
            while book.applied < 6:
                book.apply(await socket.next())
            _, content, _ = await client.ask(snapshot, "symbol=BTCUSDT&limit=1000", venue=venue)
            while book.last_id < content["lastUpdateId"]:
                book.apply(await socket.next())
            if book.last_id == content["lastUpdateId"]:
                assert [[price, book.bids[price]] for price, _ in content["bids"]] == content["bids"]
                assert [[price, book.asks[price]] for price, _ in content["asks"]] == content["asks"]

    play(scene, BUSY)


def test_the_best_levels_are_told_at_intervals() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket = await client.open("/ws/btcusdt@depth5@100ms")
            told = await socket.next()
            assert told["bids"] == [["59990.00000000", "10.00000000"]]
            futures = await client.open("/public/ws/btcusdt@depth20", venue=FUTURES)
            told = await futures.next()
            assert (told["e"], told["a"]) == ("depthUpdate", [["60010.0", "10.000"]])
            mark = await client.open("/market/ws/btcusdt@markPrice@1s", venue=FUTURES)
            assert (await mark.next())["p"] == "60000.0"

    play(scene)


def test_futures_streams_belong_to_paths() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            for path in ("/market/ws/btcusdt@depth", "/public/ws/btcusdt@aggTrade", "/ws/btcusdt@nothing"):
                with pytest.raises(WSServerHandshakeError) as refused:
                    await client.open(path, venue=FUTURES)
                assert refused.value.status == 400
            with pytest.raises(WSServerHandshakeError) as refused:
                await client.open("/nothing")
            assert refused.value.status == 404

    play(scene)


def test_sbe_carries_the_same_market() -> None:
    schema = load_schema(BINANCE_STREAM)

    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            socket = await client.open("/sbe/ws", key=ED25519)
            await subscribe(socket, "btcusdt@bestBidAsk", "btcusdt@trade", "btcusdt@depth", "btcusdt@depth20")
            seen: dict[str, Any] = {}
            stage.quote(Side.BUY, PRICE - 9, 2)
            stage.quote(Side.SELL, PRICE - 9, 1)
            while len(seen) < 4 or seen["DepthDiffStreamEvent"]["lastBookUpdateId"] < 4:
                message = decode(schema, await socket.next())
                seen[message.name] = message.values
            depth = stage.spot.depth("BTCUSDT")
            top = seen["BestBidAskStreamEvent"]
            assert (top["bidPrice"], top["bidQty"]) == ((PRICE - 9) * UNIT, UNIT)
            assert (top["bookUpdateId"], top["symbol"], top["priceExponent"]) == (depth.last_update_id, "BTCUSDT", -8)
            (trade,) = seen["TradesStreamEvent"]["trades"]
            assert (trade["price"], trade["qty"], trade["isBuyerMaker"]) == ((PRICE - 9) * UNIT, UNIT, 1)
            change = seen["DepthDiffStreamEvent"]
            assert change["bids"] == [{"price": (PRICE - 9) * UNIT, "qty": UNIT}]
            assert change["asks"] == []
            while seen["DepthSnapshotStreamEvent"]["bookUpdateId"] < depth.last_update_id:
                message = decode(schema, await socket.next())
                seen[message.name] = message.values
            book = seen["DepthSnapshotStreamEvent"]
            assert [level["price"] for level in book["bids"]] == [(PRICE - 9) * UNIT, (PRICE - 10) * UNIT]

    play(scene)


def test_sbe_needs_an_ed25519_key_and_has_names_of_its_own() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            for key, status in ((None, 401), (HMAC, 400)):
                with pytest.raises(WSServerHandshakeError) as refused:
                    await client.open("/sbe/ws/btcusdt@trade", key=key)
                assert refused.value.status == status
            with pytest.raises(WSServerHandshakeError):
                await client.open("/sbe/stream?streams=btcusdt@bookTicker", key=ED25519)

    play(scene)


def test_connections_hear_of_the_end() -> None:
    async def scene(stage: Stage) -> None:
        async with raw(stage) as client:
            market, orders = await client.open("/ws/btcusdt@trade"), await client.open("/ws-api/v3")
            ending = asyncio.ensure_future(stage.server.servers[SPOT].close())
            assert (await market.next())["e"] == "serverShutdown"
            with pytest.raises(ConnectionError, match="1001"):
                await market.next()
            assert (await orders.next())["event"]["e"] == "serverShutdown"
            with pytest.raises(ConnectionError, match="1001"):
                await orders.next()
            await ending

    play(scene)
