"""The CPU engine in a board's place, with sealed control and its own clock; and a way to it that loses datagrams."""

from __future__ import annotations

import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from config.loading import load_settings
from hdl.control.seal import siphash
from market.fastpath.engine import CpuEngine
from orchestrator.clock import SystemClock
from orchestrator.engine.tables import engine_sizes
from tests.orchestrator.fpga.soft_board import MARKETS, board_environment, board_ports
from tests.orchestrator.loop.rig import LOOPBACK, bound

PREFIX = "TICKWIRE__ENGINE__BOARD__"
TURN_S = 0.02
_PORTS = ("CONTROL", "MESSAGE", "LOG", "MARKET")
Address = tuple[str, int]
Spoil = Callable[[str, bytes], Sequence[bytes]]
"""What arrives of a datagram on its way: ``control`` and ``market N`` in, ``message`` and ``log`` out."""


def port_of(environment: dict[str, str], name: str) -> int:
    return int(environment[f"{PREFIX}{name}_PORT"])


def bound_to(port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind((LOOPBACK, port))
    return opened


@contextmanager
def thread(turn: Callable[[], None]) -> Iterator[None]:
    """Call it again and again in a thread, until the end of the block."""
    ended = threading.Event()

    def run() -> None:
        while not ended.is_set():
            turn()

    running = threading.Thread(target=run)
    running.start()
    try:
        yield
    finally:
        ended.set()
        running.join()


@dataclass
class UdpBoard:
    """A board on sockets. ``engine`` decides; ``refused``: control messages that were not sealed as they should be.

    ``unheard``: datagrams that came while it was unplugged. ``is_stamped``: it takes times from datagrams.
    """

    environment: dict[str, str]
    engine: CpuEngine
    control: socket.socket
    markets: list[socket.socket]
    refused: int = 0
    last_counter: int = 0
    is_unplugged: bool = False
    unheard: int = 0
    is_stamped: bool = False
    clock: SystemClock = field(default_factory=SystemClock)

    def turn(self) -> None:
        for ready in select.select([self.control, *self.markets], [], [], TURN_S)[0]:
            content = ready.recv(2_048)
            if self.is_unplugged:
                self.unheard += 1
                continue
            time_ns = self.clock.monotonic_ns()
            if self.is_stamped:
                time_ns, content = struct.unpack_from("<q", content)[0], content[8:]
            if ready is self.control:
                message = self._opened(content)
                if message is not None:
                    self.engine.control(message, time_ns)
            else:
                self.engine.push_datagram(content, self.markets.index(ready), time_ns)
            self._say()

    def _opened(self, sealed: bytes) -> bytes | None:
        key = bytes.fromhex(self.environment["TICKWIRE_BOARD_KEY"])
        tag, counter = struct.unpack_from("<QQ", sealed)
        if tag != siphash(key, sealed[8:]) or counter <= self.last_counter:
            self.refused += 1
            return None
        self.last_counter = counter
        return sealed[16:]

    def _say(self) -> None:
        for output in self.engine.outputs():
            self.control.sendto(output, (LOOPBACK, port_of(self.environment, "MESSAGE")))
        for step in self.engine.event_log():
            filled = step + bytes(-len(step) % 8)
            self.control.sendto(filled, (LOOPBACK, port_of(self.environment, "LOG")))


@contextmanager
def udp_board(profile: str = "demo") -> Iterator[UdpBoard]:
    """A running board of a profile's sizes."""
    environment = board_environment()
    settings = load_settings(profile, environment=environment)
    with ExitStack() as stack:
        control = stack.enter_context(bound_to(port_of(environment, "CONTROL")))
        first = port_of(environment, "MARKET")
        markets = [stack.enter_context(bound_to(first + number)) for number in range(MARKETS)]
        board = UdpBoard(environment, CpuEngine(engine_sizes(settings), event_log=True), control, markets)
        stack.enter_context(thread(board.turn))
        yield board


class Relay:
    """Stands between a board and its host, and has the address of each for the other.

    Parameters
    ----------
    board: variables of the board, whose host it seems to be; ``environment`` is for the real host.
    markets: whether market data passes here; a core that compares destinations must get it directly.

    Attributes
    ----------
    spoil: what arrives of each datagram; may be changed at any time.
    """

    def __init__(self, board: dict[str, str], stack: ExitStack, *, markets: bool = True) -> None:
        self.spoil: Spoil = lambda way, content: [content]
        self.environment = {**board, **board_ports()}
        if not markets:
            self.environment[f"{PREFIX}MARKET_PORT"] = board[f"{PREFIX}MARKET_PORT"]
        control, message, log, market = (port_of(self.environment, name) for name in _PORTS)
        self._board, host = (LOOPBACK, port_of(board, "CONTROL")), (LOOPBACK, message)
        opened = stack.enter_context
        facing_host, facing_board = opened(bound_to(control)), opened(bound_to(port_of(board, "MESSAGE")))
        sender = opened(bound())
        self._ways: dict[socket.socket, tuple[str, socket.socket, Address]] = {
            facing_host: ("control", facing_board, self._board),
            facing_board: ("message", facing_host, host),
            opened(bound_to(port_of(board, "LOG"))): ("log", facing_host, (LOOPBACK, log)),
        }
        for number in range(MARKETS if markets else 0):
            to = (LOOPBACK, port_of(board, "MARKET") + number)
            self._ways[opened(bound_to(market + number))] = (f"market {number}", sender, to)

    def turn(self) -> None:
        for ready in select.select(list(self._ways), [], [], TURN_S)[0]:
            way, by, to = self._ways[ready]
            for content in self.spoil(way, ready.recv(2_048)):
                by.sendto(content, to)


@contextmanager
def relay(board: dict[str, str], *, markets: bool = True) -> Iterator[Relay]:
    with ExitStack() as stack:
        made = Relay(board, stack, markets=markets)
        stack.enter_context(thread(made.turn))
        yield made
