"""A board's place on loopback taken by the CPU engine: quick to start, and as unreliable as a test wants it."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any

from market.fastpath.engine import CpuEngine
from market.fastpath.specification import EngineSizes
from market.receive.words import Endpoint
from orchestrator.clock import SystemClock
from orchestrator.fpga.host import BoardHost
from orchestrator.fpga.selftest import SelfTest
from orchestrator.fpga.selftest_plan import Places
from tests.orchestrator.loop.rig import LOOPBACK, bound

SIZES = EngineSizes(venues=2, instruments=3, channels=4)
STEP_NS = 1_000_000
Spoil = Callable[[bytes], bytes | None]
"""What becomes of a message on its way; None if it is lost."""


def at(opened: socket.socket) -> Endpoint:
    return Endpoint(IPv4Address(LOOPBACK), opened.getsockname()[1])


@dataclass
class Board:
    """An engine that answers on sockets in a thread of its own.

    ``incoming`` and ``outgoing`` change what comes and goes; channel rows 2 and 3 are those of ``markets``.
    """

    control: socket.socket
    markets: list[socket.socket]
    host: Endpoint
    log: Endpoint
    incoming: Spoil = lambda message: message
    outgoing: Spoil = lambda message: message
    market: Spoil = lambda message: message
    engine: CpuEngine = field(default_factory=lambda: CpuEngine(SIZES, event_log=True))
    time_ns: int = STEP_NS

    def serve(self, ended: threading.Event) -> None:
        """Until ``ended``: one datagram after the other."""
        while not ended.is_set():
            for ready in select.select([self.control, *self.markets], [], [], 0.02)[0]:
                self.take(ready)

    def take(self, ready: socket.socket) -> None:
        content = ready.recv(2_048)
        self.time_ns += STEP_NS
        if ready is self.control:
            message = self.incoming(content)
            if message is not None:
                self.engine.control(message, self.time_ns)
        elif (message := self.market(content)) is not None:
            row = SIZES.channels - 2 + self.markets.index(ready)
            self.engine.push_datagram(message, row, self.time_ns)
        for output in self.engine.outputs():
            if (sent := self.outgoing(output)) is not None:
                self.control.sendto(sent, (str(self.host.address), self.host.port))
        for step in self.engine.event_log():
            filled = step + bytes(-len(step) % 8)
            self.control.sendto(filled, (str(self.log.address), self.log.port))


@dataclass
class Bench:
    """A running board, and its host."""

    board: Board
    host: BoardHost
    log: socket.socket
    sender: socket.socket

    def selftest(self, rounds: int = 1, **changes: Any) -> SelfTest:
        places = Places(changes.get("sizes", SIZES), (at(self.board.markets[0]), at(self.board.markets[1])))
        return SelfTest(self.host, self.sender, self.log, places, rounds, SystemClock())


@contextmanager
def open_bench(patience_s: float = 0.2) -> Iterator[Bench]:
    with ExitStack() as stack:
        control, first, second, own, log, sender = (stack.enter_context(bound()) for _ in range(6))
        board = Board(control, [first, second], at(own), at(log))
        host = BoardHost(own, at(control), SystemClock(), patience_s=patience_s)
        ended = threading.Event()
        thread = threading.Thread(target=board.serve, args=(ended,))
        thread.start()
        try:
            yield Bench(board, host, log, sender)
        finally:
            ended.set()
            thread.join()
