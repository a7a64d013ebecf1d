"""The parent's side of an engine in a process of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from market.errors import Retry
from market.fastpath.specification import EngineSizes
from orchestrator.engine.child import DATAGRAM_BYTES
from orchestrator.engine.inputs import Input

MODULE: Final = "orchestrator.engine.child"
_END_S: Final = 5.0
_BUFFER_BYTES: Final = 4 << 20


class ChildProcess:
    """A back end that is a CPU engine in another process.

    Parameters
    ----------
    sizes: of the engine.
    wake: called, from another thread, whenever something arrived or the process is gone.
    module: what to run; it takes the words of ``orchestrator.engine.child``.

    Attributes
    ----------
    process: the process itself.
    """

    def __init__(self, sizes: EngineSizes, wake: Callable[[], None], module: str = MODULE) -> None:
        self._wake = wake
        self._arrived: deque[bytes] = deque()
        self._news = threading.Event()
        self._gone = ""
        self._encoder = msgspec.msgpack.Encoder()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            for end in (self._socket, theirs):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
            words = [str(theirs.fileno()), msgspec.json.encode(sizes).decode()]
            self.process = subprocess.Popen([sys.executable, "-m", module, *words], pass_fds=[theirs.fileno()])
        self._reader = threading.Thread(target=self._read, name="engine-reader", daemon=True)
        self._reader.start()

    @property
    def name(self) -> str:
        """Which process it is."""
        return f"the engine in process {self.process.pid}"

    def send(self, given: Input) -> None:
        """Hand an input over; raises Retry when the process is gone or has taken nothing for too long."""
        try:
            self._socket.send(self._encoder.encode(given), socket.MSG_DONTWAIT)
        except BlockingIOError as error:
            raise Retry(f"{self.name} takes no more inputs: it is frozen, or slower than the market") from error
        except OSError as error:
            raise Retry(f"{self.name} is gone: {error.strerror}") from error

    def receive(self) -> Sequence[bytes]:
        """What has arrived; raises Retry once the process is gone and everything was returned."""
        gone = self._gone
        messages = [self._arrived.popleft() for _ in range(len(self._arrived))]
        if not messages and gone:
            raise Retry(f"{self.name} is gone: {gone}")
        return messages

    def wait(self, seconds: float) -> None:
        """Wait for news."""
        self._news.wait(seconds)
        self._news.clear()

    def close(self) -> None:
        """Kill the process and wait for its end."""
        self.process.kill()
        self.process.wait(_END_S)
        self._reader.join(_END_S)
        self._socket.close()

    def _read(self) -> None:
        try:
            while datagram := self._socket.recv(DATAGRAM_BYTES):
                self._arrived.append(datagram)
                self._tell()
            self._gone = "it closed the connection"
        except OSError as error:
            self._gone = str(error.strerror)
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._wake()
