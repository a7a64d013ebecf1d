"""The host of an engine that runs in the same process: renews the lease through the control socket, hears answers."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

from market.errors import Fatal
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import Refusal, Result
from market.receive.words import Endpoint
from market.wire.sbe import decode, encode
from orchestrator.clock import SystemClock

_MESSAGE_LIMIT = 2_048


class LocalHost:
    """Sends heartbeats and keeps the last status.

    Parameters
    ----------
    own: the bound socket that the loop knows as its host. loop: the loop's control socket.
    next_sequence: number of the next control message.
    """

    def __init__(self, own: socket.socket, loop: Endpoint, next_sequence: int) -> None:
        self.next_sequence = next_sequence
        self.heartbeats = 0
        self.last_status: Mapping[str, Any] = {}
        self._socket = own
        self._loop = (str(loop.address), loop.port)
        self._clock = SystemClock()

    def beat(self) -> None:
        """Send a heartbeat: it renews the lease and is answered with a status."""
        message = encode(SCHEMA, "Heartbeat", {"sequence": self.next_sequence})
        self.next_sequence += 1
        self.heartbeats += 1
        self._socket.sendto(message, self._loop)

    def listen(self, seconds: float) -> None:
        """Hear answers for so long; raises Fatal when the engine refused a message."""
        end_ns = self._clock.monotonic_ns() + round(seconds * 1e9)
        while (left_ns := end_ns - self._clock.monotonic_ns()) > 0:
            self._socket.settimeout(left_ns / 1e9)
            try:
                answer = self._socket.recv(_MESSAGE_LIMIT)
            except TimeoutError:
                return
            self._hear(answer)

    def _hear(self, answer: bytes) -> None:
        decoded = decode(SCHEMA, answer)
        if decoded.name == "Status":
            self.last_status = decoded.values
        elif decoded.name == "Acknowledge":
            result = decoded.fields["result"]
            if result == Result.REFUSED:
                raise Fatal(f"the engine refused a heartbeat: {Refusal(decoded.fields['refusal']).name}")
            if result == Result.OUT_OF_ORDER:
                # an earlier message was lost on its way: go on with the number that the engine waits for
                self.next_sequence = decoded.fields["expected"]
