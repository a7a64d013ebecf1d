"""A board on sockets, with the stand-in as its core: it sends every frame that it receives back to its destination."""

from __future__ import annotations

import itertools
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from hdl.parameters import CoreParameters
from market.fastpath import layout
from market.receive.words import Endpoint
from sim.rtl.bridge import BoardSockets, SoftBoard, stamp
from sim.rtl.engine import CoreBuild, SoftFpga
from sim.rtl.model import Area
from tests.sim.rtl.conftest import CAPACITY

LOOPBACK = IPv4Address("127.0.0.1")
WAIT_S = 5.0
HEADERS, FCS = 42, 4


@dataclass
class Bench:
    """A board, the market's socket, the socket of whoever listens on the channel, and the host's."""

    board: SoftBoard
    market: socket.socket
    channel: socket.socket
    host: socket.socket
    stranger: socket.socket


def endpoint(opened: socket.socket) -> Endpoint:
    return Endpoint(LOOPBACK, opened.getsockname()[1])


@pytest.fixture(params=[1, 8], ids=lambda width: f"{width}-byte bus")
def bench(request: pytest.FixtureRequest, stand_ins: dict[int, Path]) -> Iterator[Bench]:
    opened = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(5)]
    for each in opened:
        each.bind((str(LOOPBACK), 0))
        each.setblocking(False)
    channel, control, host, market, stranger = opened
    build = CoreBuild(CoreParameters(CAPACITY, request.param), stand_ins[request.param])
    soft = SoftFpga(build, CAPACITY, keep=[Area.SENT, Area.LOG])
    clock = itertools.count(1_000)
    sockets = BoardSockets([(channel, endpoint(channel))], control)
    board = SoftBoard(soft, sockets, endpoint(host), lambda: next(clock))
    yield Bench(board, market, channel, host, stranger)
    for each in opened:
        each.close()
    soft.close()


def echoes(bench: Bench) -> list[tuple[int, int, int, int]]:
    """Header, time, bytes and their sum of each message that the core made."""
    return [struct.unpack("<QqII", message) for message in bench.board.outputs]


def test_a_datagram_becomes_a_frame_and_a_frame_a_datagram(bench: Bench) -> None:
    to = bench.channel.getsockname()
    bench.market.sendto(b"market data!", to)
    assert bench.board.turn(WAIT_S) == 1
    # the stand-in sent the frame on, to the same destination: it waits there
    assert bench.channel.recv(100) == b"market data!"
    assert bench.board.traffic.market == bench.board.traffic.sent == 1
    ((header, time_ns, length, _),) = echoes(bench)
    assert (header, time_ns, length) == (layout.TRIGGER_HEADER, 1_000, HEADERS + len(b"market data!") + FCS)


def test_a_stamped_board_takes_times_from_datagrams(bench: Bench) -> None:
    board = SoftBoard(bench.board.soft, bench.board._sockets, endpoint(bench.host), lambda: 0, stamped=True)
    bench.market.sendto(stamp(77_000, b"market data!"), bench.channel.getsockname())
    assert board.turn(WAIT_S) == 1
    assert bench.channel.recv(100) == b"market data!"
    bench.host.sendto(stamp(-5, b"host"), bench.board._sockets.control.getsockname())
    bench.host.sendto(b"no time", bench.board._sockets.control.getsockname())
    while board.traffic.control < 2:
        assert board.turn(WAIT_S)
    found = [struct.unpack("<QqII", message)[1:3] for message in board.outputs]
    assert found == [(77_000, HEADERS + len(b"market data!") + FCS), (-5, 4)]


def test_only_the_host_controls(bench: Bench) -> None:
    control = bench.board._sockets.control.getsockname()
    bench.stranger.sendto(b"stranger", control)
    bench.host.sendto(b"host", control)
    while bench.board.traffic.control == 0:
        assert bench.board.turn(WAIT_S)
    assert echoes(bench) == [(layout.ACKNOWLEDGE_HEADER, 1_000, 4, sum(b"host"))]
    assert (bench.board.traffic.control, bench.board.traffic.foreign) == (1, 1)


def test_nothing_to_do_is_nothing_done(bench: Bench) -> None:
    before = bench.board.soft.cycles
    assert bench.board.turn(0.0) == 0
    assert bench.board.soft.cycles == before
