"""A venue on this machine that streams one small book, in Binance's JSON, and does whatever harm a test asks for."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from aiohttp import WSMsgType, web

from sim.listening import Listening

SYMBOL: Final = "BTCUSDT"
TICK_S: Final = 0.004
Levels = dict[str, str]


class ToyVenue:
    """Book, streams and faults; methods may be called from any thread.

    Members
    -------
    connections: made so far. snapshots: books that were fetched so far.
    mute_streams: on which nothing is sent. lie_to: quantity that a stream is told of every change.
    refuses: connections are turned away. hangs_up: they are cut off without an answer.
    is_mute: connections stay, nothing is sent. event_lag_ms: taken off the times
    in messages. snapshot_status: of every fetched book.
    """

    def __init__(self, *, futures: bool = False) -> None:
        self.connections = 0
        self.snapshots = 0
        self.refuses = False
        self.hangs_up = False
        self.is_mute = False
        self.mute_streams: set[str] = set()
        self.lie_to: dict[str, str] = {}
        self.event_lag_ms = 0
        self.snapshot_status = 200
        self.port = 0
        self.update = 100
        self.bids: Levels = {"99.00": "1", "98.00": "2"}
        self.asks: Levels = {"101.00": "1", "102.00": "2"}
        self.trade = 0
        self._futures = futures
        self._sockets: dict[web.WebSocketResponse, str] = {}
        self._loop = asyncio.new_event_loop()
        self._stopped = asyncio.Event()

    @property
    def stream(self) -> str:
        return f"ws://127.0.0.1:{self.port}/a"

    @property
    def other_stream(self) -> str:
        return f"ws://127.0.0.1:{self.port}/b"

    @property
    def depth(self) -> str:
        return f"http://127.0.0.1:{self.port}/depth?symbol={SYMBOL}"

    def change(
        self, price: str, quantity: str, *, bid: bool = True, sent: str | None = None, lost: bool = False
    ) -> None:
        """Change a level and say so; with ``sent`` a wrong quantity is said, ``lost`` says nothing."""
        self._call(lambda: self._change(price, quantity, bid, sent, lost))

    def catch_up(self, price: str, quantity: str) -> None:
        """Say the last change, which was lost, of a bid; it may be said wrongly."""
        self._call(lambda: self._send(self._diff(self.update - 1, [[price, quantity]], True)))

    def say(self, message: str) -> None:
        """Send a message to everybody."""
        self._call(lambda: self._send(message))

    def drop(self, path: str = "") -> None:
        """Break the connections, of one stream or all."""

        async def close() -> None:
            for socket in [socket for socket, at in self._sockets.items() if path in at]:
                transport = socket._req.transport if socket._req is not None else None
                if transport is not None:
                    transport.abort()

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(5)

    def begin_anew(self, update: int, bid: str, ask: str) -> None:
        """Come back with another book, whose updates are numbered from somewhere else."""

        def anew() -> None:
            self.update, self.bids, self.asks = update, {bid: "1"}, {ask: "1"}

        self._call(anew)

    def _call(self, function: Callable[[], Any]) -> Any:
        async def run() -> Any:
            return function()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(5)

    def _change(self, price: str, quantity: str, bid: bool, sent: str | None, lost: bool) -> None:
        side = self.bids if bid else self.asks
        side[price] = quantity
        if float(quantity) == 0:
            del side[price]
        before, self.update = self.update, self.update + 1
        if not lost:
            said = quantity if sent is None else sent
            for path in ("/a", "/b"):
                self._send(self._diff(before, [[price, self.lie_to.get(path, said)]], bid), path)

    def _diff(self, before: int, levels: list[list[str]], bid: bool) -> str:
        sides = {"b": levels if bid else [], "a": [] if bid else levels}
        previous = {"pu": before} if self._futures else {}
        return json.dumps(
            {"e": "depthUpdate", "E": self._now_ms(), "s": SYMBOL, "U": before + 1, "u": self.update}
            | previous
            | sides,
            separators=(",", ":"),
        )

    def _now_ms(self) -> int:
        return time.time_ns() // 10**6 - self.event_lag_ms

    def _send(self, message: str, only: str = "") -> None:
        if self.is_mute:
            return
        for socket, path in self._sockets.items():
            if path.startswith(only) and path not in self.mute_streams and not socket.closed:
                task = self._loop.create_task(_quiet(socket, message))
                task.add_done_callback(lambda done: None)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        self.connections += 1
        if self.refuses:
            return web.Response(status=503)
        if self.hangs_up and request.transport is not None:
            request.transport.abort()
            return web.Response()
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets[socket] = request.path
        try:
            async for message in socket:
                if message.type is WSMsgType.ERROR:
                    break
        finally:
            self._sockets.pop(socket, None)
        return socket

    async def _depth(self, request: web.Request) -> web.StreamResponse:
        self.snapshots += 1
        if self.snapshot_status != 200:
            return web.Response(status=self.snapshot_status)
        levels = {"bids": sorted(self.bids.items(), reverse=True), "asks": sorted(self.asks.items())}
        return web.json_response({"lastUpdateId": self.update} | levels)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self.trade += 1
            trade = {"e": "trade", "E": self._now_ms(), "s": SYMBOL, "t": self.trade}
            self._send(json.dumps(trade | {"p": "100.00", "q": "1", "m": True, "M": True}, separators=(",", ":")))

    async def _serve(self, ready: threading.Event) -> None:
        app = web.Application()
        app.add_routes([web.get("/a", self._stream), web.get("/b", self._stream), web.get("/depth", self._depth)])
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        listening = Listening(runner)
        _, self.port = await listening.start("127.0.0.1", 0)
        ticking = self._loop.create_task(self._tick())
        ready.set()
        await self._stopped.wait()
        ticking.cancel()
        for socket in list(self._sockets):
            await socket.close()
        await listening.close()
        while len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0.001)

    def run(self, ready: threading.Event) -> None:
        """Serve until ``stop``; in a thread of its own."""
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve(ready))
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def stop(self) -> None:
        """End the service."""
        self._loop.call_soon_threadsafe(self._stopped.set)


async def _quiet(socket: web.WebSocketResponse, message: str) -> None:
    try:
        await socket.send_str(message)
    except (ConnectionError, RuntimeError):
        return


@contextmanager
def toy_venue(*, futures: bool = False) -> Iterator[ToyVenue]:
    """A venue that is served while the block runs."""
    venue = ToyVenue(futures=futures)
    ready = threading.Event()
    thread = threading.Thread(target=venue.run, args=(ready,), daemon=True)
    thread.start()
    try:
        assert ready.wait(60)
        yield venue
    finally:
        venue.stop()
        thread.join(10)
