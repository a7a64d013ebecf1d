"""The run's end of the command and response channels, in a thread of its own."""

from __future__ import annotations

import socket as system
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final, Protocol

from market.errors import Fatal, Rejected
from orchestrator.bus.envelope import UnknownVersion, command_codec, response_codec
from orchestrator.bus.messages import Answer, CommandMessage, Error, ErrorType, Hello, ResponseMessage, Success
from orchestrator.bus.publisher import Publisher
from orchestrator.bus.sequences import Sequences
from orchestrator.bus.sockets import Socket, address_of, bind, new_context, zmq

_REMEMBERED: Final = 4_096
"""Commands whose answers are kept, so that one that is sent again has no second effect."""
_END_S: Final = 10.0
_WAKE_BYTES: Final = 4_096
_TOPIC: Final = b"commands"


class TimeSource(Protocol):
    """What says what time it is, from any thread."""

    def now_ns(self) -> int: ...


@dataclass
class ServerCounts:
    """What a server has seen.

    Parameters
    ----------
    commands: handed to the run. repeated: known already, answered again or not. undecodable: answered with an error.
    responses: published. lost: commands that were numbered and never came.
    """

    commands: int = 0
    repeated: int = 0
    undecodable: int = 0
    responses: int = 0
    lost: int = 0


class CommandServer:
    """Takes commands and publishes responses; a context manager that runs a thread.

    Parameters
    ----------
    name: of this publisher, see ``Publisher``. wake: called from the thread when a command waits to be taken.
    """

    def __init__(
        self,
        *,
        command_address: str,
        response_address: str,
        high_water_mark: int,
        name: str,
        clock: TimeSource,
        wake: Callable[[], None],
    ) -> None:
        self._wanted = command_address
        self._high_water_mark = high_water_mark
        self._clock = clock
        self._wake = wake
        self._codec = command_codec()
        self._publisher: Publisher[ResponseMessage] = Publisher(
            response_codec(), name, response_address, high_water_mark
        )
        self._inbox: deque[CommandMessage] = deque()
        self._outbox: deque[ResponseMessage] = deque()
        self._answers: OrderedDict[str, Answer | None] = OrderedDict()
        self._sequences = Sequences()
        self._stack = ExitStack()
        self._nudge: system.socket | None = None
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self._command_address = self._response_address = ""
        self.counts = ServerCounts()

    def __enter__(self) -> CommandServer:
        """Bind both addresses and start; raises MissingInput when one is taken."""
        with ExitStack() as stack:
            self._nudge, nudged = system.socketpair()
            for end in (self._nudge, nudged):
                end.setblocking(False)
                stack.callback(end.close)
            stack.enter_context(self._publisher)
            context = new_context()
            stack.callback(context.term)
            commands = bind(context, zmq.PULL, self._wanted, self._high_water_mark)
            stack.callback(commands.close)
            self._command_address, self._response_address = address_of(commands), self._publisher.address
            self._thread = threading.Thread(target=self._run, args=(commands, nudged), name="bus", daemon=True)
            self._thread.start()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        """Send what waits to be sent, and end; raises what ended the thread."""
        self._ending.set()
        self._poke()
        if self._thread is not None:
            self._thread.join(_END_S)
            if self._thread.is_alive():
                raise Fatal(f"the bus did not end within {_END_S:g} s")
        self._stack.close()
        self.check()

    @property
    def command_address(self) -> str:
        """Where commands are taken."""
        return self._command_address

    @property
    def response_address(self) -> str:
        """Where responses are published."""
        return self._response_address

    def check(self) -> None:
        """Raise what ended the thread, if anything did."""
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def take(self) -> CommandMessage | None:
        """The oldest command that was not taken, None when there is none; from one thread. Raises what ended it."""
        self.check()
        return self._inbox.popleft() if self._inbox else None

    def respond(self, response: ResponseMessage) -> None:
        """Publish a response, from any thread; soon."""
        self._outbox.append(response)
        self._poke()

    def _poke(self) -> None:
        if self._nudge is None:
            raise Fatal("the command server is not open; use it as a context manager")
        try:
            self._nudge.send(b".")
        except BlockingIOError:
            return  # more nudges wait than the thread has read: it will look at the outbox anyway

    def _run(self, commands: Socket, nudged: system.socket) -> None:
        try:
            poller = zmq.Poller()
            poller.register(commands, zmq.POLLIN)
            poller.register(nudged.fileno(), zmq.POLLIN)
            while not self._ending.is_set():
                poller.poll()
                while commands.poll(0):
                    self._receive(commands.recv_multipart())
                _drain(nudged)
                self._send_all()
            self._send_all()
        except BaseException as failure:  # noqa: BLE001 - handed to whoever ends the server
            self._failure = failure

    def _receive(self, frames: list[bytes]) -> None:
        data = frames[-1]
        try:
            if len(frames) != 1:
                raise Rejected(f"a command had {len(frames)} frames; expected 1")
            envelope, command = self._codec.decode(data)
        except Rejected as refusal:
            self.counts.undecodable += 1
            kind = ErrorType.UNKNOWN_VERSION if isinstance(refusal, UnknownVersion) else ErrorType.UNDECODABLE
            self._publish(self._error(self._codec.command_id(data), kind, str(refusal)))
            return
        self.counts.lost += max(self._sequences.take(envelope.publisher, _TOPIC, envelope.sequence), 0)
        name = command.command_id
        if isinstance(command, Hello):
            self._publish(Success(command_id=name, message="hello", timestamp_ns=self._clock.now_ns()))
        elif name in self._answers:
            self.counts.repeated += 1
            answer = self._answers[name]
            if answer is not None:
                self._publish(answer)
        elif len(self._inbox) >= self._high_water_mark:
            busy = f"{len(self._inbox)} commands waited already; send it again when the run has come to them"
            self._publish(self._error(name, ErrorType.RETRY, busy))
        else:
            self._answers[name] = None
            if len(self._answers) > _REMEMBERED:
                self._answers.popitem(last=False)
            self.counts.commands += 1
            self._inbox.append(command)
            self._wake()

    def _send_all(self) -> None:
        while self._outbox:
            response = self._outbox.popleft()
            name = getattr(response, "command_id", "")
            if name in self._answers and isinstance(response, Answer):
                self._answers[name] = response
            self._publish(response)

    def _publish(self, response: ResponseMessage) -> None:
        self._publisher.publish(response)
        self.counts.responses += 1

    def _error(self, command_id: str, kind: ErrorType, text: str) -> Error:
        return Error(command_id=command_id, error_type=kind, message=text, timestamp_ns=self._clock.now_ns())


def _drain(nudged: system.socket) -> None:
    try:
        while nudged.recv(_WAKE_BYTES):
            pass
    except BlockingIOError:
        return
