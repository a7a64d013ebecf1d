"""The sending end of the data channel."""

from __future__ import annotations

from typing import Generic, TypeVar

from market.errors import Fatal
from orchestrator.bus.envelope import Codec
from orchestrator.bus.messages import DataMessage, ResponseMessage, topic_of
from orchestrator.bus.sockets import Context, Socket, address_of, bind, new_context, zmq

_M = TypeVar("_M", bound=DataMessage | ResponseMessage)


class Publisher(Generic[_M]):
    """Publishes messages; a context manager, to be used by one thread.

    Never waits: for a subscriber that does not keep up, messages beyond the high-water mark are dropped, which it sees
    by their numbers.

    Parameters
    ----------
    name: of this publisher; another one's after every start, since numbers start anew.
    """

    def __init__(self, codec: Codec[_M], name: str, address: str, high_water_mark: int) -> None:
        self._codec = codec
        self._name = name
        self._wanted = address
        self._high_water_mark = high_water_mark
        self._numbers: dict[bytes, int] = {}
        self._context: Context | None = None
        self._socket: Socket | None = None
        self.published = 0

    def __enter__(self) -> Publisher[_M]:
        """Bind; raises MissingInput when the address is taken."""
        self._context = new_context()
        try:
            self._socket = bind(self._context, zmq.PUB, self._wanted, self._high_water_mark)
        except BaseException:
            self._context.term()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        if self._socket is not None and self._context is not None:
            self._socket.close()
            self._context.term()
        self._socket = self._context = None

    @property
    def address(self) -> str:
        """Where subscribers connect."""
        return address_of(self._open())

    def publish(self, message: _M) -> None:
        """Send a message to whoever subscribed to it."""
        topic = topic_of(message)
        number = self._numbers[topic] = self._numbers.get(topic, 0) + 1
        self._open().send_multipart([topic, self._codec.encode(message, self._name, number)])
        self.published += 1

    def _open(self) -> Socket:
        if self._socket is None:
            raise Fatal("the publisher is not open; use it as a context manager")
        return self._socket
