"""Orders over Binance's WebSocket API without CCXT: messages built beforehand, one connection, little work per order.

Orders, cancellations and questions about orders go this way; everything else, and the user data stream, goes through
another channel.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from itertools import count
from typing import Any, Final

import msgspec
from picows import WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from market.instruments import Listing
from market.orders.order import Order
from orchestrator.execution.answers import Answer, Lost, NotSent, Reply, error_answer, redacted
from orchestrator.execution.channel import Channel, ChannelListener, Done, Send
from orchestrator.execution.message_template import MessageTemplate
from orchestrator.execution.order_text import place_request, price_text, quantity_text
from orchestrator.execution.requests import ROUTES, Ask, MarketKind, Request
from orchestrator.execution.signing import signer
from orchestrator.execution.used_limits import used_in_message
from orchestrator.recording.backoff import Backoff

_NATIVE: Final = frozenset((Ask.PLACE, Ask.PLACE_STOP, Ask.PLACE_OCO, Ask.CANCEL, Ask.CANCEL_STOP, Ask.ORDER))
_VARIABLE: Final = ("newClientOrderId", "clientAlgoId", "quantity", "price", "stopPrice", "triggerPrice")
"""What differs between two orders of a kind: id, quantity, limit price, stop price; each has one name here."""
_CONNECT_S: Final = 15.0
_SILENCE_S: Final = 10.0
_OK: Final = 200
_BACKOFF: Final = Backoff(first_s=0.1, longest_s=60.0, attempts=1 << 30)
_LOG_ON: Final = "session.logon"


class NativeChannel:
    """A ``Channel`` with a WebSocket of its own for orders.

    Parameters
    ----------
    url: of the WebSocket API. base: for all else.
    secret: of HMAC, then every message is signed; or an Ed25519 key in PEM, then the session is logged on.
    """

    def __init__(
        self,
        *,
        kind: MarketKind,
        url: str,
        api_key: str,
        secret: str,
        base: Channel,
        receive_window_ms: int,
        answer_timeout_ms: int,
    ) -> None:
        self._kind = kind
        self._routes = ROUTES[kind]
        self._url = url
        self._base = base
        self._signer = signer(secret)
        self._secrets = (api_key, secret)
        self._timeout_s = answer_timeout_ms / 1000
        self._constants = {"recvWindow": str(receive_window_ms)}
        self._api_key = api_key
        self._orders: dict[tuple[Any, ...], MessageTemplate] = {}
        self._numbers = count(1)
        self._pending: dict[str, tuple[Done, asyncio.TimerHandle]] = {}
        self.transport: WSTransport | None = None
        self._listener: ChannelListener | None = None
        self._stands = asyncio.Event()
        self._broken = "the connection for orders does not stand yet"

    def prepare(self, request: Request, timestamp_ms: int) -> Send:
        """Build and sign the message, in the caller's thread."""
        if request.ask not in _NATIVE:
            return self._base.prepare(request, timestamp_ms)
        template = self._template(request, list(request.parameters))
        number = str(next(self._numbers))
        return partial(self._send, number, template.message(number, list(request.parameters.values()), timestamp_ms))

    def prepare_order(self, order: Order, listing: Listing, timestamp_ms: int) -> Send:
        """Fill in and sign the message of the market and of orders of this kind; the first of a kind builds it."""
        intent = order.intent
        key = (listing.symbol, intent.side, intent.type, intent.time_in_force, intent.post_only, intent.reduce_only)
        template = self._orders.get(key)
        if template is None:
            template = self._orders[key] = self._order_template(place_request(intent, listing, self._kind))
        values = [order.client_order_id, quantity_text(listing, intent.quantity)]
        if intent.limit_price:
            values.append(price_text(listing, intent.limit_price))
        if intent.stop_price:
            values.append(price_text(listing, intent.stop_price))
        number = str(next(self._numbers))
        return partial(self._send, number, template.message(number, values, timestamp_ms))

    async def run(self, listener: ChannelListener) -> None:
        """Hold both connections; the user data stream begins once orders can be sent."""
        self._listener = listener
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hold())
            await self._stands.wait()
            tasks.create_task(self._base.run(listener))

    async def close(self) -> None:
        """End both."""
        if self.transport is not None:
            self.transport.disconnect()
        self._lose("the connections were closed")
        await self._base.close()

    def on_message(self, message: Mapping[str, Any]) -> None:
        """An answer, or an event that concerns the connection."""
        event = message.get("event")
        if isinstance(event, dict) and event.get("e") == "serverShutdown" and self.transport is not None:
            self.transport.disconnect()
            return
        done, timer = self._pending.pop(str(message.get("id")), (None, None))
        if self._listener is not None:
            for used in used_in_message(message.get("rateLimits", ())):
                self._listener.on_used(*used)
        if done is None or timer is None:
            return
        timer.cancel()
        done(self._answer(message))

    def _order_template(self, request: Request) -> MessageTemplate:
        """The template of a new order, its variables in the order of ``_VARIABLE``."""
        return self._template(request, [name for name in _VARIABLE if name in request.parameters])

    def _template(self, request: Request, names: list[str]) -> MessageTemplate:
        constants = {name: value for name, value in request.parameters.items() if name not in names} | self._constants
        method = self._routes[request.ask].websocket
        if self._signer.can_log_on:
            return MessageTemplate(method, constants, names, None)
        return MessageTemplate(method, {**constants, "apiKey": self._api_key}, names, self._signer)

    def _send(self, number: str, message: bytes, done: Done) -> None:
        if self.transport is None:
            done(NotSent(self._broken))
        else:
            self._deliver(self.transport, number, message, done)

    def _deliver(self, transport: WSTransport, number: str, message: bytes, done: Done) -> None:
        transport.send(WSMsgType.TEXT, message)
        timer = asyncio.get_running_loop().call_later(self._timeout_s, self._expire, number)
        self._pending[number] = (done, timer)

    def _expire(self, number: str) -> None:
        done, _ = self._pending.pop(number)
        done(Lost(f"no answer within {self._timeout_s:g} s"))

    def _lose(self, reason: str) -> None:
        """Nobody knows what became of what was not answered."""
        pending, self._pending = self._pending, {}
        for done, timer in pending.values():
            timer.cancel()
            done(Lost(reason))

    def _answer(self, message: Mapping[str, Any]) -> Answer:
        status = message.get("status")
        if status == _OK:
            return Reply(message.get("result"))
        error = message.get("error") or {}
        text = redacted(str(error.get("msg", "")), self._secrets)
        return error_answer(status if isinstance(status, int) else 0, error.get("code"), text)

    async def _hold(self) -> None:
        failed = 0
        while True:
            try:
                stood = await self._connection()
                self._broken = "the connection for orders broke" if stood else "the session was not logged on"
            except (OSError, WSError, TimeoutError) as error:
                stood = False
                self._broken = f"no connection for orders ({type(error).__name__})"
            self._lose(self._broken)
            if not stood and self._listener is not None:
                self._listener.on_failure(self._broken)
            failed = 1 if stood else failed + 1
            await asyncio.sleep(_BACKOFF.pause_s(failed) or 0)

    async def _connection(self) -> bool:
        """One connection until it ends; whether orders could be sent over it."""
        async with asyncio.timeout(_CONNECT_S):
            transport, listener = await ws_connect(
                partial(_Listener, self),
                self._url,
                enable_auto_ping=True,
                auto_ping_idle_timeout=_SILENCE_S,
                auto_ping_reply_timeout=_SILENCE_S,
            )
        if not isinstance(listener, _Listener):
            # picows has no error for an end before the answer: it gives no listener.
            raise ConnectionResetError("closed before the answer")
        try:
            if self._signer.can_log_on and not await self._log_on(transport):
                return False
            self.transport = transport
            self._stands.set()
            await transport.wait_disconnected()
            return True
        finally:
            self.transport = None
            transport.disconnect()

    async def _log_on(self, transport: WSTransport) -> bool:
        """Whether the venue took the key for the session."""
        time = await _answer_of(self._base.prepare(Request(ask=Ask.TIME, parameters={}), 0))
        if not isinstance(time, Reply):
            return False
        template = MessageTemplate(_LOG_ON, {**self._constants, "apiKey": self._api_key}, (), self._signer)
        number = str(next(self._numbers))
        message = template.message(number, (), int(time.body["serverTime"]))
        answer = await _answer_of(partial(self._deliver, transport, number, message))
        return isinstance(answer, Reply)


async def _answer_of(send: Send) -> Answer:
    answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    send(answered.set_result)
    return await answered


class _Listener(WSListener):
    """Hands the messages of one connection on."""

    def __init__(self, channel: NativeChannel) -> None:
        self._channel = channel
        self._parts: list[bytes] = []

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A frame has arrived."""
        if frame.msg_type is WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()
        elif frame.msg_type in (WSMsgType.TEXT, WSMsgType.CONTINUATION):
            self._parts.append(frame.get_payload_as_bytes())
            if frame.fin:
                message = b"".join(self._parts)
                self._parts.clear()
                self._take(transport, message)

    def _take(self, transport: WSTransport, message: bytes) -> None:
        try:
            decoded = msgspec.json.decode(message)
        except msgspec.DecodeError:
            # Somebody waits for this answer: with the connection everything unanswered is lost at once, and asked for.
            transport.disconnect()
            return
        if isinstance(decoded, dict):
            self._channel.on_message(decoded)
