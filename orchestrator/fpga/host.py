"""The host of a board: numbered, sealed control messages out over UDP, and whatever the board says in."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hdl.control.seal import seal
from market.errors import Fatal, Retry
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import Refusal, Result
from market.receive.words import Endpoint
from market.wire.sbe import Decoded, decode, encode
from orchestrator.clock import SystemClock

_DATAGRAM_BYTES: Final = 2_048
_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """An acknowledgement: number of the message, the number that would be applied next, and how long it took."""

    sequence: int
    expected: int
    step: int
    result: Result
    refusal: Refusal
    round_trip_ns: int


class BoardHost:
    """One end of the conversation with a board, or with whatever stands in its place.

    Parameters
    ----------
    own: the bound socket that the board sends its messages to.
    board: where it takes control messages; what comes from elsewhere is not looked at.
    clock: gives counters of seals and intervals.
    key: seals what is sent; None for an engine that takes messages as they are.
    patience_s: how long an answer is waited for.
    way: how sealed messages leave if not by ``own``, such as the ``send`` of a ``SerialLine``; answers come to ``own``.

    Attributes
    ----------
    next_sequence: number of the next control message.
    triggers: Trigger messages as they came, in order.
    latest: of each other message the last one, by its name.

    A message that is not answered in time is sent again, under the same number: it is applied once at most. Only one
    host can number the messages of a board. Not safe to share between threads.
    """

    def __init__(
        self,
        own: socket.socket,
        board: Endpoint,
        clock: SystemClock,
        key: bytes | None = None,
        patience_s: float = 1.0,
        way: Callable[[bytes], None] | None = None,
    ) -> None:
        self.next_sequence = 1
        self.triggers: list[bytes] = []
        self.latest: dict[str, Decoded] = {}
        self.key = key
        self._own = own
        self._board = (str(board.address), board.port)
        self._clock = clock
        self._way = way
        self._patience_ns = round(patience_s * 1e9)
        self._counter = 0

    def next_counter(self) -> int:
        """The counter of the next seal: wall time in ns, so that it also grows from one process to the next."""
        self._counter = max(self._counter + 1, self._clock.now_ns())
        return self._counter

    def post(self, message: bytes) -> None:
        """Send a control message, sealed if there is a key, without waiting."""
        self.post_sealed(self.sealed(message))

    def sealed(self, message: bytes) -> bytes:
        """A control message as it is sent: sealed if there is a key, never the same twice."""
        return message if self.key is None else seal(self.key, self.next_counter(), message)

    def post_sealed(self, datagram: bytes) -> None:
        """Send a datagram as it is."""
        if self._way is not None:
            self._way(datagram)
            return
        try:
            self._own.sendto(datagram, self._board)
        except OSError as error:
            raise Retry(f"nothing can be sent to {self._board[0]}:{self._board[1]}: {error.strerror}") from error

    def adopt(self) -> Answer:
        """Learn the number that the board waits for, from a message that it has long had. Changes nothing on it.

        Raises ``Retry`` without an answer.
        """
        message = encode(SCHEMA, "StatusRequest", {"sequence": 0})
        answer = self._ask(message, 0)
        self.next_sequence = answer.expected
        return answer

    def send(self, name: str, **fields: Any) -> Answer:
        """The next control message by its name in the schema; raises as ``send_message``."""
        return self.send_message(encode(SCHEMA, name, {"sequence": self.next_sequence, **fields}))

    def send_message(self, message: bytes) -> Answer:
        """A message with the next number.

        Raises ``Retry`` without an answer, and when the numbers show that another host controls the board as well.
        """
        sequence = self.next_sequence
        answer = self._ask(message, sequence)
        self.next_sequence = answer.expected
        if answer.result is Result.OUT_OF_ORDER:
            raise Retry(f"the board waits for message {answer.expected}, {sequence} was sent: adopt its number")
        if answer.result is Result.REPEATED:
            raise Retry(f"the board has had a message {sequence} already: an answer was lost, or it has another host")
        return answer

    def apply(self, name: str, **fields: Any) -> Answer:
        """As ``send``, for a message that must be applied; raises ``Fatal`` if it is refused."""
        answer = self.send(name, **fields)
        if answer.result is not Result.APPLIED:
            raise Fatal(f"the board refused {name}: {answer.refusal.name}")
        return answer

    def hello(self, epoch: int) -> Answer:
        """Begin the numbering anew with an epoch; the board is killed."""
        return self.apply("Hello", epoch=epoch)

    def status(self, request: str = "StatusRequest") -> tuple[Mapping[str, Any], Answer]:
        """Ask for a status, or beat (``Heartbeat``), which is answered by one."""
        answer = self.apply(request)
        found = self.wait_for("Status", lambda fields: int(fields["step"]) >= answer.step)
        return found, answer

    def report(self, name: str) -> Mapping[str, Any]:
        """Ask for a status, and give the report of that name which follows it; one before it is older than its step."""
        status, _ = self.status()
        return self.wait_for(name, lambda fields: int(fields["time"]) >= status["time"])

    def wait_for(self, name: str, fits: Callable[[Mapping[str, Any]], bool] = lambda fields: True) -> Mapping[str, Any]:
        """Fields of the last message of that name, once there is one that fits; raises ``Retry`` if none comes."""
        deadline_ns = self._clock.monotonic_ns() + self._patience_ns
        while name not in self.latest or not fits(self.latest[name].fields):
            if self._hear(deadline_ns) is None:
                raise Retry(f"no {name} came from {self._board[0]}:{self._board[1]} in {self._patience_ns / 1e9:g} s")
        return self.latest[name].fields

    def listen(self, wait_ns: int) -> None:
        """Take whatever comes in so long."""
        deadline_ns = self._clock.monotonic_ns() + wait_ns
        while self._clock.monotonic_ns() < deadline_ns and self._hear(deadline_ns) is not None:
            pass

    def wait_for_triggers(self, count: int) -> bool:
        """Whether so many triggers have come, waiting for them."""
        deadline_ns = self._clock.monotonic_ns() + self._patience_ns
        while len(self.triggers) < count:
            if self._hear(deadline_ns) is None:
                return False
        return True

    def _ask(self, message: bytes, sequence: int) -> Answer:
        """Send until it is acknowledged."""
        for _ in range(_ATTEMPTS):
            self.latest.pop("Acknowledge", None)
            sent_ns = self._clock.monotonic_ns()
            self.post(message)
            while (heard := self._hear(sent_ns + self._patience_ns)) is not None:
                if heard.name == "Acknowledge" and heard.fields["sequence"] == sequence:
                    fields = heard.fields
                    return Answer(
                        sequence,
                        fields["expected"],
                        fields["step"],
                        Result(fields["result"]),
                        Refusal(fields["refusal"]),
                        self._clock.monotonic_ns() - sent_ns,
                    )
        asked = f"{_ATTEMPTS} times, {self._patience_ns / 1e9:g} s each"
        expected = "it must be there, have this address as its host's, and have been built with the key given"
        raise Retry(f"no answer from {self._board[0]}:{self._board[1]} ({asked}): {expected}")

    def _hear(self, deadline_ns: int) -> Decoded | None:
        """The next message of the board, kept where it belongs; None once the time is over.

        One that had come by then is taken: a host that stood still itself is no silence of the board.
        """
        is_over = False
        while not is_over:
            left_ns = deadline_ns - self._clock.monotonic_ns()
            is_over = left_ns <= 0
            self._own.settimeout(max(left_ns, 0) / 1e9)
            try:
                content, sender = self._own.recvfrom(_DATAGRAM_BYTES)
            except (TimeoutError, BlockingIOError):
                return None
            except ConnectionRefusedError:
                # nobody listens there yet: as if it had been lost
                continue
            if sender != self._board:
                continue
            message = decode(SCHEMA, content)
            if message.name == "Trigger":
                self.triggers.append(content)
            else:
                self.latest[message.name] = message
            return message
        return None
