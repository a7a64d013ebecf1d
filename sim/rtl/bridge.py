"""The simulated core in place of a board: what sockets receive goes onto its wires, what it sends leaves by a socket.

A real board sees every frame; a socket only the datagrams of one destination, so each is put into a frame again. To
a guarded core sealed messages go as they come: it is the core that opens them.
"""

from __future__ import annotations

import select
import socket
import struct
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from market.fastpath.conformance.frame_builder import Wrapping, frame
from market.receive.words import Endpoint
from sim.rtl.addresses import datagram_of
from sim.rtl.engine import SoftFpga

_DATAGRAM_BYTES: Final = 65_535
_DATAGRAMS_PER_TURN: Final = 64
_OUTPUTS_KEPT: Final = 1_024
_STAMP: Final = struct.Struct("<q")


def stamp(time_ns: int, datagram: bytes) -> bytes:
    """A datagram with its receive time before it, for a board that is ``stamped``."""
    return _STAMP.pack(time_ns) + datagram


@dataclass(frozen=True, slots=True)
class BoardSockets:
    """The open sockets of a board; none may have a timeout.

    Parameters
    ----------
    channels: sockets of market data, each with the destination that it receives for.
    control: takes control messages, and sends everything that the core sends.
    """

    channels: Sequence[tuple[socket.socket, Endpoint]]
    control: socket.socket


@dataclass(slots=True)
class Traffic:
    """What a board has taken and sent, in datagrams; ``foreign``: control messages of somebody else."""

    market: int = 0
    control: int = 0
    foreign: int = 0
    sent: int = 0
    blocked: int = 0


class SoftBoard:
    """A board whose clock runs only while there is something to do.

    Parameters
    ----------
    soft: the core; it keeps ``Area.SENT``, and its addresses say where datagrams go.
    sockets: where they come from.
    host: the only sender whose control messages count.
    now_ns: reads the clock that gives receive times.
    stamped: receive times come with the datagrams instead, in eight bytes before each (``stamp``): what comes one at a
        time is then decided as it was at those times. No board can do this.

    Attributes
    ----------
    traffic: what has passed so far.
    outputs: the last of the core's own triggers, acknowledgements and statuses, as they were before they left.
    """

    def __init__(
        self,
        soft: SoftFpga,
        sockets: BoardSockets,
        host: Endpoint,
        now_ns: Callable[[], int],
        *,
        stamped: bool = False,
    ) -> None:
        self.soft = soft
        self._stamped = stamped
        self.traffic = Traffic()
        self.outputs: deque[bytes] = deque(maxlen=_OUTPUTS_KEPT)
        self._sockets = sockets
        self._host = (str(host.address), host.port)
        self._now_ns = now_ns
        self._destinations = {opened.fileno(): (opened, to) for opened, to in sockets.channels}
        self._poll = select.poll()
        for opened in (sockets.control, *(opened for opened, _ in sockets.channels)):
            self._poll.register(opened, select.POLLIN)

    def turn(self, wait_s: float) -> int:
        """Wait for datagrams, at most so long; let the core deal with them and send what it answers.

        Returns how many were taken. Control messages of a turn come before its market data.
        """
        ready = {fileno for fileno, _ in self._poll.poll(wait_s * 1e3)}
        taken = self._take_control() if self._sockets.control.fileno() in ready else 0
        for fileno in ready & self._destinations.keys():
            taken += self._take_market(*self._destinations[fileno])
        if taken:
            self._send()
        return taken

    def _take_control(self) -> int:
        taken = 0
        for content, sender in self._waiting(self._sockets.control):
            taken += 1
            if sender == self._host:
                self.traffic.control += 1
                message, time_ns = self._timed(content)
                self.soft.control(message, time_ns)
            else:
                self.traffic.foreign += 1
        return taken

    def _take_market(self, opened: socket.socket, to: Endpoint) -> int:
        wrapping = Wrapping(address=int(to.address), port=to.port, udp_checksum=None)
        timed = [self._timed(content) for content, _ in self._waiting(opened)]
        self.soft.push([frame(content, wrapping) for content, _ in timed], [time_ns for _, time_ns in timed])
        self.traffic.market += len(timed)
        return len(timed)

    def _timed(self, content: bytes) -> tuple[bytes, int]:
        """A datagram and its receive time."""
        if not self._stamped:
            return content, self._now_ns()
        return content[_STAMP.size :], _STAMP.unpack(content[: _STAMP.size].ljust(_STAMP.size, b"\0"))[0]

    @staticmethod
    def _waiting(opened: socket.socket) -> list[tuple[bytes, tuple[str, int]]]:
        """The datagrams that wait in a socket, up to as many as one turn takes."""
        found: list[tuple[bytes, tuple[str, int]]] = []
        while len(found) < _DATAGRAMS_PER_TURN:
            try:
                found.append(opened.recvfrom(_DATAGRAM_BYTES, socket.MSG_DONTWAIT))
            except BlockingIOError:
                break
        return found

    def _send(self) -> None:
        # a board may run for days: nothing that it has sent may pile up
        self.outputs.extend(self.soft.outputs())
        self.soft.sent_frame_counters()
        self.soft.sent_reports()
        for sent in self.soft.sent():
            datagram = datagram_of(sent)
            try:
                self._sockets.control.sendto(datagram.payload, (str(datagram.address), datagram.port))
                self.traffic.sent += 1
            except OSError:
                # a full buffer, or nobody there: as on a wire, what is lost is lost, and is counted
                self.traffic.blocked += 1
