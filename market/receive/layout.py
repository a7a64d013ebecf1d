"""The words of a receive loop: one flat int64 array, slots in 8-byte words.

What the kernel calls need (message header, addresses, buffers) lies in the same array, so that the array is
all that must stay alive. Python writes the first part before the loop runs and reads the counters at any
time; only ``STOP`` is written while it runs.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from market.fastpath.event_log import PAYLOAD_LIMIT
from market.pipeline.layout import HISTOGRAM_WORDS
from market.receive.libc import ADDRESS_SIZE, HEADER_WORDS

WORD: Final = 8

STOP: Final = 0
"""Not 0: the loop returns."""
WAIT_MS: Final = 1
"""How long an idle loop sleeps at most until a datagram wakes it; 0: it never sleeps."""
CHANNELS: Final = 2
"""Number of channel sockets."""
TRIGGER_FD: Final = 3
CONTROL_FD: Final = 4
TRIGGER_TO: Final = 8
"""Where triggers go, a socket address."""
HOST: Final = TRIGGER_TO + ADDRESS_SIZE // WORD
"""Who may control the engine, and gets its answers: a socket address."""

COUNTERS: Final = 16


class Counter(IntEnum):
    """What the loop counts beside its sockets."""

    ROUNDS = 0
    """Looks at all channel sockets."""
    SLEEPS = 1
    TRIGGERS_SENT = 2
    TRIGGERS_BLOCKED = 3
    """The socket's send buffer was full (EAGAIN): not sent."""
    TRIGGERS_FAILED = 4
    ANSWERS_SENT = 5
    ANSWERS_BLOCKED = 6
    ANSWERS_FAILED = 7
    LAST_SEND_ERROR = 8
    """Error number of the last sending that failed."""
    LAST_RECEIVE_ERROR = 9
    FOREIGN_CONTROL = 10
    """Control datagrams of another sender than the host; they are not looked at."""
    LOG_OVERRUNS = 11
    """Times that the loop had to return because the event log was not drained in time."""


COUNTER_COUNT: Final = len(Counter)

HEADER: Final = 32
"""struct msghdr."""
VECTOR: Final = HEADER + HEADER_WORDS + 1
"""struct iovec: address and length."""
SENDER: Final = VECTOR + 2
CLOCK: Final = SENDER + ADDRESS_SIZE // WORD
ANCILLARY: Final = 48
ANCILLARY_SIZE: Final = 128
PAYLOAD: Final = ANCILLARY + ANCILLARY_SIZE // WORD
PAYLOAD_SIZE: Final = PAYLOAD_LIMIT
"""What one Ethernet frame can carry; a longer datagram is cut, counted and dropped."""
FROM_KERNEL: Final = PAYLOAD + PAYLOAD_SIZE // WORD
"""Triggers by the time from the kernel's receive time to the return of the call that sent them, in ns."""
FROM_ENTRY: Final = FROM_KERNEL + HISTOGRAM_WORDS
"""Triggers by the time from the datagram's arrival in the loop to the return of the call that sent them, in ns."""
SOCKETS: Final = FROM_ENTRY + HISTOGRAM_WORDS
"""Rows of the channel sockets, then that of the control socket; behind them one poll entry for each."""

# Row of a socket
SOCKET_WORDS: Final = 16
FD: Final = 0
KEY: Final = 1
"""Destination address << 16 | port, as in the engine's channel rows."""
DROPS_SEEN: Final = 2
"""The kernel's own count of drops, 32 bits, as last seen."""
SOCKET_COUNTERS: Final = 8


class SocketCounter(IntEnum):
    """What is counted for each socket."""

    DATAGRAMS = 0
    BYTES = 1
    TRUNCATED = 2
    """Longer than ``PAYLOAD_SIZE``."""
    KERNEL_DROPS = 3
    """Lost because the socket's receive buffer was full; known only from the next datagram that was not."""
    UNSTAMPED = 4
    """Came without a kernel receive time; the loop's own clock stood in."""
    RECEIVE_ERRORS = 5


SOCKET_COUNTER_COUNT: Final = len(SocketCounter)


def socket_slot(number: int) -> int:
    """Slot of the row of a socket; the control socket's number is the number of channels."""
    return SOCKETS + number * SOCKET_WORDS


def loop_words(channels: int) -> int:
    """Length of the array."""
    return socket_slot(channels + 1) + channels + 1
