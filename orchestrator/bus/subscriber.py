"""The receiving end of the data channel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Generic, TypeVar

from market.errors import Fatal, Rejected, Retry
from orchestrator.bus.envelope import Codec
from orchestrator.bus.messages import DataMessage, ResponseMessage
from orchestrator.bus.sequences import Sequences
from orchestrator.bus.sockets import Context, Socket, connect, new_context, readable, zmq

_M = TypeVar("_M", bound=DataMessage | ResponseMessage)
_FRAMES: Final = 2


class Subscriber(Generic[_M]):
    """Receives messages; a context manager, to be used by one thread.

    Parameters
    ----------
    topics: beginnings of topics, see ``topic_of``; b"" is all.

    Members
    -------
    sequences: counts lost and repeated messages. undecodable: messages that were refused, of which ``problem`` keeps
        the last text. received: messages that were handed out.
    """

    def __init__(
        self, codec: Codec[_M], address: str, high_water_mark: int, timeout_ms: int, topics: Sequence[bytes] = (b"",)
    ) -> None:
        self._codec = codec
        self._address = address
        self._high_water_mark = high_water_mark
        self._timeout_ms = timeout_ms
        self._topics = tuple(topics)
        self._context: Context | None = None
        self._socket: Socket | None = None
        self.sequences = Sequences()
        self.undecodable = 0
        self.received = 0
        self.problem = ""

    def __enter__(self) -> Subscriber[_M]:
        self._context = new_context()
        try:
            self._socket = connect(self._context, zmq.SUB, self._address, self._high_water_mark)
        except BaseException:
            self._context.term()
            raise
        for topic in self._topics:
            self._socket.setsockopt(zmq.SUBSCRIBE, topic)
        return self

    def __exit__(self, *error: object) -> None:
        if self._socket is not None and self._context is not None:
            self._socket.close()
            self._context.term()
        self._socket = self._context = None

    def receive(self) -> _M:
        """The next message that can be read; raises Retry when none comes within the timeout."""
        while True:
            found = self.take(self._timeout_ms)
            if found is None:
                raise Retry(
                    f"nothing came from {self._address} within {self._timeout_ms} ms; is a run there, with its bus on?"
                )
            message, _ = found
            if message is not None:
                return message

    def take(self, wait_ms: int) -> tuple[_M | None, int] | None:
        """What comes next within a time: the message, and how many were lost before it.

        The message is None where it could not be read or is old; None alone: nothing came.
        """
        if self._socket is None:
            raise Fatal("the subscriber is not open; use it as a context manager")
        if not readable(self._socket, wait_ms):
            return None
        frames = self._socket.recv_multipart()
        try:
            if len(frames) != _FRAMES:
                raise Rejected(f"a message had {len(frames)} frames; expected {_FRAMES}, topic and envelope")
            envelope, message = self._codec.decode(frames[1])
        except Rejected as refusal:
            self.undecodable += 1
            self.problem = str(refusal)
            return None, 0
        lost = self.sequences.take(envelope.publisher, frames[0], envelope.sequence)
        if lost < 0:
            return None, 0
        self.received += 1
        return message, lost
