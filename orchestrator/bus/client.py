"""The other end of the command and response channels: what the command line and other programs use."""

from __future__ import annotations

from typing import Final, Protocol, TypeVar

from config.bus import BusSettings
from market.errors import Fatal, Rejected, Retry
from orchestrator.bus import messages
from orchestrator.bus.envelope import command_codec, response_codec
from orchestrator.bus.messages import Answer, CommandMessage, Error, ErrorType, Hello, ResponseMessage
from orchestrator.bus.records import NewOrder, OrderRecord, PositionRecord
from orchestrator.bus.sockets import Context, Socket, connect, new_context, zmq
from orchestrator.bus.subscriber import Subscriber

_GREETING_EVERY_MS: Final = 20
_NS_PER_MS: Final = 1_000_000
_A = TypeVar("_A", bound=Answer)


class MonotonicClock(Protocol):
    """What measures how long an answer takes."""

    def monotonic_ns(self) -> int: ...


class BusClient:
    """Commands a run; a context manager, to be used by one thread.

    Every call waits for the answer to its own command and raises

    - Retry when the run did not take it or did not answer in time, naming the address;
    - Rejected when the run refused it, with the run's words.

    Parameters
    ----------
    name: of this client, unlike every other one's and unlike that of any earlier one.
    """

    def __init__(self, settings: BusSettings, name: str, clock: MonotonicClock) -> None:
        self._settings = settings
        self._name = name
        self._clock = clock
        self._codec = command_codec()
        self._responses: Subscriber[ResponseMessage] = Subscriber(
            response_codec(), settings.response_address, settings.high_water_mark, settings.response_timeout_ms
        )
        self._context: Context | None = None
        self._socket: Socket | None = None
        self._number = 0
        self._is_heard = False

    def __enter__(self) -> BusClient:
        self._context = new_context()
        try:
            self._socket = connect(
                self._context, zmq.PUSH, self._settings.command_address, self._settings.high_water_mark
            )
            self._responses.__enter__()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        if self._socket is not None:
            self._socket.close()
        if self._context is not None:
            self._context.term()
        self._socket = self._context = None
        self._responses.__exit__()

    def status(self) -> messages.RunStatus:
        """How the run is."""
        return self._ask(messages.QueryStatus(command_id=self._next_id()), messages.RunStatus)

    def halt(self, reason: str = "") -> str:
        """Stop trading and cancel what works; returns what the run says."""
        return self._succeed(messages.Halt(command_id=self._next_id(), reason=reason))

    def pause(self, reason: str = "") -> str:
        """Take no new risk."""
        return self._succeed(messages.Pause(command_id=self._next_id(), reason=reason))

    def resume(self) -> str:
        """Trade on."""
        return self._succeed(messages.Resume(command_id=self._next_id()))

    def close_all(self, reason: str = "") -> str:
        """Stop trading and close all positions."""
        return self._succeed(messages.CloseAll(command_id=self._next_id(), reason=reason))

    def orders(self, symbol: str | None = None) -> tuple[OrderRecord, ...]:
        """The orders that work."""
        command = messages.QueryOpenOrders(command_id=self._next_id(), symbol=symbol)
        return self._ask(command, messages.OpenOrders).orders

    def order(self, client_order_id: str) -> OrderRecord:
        """One order."""
        command = messages.QueryOrder(command_id=self._next_id(), client_order_id=client_order_id)
        return self._ask(command, messages.OrderStatus).order

    def positions(self) -> tuple[PositionRecord, ...]:
        """What is held."""
        return self._ask(messages.QueryPositions(command_id=self._next_id()), messages.Positions).positions

    def place(self, order: NewOrder) -> messages.OrderPlaced:
        """Send an order."""
        return self._ask(messages.PlaceOrder(command_id=self._next_id(), order=order), messages.OrderPlaced)

    def cancel(self, client_order_id: str, symbol: str = "") -> messages.OrderCanceled:
        """Ask for an order's cancellation."""
        command = messages.CancelOrder(command_id=self._next_id(), client_order_id=client_order_id, symbol=symbol)
        return self._ask(command, messages.OrderCanceled)

    def snapshot(self, symbol: str, venue: str = "") -> str:
        """Have a book's snapshot published on the data channel."""
        return self._succeed(messages.RequestSnapshot(command_id=self._next_id(), symbol=symbol, venue=venue))

    def reload(self) -> str:
        """Have thresholds and limits read anew."""
        return self._succeed(messages.ReloadConfig(command_id=self._next_id()))

    def shut_down(self) -> str:
        """Have the run end."""
        return self._succeed(messages.Shutdown(command_id=self._next_id()))

    def send(self, data: bytes) -> None:
        """Hand over the bytes of a command; raises Retry when nobody takes them in time."""
        if self._socket is None:
            raise Fatal("the client is not open; use it as a context manager")
        if not self._socket.poll(self._settings.command_timeout_ms, zmq.POLLOUT):
            raise Retry(
                f"nobody took a command at {self._settings.command_address} within "
                f"{self._settings.command_timeout_ms} ms; is a run there, with its bus on?"
            )
        self._socket.send(data)

    def answer(self, command_id: str) -> Answer:
        """The answer to a command; raises Retry when it does not come in time."""
        found = self._wait(command_id, self._settings.response_timeout_ms)
        if found is None:
            raise Retry(
                f"nothing answered at {self._settings.response_address} within {self._settings.response_timeout_ms} "
                f"ms to a command to {self._settings.command_address}; is a run there, with its bus on?"
            )
        return found

    def _succeed(self, command: CommandMessage) -> str:
        return self._ask(command, messages.Success).message

    def _ask(self, command: CommandMessage, expected: type[_A]) -> _A:
        self.greet()
        self._send(command)
        answer = self.answer(command.command_id)
        if isinstance(answer, Error):
            if answer.error_type is ErrorType.RETRY:
                raise Retry(answer.message)
            raise Rejected(answer.message)
        if not isinstance(answer, expected):
            raise Rejected(f"the answer was {type(answer).__name__}; expected {expected.__name__}")
        return answer

    def greet(self) -> None:
        """Make sure that answers reach us: a subscription takes effect some time after it was made. Raises Retry."""
        if self._is_heard:
            return
        end_ns = self._clock.monotonic_ns() + self._settings.response_timeout_ms * _NS_PER_MS
        while self._clock.monotonic_ns() < end_ns:
            hello = Hello(command_id=self._next_id())
            self._send(hello)
            if self._wait(hello.command_id, _GREETING_EVERY_MS) is not None:
                self._is_heard = True
                return
        raise Retry(
            f"nothing answered at {self._settings.response_address} within {self._settings.response_timeout_ms} ms to "
            f"greetings at {self._settings.command_address}; is a run there, with its bus on?"
        )

    def _wait(self, command_id: str, timeout_ms: int) -> Answer | None:
        end_ns = self._clock.monotonic_ns() + timeout_ms * _NS_PER_MS
        while (left_ns := end_ns - self._clock.monotonic_ns()) > 0:
            found = self._responses.take(left_ns // _NS_PER_MS)
            message = None if found is None else found[0]
            if isinstance(message, Answer) and message.command_id == command_id:
                return message
        return None

    def _send(self, command: CommandMessage) -> None:
        self.send(self._codec.encode(command, self._name, self._number))

    def _next_id(self) -> str:
        self._number += 1
        return f"{self._name}-{self._number}"
