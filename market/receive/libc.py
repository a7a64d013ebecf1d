"""Calls into the C library from kernels, and the numbers of Linux's socket interface that they take.

The C library is part of every process, so its functions are found by name when a kernel is loaded. All
structures are laid out as on 64-bit Linux, little-endian.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast

from numba import types

from market.native.kernel import inline
from market.native.memory import get, load_i32

_I32 = types.int32
_I64 = types.int64

receive_message = cast("Callable[[int, int, int], int]", types.ExternalFunction("recvmsg", _I64(_I32, _I64, _I32)))
"""``recvmsg(fd, message header, flags)``: the length, or -1."""
send_to = cast(
    "Callable[[int, int, int, int, int, int], int]",
    types.ExternalFunction("sendto", _I64(_I32, _I64, _I64, _I32, _I64, _I32)),
)
"""``sendto(fd, bytes, length, flags, address, address length)``: the length, or -1."""
poll = cast("Callable[[int, int, int], int]", types.ExternalFunction("poll", _I32(_I64, _I64, _I32)))
"""``poll(entries, count, timeout in ms)``: how many are ready, or -1."""
_clock_gettime = cast("Callable[[int, int], int]", types.ExternalFunction("clock_gettime", _I32(_I32, _I64)))
_errno_location = cast("Callable[[], int]", types.ExternalFunction("__errno_location", _I64()))

SOL_SOCKET: Final = 1
SO_TIMESTAMPNS: Final = 35
"""Every datagram comes with the time (CLOCK_REALTIME) at which the kernel received it."""
SO_RXQ_OVFL: Final = 40
"""A datagram comes with the number of those that its socket dropped before, once there are any."""
MSG_TRUNC: Final = 0x20
"""As a flag of ``recvmsg``: return the datagram's own length, also where the buffer is shorter."""
MSG_DONTWAIT: Final = 0x40
MSG_NOSIGNAL: Final = 0x4000
POLLIN: Final = 1
EAGAIN: Final = 11
_CLOCK_REALTIME: Final = 0
_NS_PER_S: Final = 1_000_000_000

# struct msghdr, in words
HEADER_WORDS: Final = 7
HEADER_NAME: Final = 0
HEADER_NAME_LENGTH: Final = 1
HEADER_VECTOR: Final = 2
HEADER_VECTOR_LENGTH: Final = 3
HEADER_CONTROL: Final = 4
HEADER_CONTROL_LENGTH: Final = 5
HEADER_FLAGS: Final = 6

# struct cmsghdr, in bytes: the length with this header, the level, the type; then data, padded to 8 bytes
ANCILLARY_LENGTH: Final = 0
ANCILLARY_LEVEL: Final = 8
ANCILLARY_TYPE: Final = 12
ANCILLARY_DATA: Final = 16

ADDRESS_SIZE: Final = 16
"""struct sockaddr_in: family, port, address, eight zeros; its first word says everything."""


@inline
def error_number() -> int:
    """Why the last call of this thread returned -1."""
    return load_i32(_errno_location(), 0)


@inline
def timespec_ns(time: int) -> int:
    """A struct timespec as nanoseconds."""
    return get(time, 0) * _NS_PER_S + get(time, 1)


@inline
def read_clock(scratch: int) -> int:
    """Nanoseconds since the Unix epoch (CLOCK_REALTIME); ``scratch`` has room for two words.

    The receive loop's one clock: for datagrams without a kernel time, and for its latency histograms.
    """
    _clock_gettime(_CLOCK_REALTIME, scratch)
    return timespec_ns(scratch)
