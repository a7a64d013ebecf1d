"""Connections to Binance through CCXT: REST or its WebSocket API for requests, its user data stream for reports.

CCXT signs, sends, keeps connections and listen keys. Its unified orders are not used: they pass through floats and
leave out the trades' ids; the venue's own fields go in and come out unchanged.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from market.instruments import Listing
from market.orders.order import Order
from orchestrator.execution.answers import Answer, Limited, Lost, NotSent, Reply, error_answer, redacted
from orchestrator.execution.ccxt_client import BinanceAddresses, binance_client
from orchestrator.execution.channel import ChannelListener, Done, Send
from orchestrator.execution.order_text import place_request
from orchestrator.execution.requests import ROUTES, MarketKind, Request, Route
from orchestrator.execution.used_limits import used_in_headers, used_in_message
from orchestrator.live.network import end_tasks
from orchestrator.recording.backoff import Backoff

_EVENTS: Final = frozenset({"executionReport", "ORDER_TRADE_UPDATE", "ALGO_UPDATE"})
_UNREAD: Final = frozenset({"outboundAccountPosition", "balanceUpdate", "ACCOUNT_UPDATE", "TRADE_LITE"})
_ENDS: Final = frozenset({"listenKeyExpired", "eventStreamTerminated", "serverShutdown"})
_STREAM: Final = "orders"
"""CCXT's name for what waits for the user data stream; only a broken connection ends the wait."""
_KEEP_ALIVE_MS: Final = 10_000
_OK: Final = 200
_LONGEST_PAUSE: Final = Backoff(first_s=0.1, longest_s=60.0, attempts=1 << 30)


class CcxtChannel:
    """A ``Channel`` through CCXT.

    Parameters
    ----------
    addresses: None for Binance itself. over_websocket: whether requests that can go over the WebSocket API do.
    """

    def __init__(
        self,
        *,
        kind: MarketKind,
        addresses: BinanceAddresses | None,
        api_key: str,
        secret: str,
        over_websocket: bool,
        receive_window_ms: int,
        answer_timeout_ms: int,
    ) -> None:
        self._kind = kind
        self._market = "spot" if kind is MarketKind.SPOT else "linear"
        self._over_websocket = over_websocket
        self._window_ms = receive_window_ms
        self._timeout_s = answer_timeout_ms / 1000
        self._secrets = (api_key, secret)
        self._make: Callable[[], Any] = partial(
            binance_client,
            addresses,
            api_key=api_key,
            secret=secret,
            market_type="spot" if kind is MarketKind.SPOT else "swap",
            options={"recvWindow": receive_window_ms},
        )
        self._client: Any = None
        self._is_closed = False
        self._listener: ChannelListener | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def prepare(self, request: Request, timestamp_ms: int) -> Send:
        """CCXT builds and signs when it sends."""

        def send(done: Done) -> None:
            task = asyncio.ensure_future(self._request(request, timestamp_ms, done))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return send

    def prepare_order(self, order: Order, listing: Listing, timestamp_ms: int) -> Send:
        """As ``prepare``; raises Rejected for what the market does not have."""
        return self.prepare(place_request(order.intent, listing, self._kind), timestamp_ms)

    async def run(self, listener: ChannelListener) -> None:
        """Hold the user data stream, making it anew after every break, until cancelled."""
        import ccxt

        self._listener = listener
        failed = 0
        while True:
            is_up = False
            try:
                stream = await self._subscribe()
                is_up, failed = True, 0
                listener.on_up()
                await stream
                reason = "it ended"
            except (ccxt.BaseError, OSError, TimeoutError) as error:
                reason = self._shown(error)
            except asyncio.CancelledError:
                if _is_cancelled():
                    raise
                reason = "the connection was closed"
            failed += 1
            if is_up:
                listener.on_down(reason)
            else:
                listener.on_failure(reason)
            await self._forget_stream()
            await asyncio.sleep(_LONGEST_PAUSE.pause_s(failed) or 0)

    async def close(self) -> None:
        """End all connections."""
        self._is_closed = True
        await end_tasks(self._tasks)
        if self._client is not None:
            await self._client.close()

    @property
    def _connected(self) -> Any:
        """The client, made in the network's thread; raises ConnectionError once it was closed."""
        if self._is_closed:
            raise ConnectionError("the connections were closed")
        if self._client is None:
            self._client = self._make()
            self._client.timeout = self._timeout_s * 1000
            self._client.streaming["keepAlive"] = _KEEP_ALIVE_MS
            self._client.on_headers = self._take_headers
            self._client.on_message = self._take_message
        return self._client

    async def _request(self, request: Request, timestamp_ms: int, done: Done) -> None:
        route = ROUTES[self._kind][request.ask]
        parameters: dict[str, Any] = dict(request.parameters)
        if request.is_signed:
            parameters |= {"recvWindow": self._window_ms, "timestamp": timestamp_ms}
        call = self._websocket if self._over_websocket and route.websocket and request.is_signed else self._rest
        done(await self._answer(call, route, parameters))

    async def _answer(
        self, call: Callable[[Route, dict[str, Any]], Any], route: Route, parameters: dict[str, Any]
    ) -> Answer:
        import ccxt

        try:
            # Making the client takes longer than most answers and must not count as waiting for one.
            self._connected  # noqa: B018
            async with asyncio.timeout(self._timeout_s):
                answer: Answer = await call(route, parameters)
                return answer
        except TimeoutError:
            return Lost(f"no answer within {self._timeout_s:g} s")
        except ccxt.BaseError as error:
            return self._error(error)
        except OSError as error:
            return Lost(self._shown(error))
        except asyncio.CancelledError:
            return Lost("the connection was closed")

    async def _rest(self, route: Route, parameters: dict[str, Any]) -> Answer:
        body = await getattr(self._connected, route.rest)(parameters)
        return Reply(body) if isinstance(body, dict | list) else Lost("the answer was no JSON")

    async def _websocket(self, route: Route, parameters: dict[str, Any]) -> Answer:
        client = self._connected
        url = client.urls["api"]["ws"]["ws-api"][self._market]
        number = str(client.request_id(url))
        message = {"id": number, "method": route.websocket, "params": client.sign_params(parameters)}
        answered = client.watch(url, number, message, number, True)
        try:
            body = await answered
        finally:
            socket = client.clients.get(url)
            if socket is not None:
                socket.subscriptions.pop(number, None)
        if body["status"] == _OK:
            return Reply(body["result"])
        error = body.get("error", {})
        return self._hidden(error_answer(int(body["status"]), error.get("code"), str(error.get("msg", ""))))

    def _error(self, error: Exception) -> Answer:
        """What an exception of CCXT's means: by the venue's code if it has one, else by what broke."""
        import aiohttp

        status = getattr(error, "http_status", None)
        if status is not None:
            code, message = _code_and_message(str(error))
            return self._hidden(error_answer(status, code, message or self._shown(error)))
        if isinstance(error.__cause__, aiohttp.ClientConnectorError):
            return NotSent(f"no connection ({type(error.__cause__).__name__})")
        return Lost(self._shown(error))

    def _hidden(self, answer: Answer) -> Answer:
        """An answer without secrets in its texts."""
        if isinstance(answer, Limited):
            return Limited(redacted(answer.reason, self._secrets), answer.pause_ms, answer.until_ms)
        if isinstance(answer, Lost):
            return Lost(redacted(answer.reason, self._secrets))
        return answer

    def _shown(self, error: BaseException) -> str:
        """An error's name, and its text without secrets."""
        return redacted(f"{type(error).__name__}: {error}", self._secrets)

    async def _subscribe(self) -> Any:
        """The future that ends with the user data stream, once that stands."""
        client = self._connected
        async with asyncio.timeout(self._timeout_s):
            await client.authenticate({"type": "spot" if self._market == "spot" else "swap"})
            stream = client.watch(self._stream_url(), _STREAM, None, self._market)
            socket = client.client(self._stream_url())
            socket.handle_text_or_binary_message = partial(_break_on_nonsense, socket)
            await socket.connected
        return stream

    def _stream_url(self) -> str:
        client = self._connected
        if self._kind is MarketKind.SPOT:
            return str(client.urls["api"]["ws"]["ws-api"]["spot"])
        return str(client.get_private_ws_url("linear", client.options["linear"]["listenKey"]))

    async def _forget_stream(self) -> None:
        """CCXT keeps a broken connection and the listen key of futures otherwise."""
        client = self._connected
        if self._kind is MarketKind.SPOT or client.options.get("linear", {}).get("listenKey"):
            socket = client.clients.pop(self._stream_url(), None)
            if socket is not None:
                await socket.close()
        if self._kind is MarketKind.USD_MARGINED:
            client.options["linear"] = {"listenKey": None, "lastAuthenticatedTime": 0}

    def _take_headers(self, headers: Mapping[str, str]) -> None:
        if self._listener is not None:
            for counted, interval_ns, used in used_in_headers(headers):
                self._listener.on_used(counted, interval_ns, used)

    def _take_message(self, socket: Any, message: Any) -> bool:
        """Take answers to our requests and events of the user data stream; True for these."""
        if not isinstance(message, dict) or self._listener is None:
            return False
        number = message.get("id")
        if number in socket.futures and "status" in message and socket.subscriptions.get(number) is True:
            for counted, interval_ns, used in used_in_message(message.get("rateLimits", ())):
                self._listener.on_used(counted, interval_ns, used)
            socket.resolve(message, number)
            return True
        event = message.get("event", message)
        kind = event.get("e") if isinstance(event, dict) else None
        if kind in _EVENTS:
            self._listener.on_event(event)
        elif kind in _ENDS:
            import ccxt

            socket.reject(ccxt.NetworkError(f"the venue sent {kind}"), _STREAM)
        return kind in _EVENTS or kind in _ENDS or kind in _UNREAD


def _break_on_nonsense(socket: Any, message: str | bytes) -> None:
    """Take a message as CCXT does; one that is no JSON breaks the connection, where CCXT would fall silent on it."""
    import ccxt

    try:
        type(socket).handle_text_or_binary_message(socket, message)
    except json.JSONDecodeError:
        socket.on_error(ccxt.NetworkError("a message was no JSON"))


def _is_cancelled() -> bool:
    """Whether this very task was cancelled: CCXT cancels what waits for a connection that it closes, too."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _code_and_message(text: str) -> tuple[int | None, str]:
    """The venue's own error in the text of an exception."""
    begin = text.find("{")
    if begin < 0:
        return None, ""
    try:
        body = json.loads(text[begin:])
    except json.JSONDecodeError:
        return None, ""
    code = body.get("code")
    return (code if isinstance(code, int) else None), str(body.get("msg", ""))
