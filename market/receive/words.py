"""Making the words of a loop from open sockets, and reading its counters."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

import numpy as np

from market.errors import Fatal
from market.fastpath.entries import Words
from market.receive import layout
from market.receive.layout import Counter, SocketCounter

_UNSIGNED = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An IPv4 address and a UDP port."""

    address: IPv4Address
    port: int

    @property
    def key(self) -> int:
        """The number by which channel rows of the engine know it."""
        return int(self.address) << 16 | self.port

    @property
    def word(self) -> int:
        """The first word of its socket address; the second is 0."""
        content = socket.AF_INET.to_bytes(2, "little") + self.port.to_bytes(2, "big") + self.address.packed
        return int.from_bytes(content, "little", signed=True)

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class ChannelSocket:
    """An open socket that receives only what is sent to one destination."""

    fd: int
    destination: Endpoint


def new_loop(
    channels: Sequence[ChannelSocket],
    *,
    control_fd: int,
    host: Endpoint,
    trigger_fd: int,
    trigger_to: Endpoint,
    wait_ms: int = 0,
) -> Words:
    """The words of a loop that has not run.

    Parameters
    ----------
    channels: sockets of the market data, at most as many as can be open.
    control_fd: socket of control messages; answers leave from it.
    host: the one sender whose control messages count, and where answers go.
    trigger_fd, trigger_to: socket of the triggers, and where they go.
    wait_ms: longest sleep of an idle loop; 0: it never sleeps.

    It borrows the sockets: they must stay open while the loop runs. Raises ``Fatal`` for a negative wait.
    """
    if not 0 <= wait_ms < 1 << 31:
        raise Fatal(f"the loop's wait is {wait_ms} ms; expected 0 to 2^31 - 1")
    words: Words = np.zeros(layout.loop_words(len(channels)), dtype=np.int64)
    words[[layout.WAIT_MS, layout.CHANNELS]] = wait_ms, len(channels)
    words[[layout.TRIGGER_FD, layout.CONTROL_FD]] = trigger_fd, control_fd
    words[[layout.TRIGGER_TO, layout.HOST]] = trigger_to.word, host.word
    for number, channel in enumerate(channels):
        row = layout.socket_slot(number)
        words[[row + layout.FD, row + layout.KEY]] = channel.fd, channel.destination.key
    words[layout.socket_slot(len(channels)) + layout.FD] = control_fd
    return words


def stop(words: Words) -> None:
    """Tell a running loop to return; it does within its wait, or at once if it never sleeps."""
    words[layout.STOP] = 1


def counter(words: Words, which: Counter) -> int:
    """One counter of the loop, 0..2^64 - 1."""
    return int(words[layout.COUNTERS + which]) & _UNSIGNED


def socket_counter(words: Words, number: int, which: SocketCounter) -> int:
    """One counter of a socket, 0..2^64 - 1; the control socket's number is the number of channels."""
    return int(words[layout.socket_slot(number) + layout.SOCKET_COUNTERS + which]) & _UNSIGNED
