"""Connections to streams: subscribing, unsubscribing, and listening to an account."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from sim.exchange.answers import json_text
from sim.exchange.connection import Connection
from sim.exchange.numbers import ms
from sim.exchange.outbox import Message
from sim.exchange.service import VenueService
from sim.exchange.stream_hub import StreamHub
from sim.exchange.stream_names import Stream
from sim.exchange.user_data import Told
from sim.faults.plan import Channel

_MOST_STREAMS: Final = 1_024
_MOST_PER_SECOND: Final = 10
_SECOND_NS: Final = 10**9
_METHODS: Final = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")


class StreamRefusal(Exception):
    """A request on a stream connection that cannot be carried out; its code is Binance's, from 0 to 4."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class StreamSession:
    """One connection that gets market data.

    Parameters
    ----------
    parse: what a name asks for on this path; None where there is no such stream.
    combined: whether messages say which stream they are of.
    """

    def __init__(
        self,
        service: VenueService,
        hub: StreamHub,
        connection: Connection,
        parse: Callable[[str], Stream | None],
        *,
        combined: bool,
    ) -> None:
        self._service = service
        self._hub = hub
        self._connection = connection
        self._parse = parse
        self._combined = combined
        self._joined: dict[str, tuple[Stream, Callable[[Message], None]]] = {}
        self._second = 0
        self._taken = 0

    def join(self, names: Iterable[str]) -> None:
        """Subscribe; raises StreamRefusal, and then to none of them."""
        streams = {name: self._stream(name) for name in names if name not in self._joined}
        if len(self._joined) + len(streams) > _MOST_STREAMS:
            raise StreamRefusal(2, f"Invalid request: more than {_MOST_STREAMS} streams")
        for name, stream in streams.items():
            subscriber = self._subscriber(name)
            self._joined[name] = (stream, subscriber)
            self._hub.join(stream, subscriber)

    def leave(self, names: Iterable[str]) -> None:
        """Unsubscribe; names that are not subscribed to are passed over."""
        for name in names:
            if name in self._joined:
                self._hub.leave(*self._joined.pop(name))

    def leave_all(self) -> None:
        """Unsubscribe from everything."""
        self.leave(tuple(self._joined))

    async def take(self, content: str) -> None:
        """A request of the client; too many of them in a second end the connection."""
        second = self._service.now_ns() // _SECOND_NS
        self._taken = self._taken + 1 if second == self._second else 1
        self._second = second
        if self._taken > _MOST_PER_SECOND:
            self._connection.abort()
            return
        self._connection.put(json_text(self._answer(content)), Channel.ANSWER)

    def _answer(self, content: str) -> dict[str, Any]:
        number: Any = None
        try:
            request = _request(content)
            number = request.get("id")
            return {"result": self._carry_out(request), "id": number}
        except StreamRefusal as refusal:
            return {"error": {"code": refusal.code, "msg": refusal.message}, "id": number}

    def _carry_out(self, request: dict[str, Any]) -> Any:
        method, values = request.get("method"), request.get("params", [])
        if method not in _METHODS:
            expected = ", ".join(f"`{name}`" for name in _METHODS)
            raise StreamRefusal(2, f"Invalid request: unknown variant `{method}`, expected one of {expected}")
        if method == "LIST_SUBSCRIPTIONS":
            return list(self._joined)
        if not isinstance(values, list):
            raise StreamRefusal(2, "Invalid request: params must be a list")
        if method in ("SET_PROPERTY", "GET_PROPERTY"):
            return self._property(method, values)
        if not all(isinstance(value, str) for value in values):
            raise StreamRefusal(2, "Invalid request: a stream's name must be a string")
        if method == "SUBSCRIBE":
            self.join(values)
        else:
            self.leave(values)
        return None

    def _property(self, method: str, values: list[Any]) -> Any:
        if not values or values[0] != "combined":
            raise StreamRefusal(0, "Unknown property")
        if method == "GET_PROPERTY":
            return self._combined
        if len(values) != 2 or not isinstance(values[1], bool):
            raise StreamRefusal(1, "Invalid value type: expected Boolean")
        self._combined = values[1]
        return None

    def _stream(self, name: str) -> Stream:
        stream = self._parse(name)
        if stream is None or not self._hub.knows(stream):
            raise StreamRefusal(2, f"Invalid request: invalid stream {name!r}")
        return stream

    def _subscriber(self, name: str) -> Callable[[Message], None]:
        head = f'{{"stream":"{name}","data":'

        def subscriber(message: Message) -> None:
            if self._combined and isinstance(message, str):
                message = f"{head}{message}}}"
            self._connection.put(message, Channel.MARKET)

        return subscriber


class ListenSession:
    """One connection that listens to an account by a listen key."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._ended = False

    def end(self) -> None:
        """Pass nothing on any more."""
        self._ended = True

    def tell(self, told: Told) -> None:
        """Pass a message on."""
        if self._ended:
            return
        self._connection.put(json_text(told.message), Channel.USER, is_fill=told.is_fill)

    async def take(self, content: str) -> None:
        """Refuse every request: there is nothing to ask for here."""
        refusal = {"code": 2, "msg": "Invalid request: this connection takes no requests"}
        self._connection.put(json_text({"error": refusal, "id": None}), Channel.ANSWER)


def shutdown_event(server_ns: int) -> dict[str, Any]:
    """What connections are told before the server ends."""
    return {"e": "serverShutdown", "E": ms(server_ns)}


def _request(content: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.ValidationError as error:
        raise StreamRefusal(2, f"Invalid request: {error}") from error
    except msgspec.DecodeError as error:
        raise StreamRefusal(3, f"Invalid JSON: {error}") from error
