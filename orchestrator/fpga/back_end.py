"""A board behind the engine link: sealed control messages and market data out, triggers, answers and the log in."""

from __future__ import annotations

import select
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from market.errors import Rejected, Retry
from market.fastpath import layout
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import Result, StepKind
from market.receive.words import Endpoint
from market.wire.sbe import encode
from orchestrator.clock import SystemClock
from orchestrator.engine.inputs import Input, InputKind
from orchestrator.engine.shadow import template_of
from orchestrator.fpga.courier import Courier
from orchestrator.fpga.fresh_view import FreshView
from orchestrator.fpga.host import BoardHost
from orchestrator.fpga.log_order import OVERTAKEN_NS, LogOrder, steps_of
from orchestrator.fpga.markets import BoardMarkets
from orchestrator.fpga.takeover import EPOCH

_DATAGRAM_BYTES: Final = 2_048
_DATAGRAMS_PER_TURN: Final = 256
_LONGEST_WAIT_NS: Final = 1_000_000_000
_END_S: Final = 5.0
_KILLS: Final = 3
"""A last message may be lost, and nobody waits for its answer."""
_UNNUMBERED: Final = frozenset(
    SCHEMA.message(name).template_id for name in ("FrameCounters", "LatencyCounters", "BoardCounters")
)
"""What a board tells by the way."""


@dataclass(frozen=True, slots=True)
class BoardSockets:
    """Of the host: ``messages`` gets what the board says and sends control messages, ``log`` gets the event log."""

    messages: socket.socket
    log: socket.socket
    market: socket.socket


Stamp = Callable[[int, bytes], bytes]
"""Puts an input's time before its datagram, for a core that takes its time from there."""


def unstamped(time_ns: int, datagram: bytes) -> bytes:
    """As a board takes it, which has a clock."""
    return datagram


class BoardBackEnd:
    """A board that was taken over, or the simulated core in its place.

    Parameters
    ----------
    host: sends what is sealed; nothing else may use it any more.
    opened: the sockets; they are not closed here.
    board: where it takes control messages, and what it sends comes from.
    wake: called, from another thread, whenever something arrived or the board is lost.

    Attributes
    ----------
    spoiled: datagrams that were no messages of the run.

    A thread hears the board and sends control messages again until they are answered. Whoever hears a step of the
    log has heard before what the board sent earlier to the other port.
    """

    def __init__(
        self,
        host: BoardHost,
        opened: BoardSockets,
        board: Endpoint,
        view: FreshView,
        markets: BoardMarkets,
        clock: SystemClock,
        wake: Callable[[], None],
        stamp: Stamp = unstamped,
    ) -> None:
        self.spoiled = 0
        self._host, self._opened, self._view, self._markets = host, opened, view, markets
        self._board = (str(board.address), board.port)
        self._clock, self._wake, self._stamp = clock, wake, stamp
        self._courier, self._order = Courier(), LogOrder()
        self._lock = threading.Lock()
        self._arrived: deque[bytes] = deque()
        self._news = threading.Event()
        self._gone = ""
        self._ended = False
        for each in (opened.messages, opened.log, opened.market):
            each.setblocking(False)
        self._waker, self._woken = socket.socketpair()
        self._reader = threading.Thread(target=self._read, name="board-reader", daemon=True)
        self._reader.start()

    @property
    def name(self) -> str:
        """Where it is."""
        return f"the board at {self._board[0]}:{self._board[1]}"

    @property
    def resent(self) -> int:
        """How many control messages were sent again."""
        return self._courier.resent

    def send(self, given: Input) -> None:
        """Hand an input over; raises Retry where nothing can be sent."""
        if given.kind is InputKind.CONTROL:
            sequence = int.from_bytes(given.message[layout.HEADER_SIZE : layout.HEADER_SIZE + 8], "little")
            with self._lock:
                self._courier.add(sequence, given.time_ns, self._view.outgoing(given.message))
                self._post_due()
            self._waker.send(b"!")
            return
        content, to = self._markets.datagram(given)
        try:
            self._opened.market.sendto(self._stamp(given.time_ns, content), to)
        except BlockingIOError:
            # lost as on any other part of the way: the log will not show it
            return
        except OSError as error:
            raise Retry(f"nothing can be sent to {to[0]}:{to[1]}: {error.strerror}") from error

    def receive(self) -> Sequence[bytes]:
        """What has arrived; raises Retry once the board is lost and everything was returned."""
        gone = self._gone
        messages = [self._arrived.popleft() for _ in range(len(self._arrived))]
        if not messages and gone:
            raise Retry(f"{self.name} is lost: {gone}")
        return messages

    def wait(self, seconds: float) -> None:
        """Wait for news."""
        self._news.wait(seconds)
        self._news.clear()

    def close(self) -> None:
        """Kill it: whatever it was sent or not, it triggers no more, and its epoch is over."""
        if self._ended:
            return
        self._ended = True
        self._waker.send(b"!")
        self._reader.join(_END_S)
        with self._lock:
            for _ in range(_KILLS):
                self._post(0, encode(SCHEMA, "Hello", {"sequence": 1, "epoch": EPOCH}))
        self._waker.close()
        self._woken.close()

    def _post_due(self) -> None:
        for time_ns, message in self._courier.due(self._clock.monotonic_ns()):
            self._post(time_ns, message)

    def _post(self, time_ns: int, message: bytes) -> None:
        """Seal and send a message; raises Retry where nothing can be sent."""
        try:
            self._opened.messages.sendto(self._stamp(time_ns, self._host.sealed(message)), self._board)
        except BlockingIOError:
            # it is sent again, as if it had been lost later on its way
            return
        except OSError as error:
            raise Retry(f"nothing can be sent to {self.name}: {error.strerror}") from error

    def _read(self) -> None:
        """The thread: until it is closed, or the board is lost."""
        poll = select.poll()
        for each in (self._opened.messages, self._opened.log, self._woken):
            poll.register(each, select.POLLIN)
        try:
            while not self._ended and not self._gone:
                poll.poll(self._wait_ns() / 1e6)
                self._turn()
        except (OSError, Retry) as error:
            self._gone = str(error)
        self._tell()

    def _wait_ns(self) -> int:
        with self._lock:
            due_ns = self._courier.due_in_ns(self._clock.monotonic_ns())
        waits = (due_ns, OVERTAKEN_NS if self._order.waits else None, _LONGEST_WAIT_NS)
        return min(wait for wait in waits if wait is not None)

    def _turn(self) -> None:
        """Take what has come, send what is due, and see whether the log has a hole."""
        with suppress(BlockingIOError):
            self._woken.recv(_DATAGRAM_BYTES, socket.MSG_DONTWAIT)
        before = len(self._arrived)
        # the log first: whatever the board sent before it has then come as well, and is taken before it
        logs = list(self._waiting(self._opened.log))
        for content in self._waiting(self._opened.messages):
            self._take_message(content)
        for content in logs:
            self._take_log(content)
        with self._lock:
            self._post_due()
        self._gone = self._order.hole(self._clock.monotonic_ns())
        if len(self._arrived) > before or self._gone:
            self._tell()

    def _waiting(self, opened: socket.socket) -> Iterator[bytes]:
        """Datagrams of the board that wait in a socket, up to as many as one turn takes."""
        for _ in range(_DATAGRAMS_PER_TURN):
            try:
                content, sender = opened.recvfrom(_DATAGRAM_BYTES)
            except BlockingIOError:
                return
            except ConnectionRefusedError:
                # nobody listens there at the moment: as if it had been lost
                continue
            if sender == self._board:
                yield content

    def _take_message(self, content: bytes) -> None:
        if template_of(content) in _UNNUMBERED:
            return
        try:
            message = self._view.incoming(content)
        except Rejected:
            self.spoiled += 1
            return
        if template_of(message) == layout.TEMPLATE_ACKNOWLEDGE:
            sequence = int.from_bytes(message[layout.ACKNOWLEDGE_SEQUENCE : layout.ACKNOWLEDGE_SEQUENCE + 8], "little")
            number = message[layout.ACKNOWLEDGE_RESULT]
            if number not in set(Result):
                self.spoiled += 1
                return
            result = Result(number)
            with self._lock:
                self._courier.answered(sequence, result, self._clock.monotonic_ns())
            if result in (Result.REPEATED, Result.OUT_OF_ORDER):
                return
        self._arrived.append(message)

    def _take_log(self, datagram: bytes) -> None:
        try:
            steps = list(steps_of(datagram))
        except Rejected:
            self.spoiled += 1
            return
        for message in steps:
            number = self._view.step_of(message)
            if message[layout.LOG_STEP_KIND] == StepKind.CONTROL and number > 0:
                at = layout.LOG_STEP_PAYLOAD + layout.HEADER_SIZE
                with self._lock:
                    self._courier.arrived(int.from_bytes(message[at : at + 8], "little"))
            for step in self._order.add(number, message, self._clock.monotonic_ns()):
                self._arrived.append(self._view.step(step))

    def _tell(self) -> None:
        self._news.set()
        self._wake()
