"""Taking one datagram from a socket, with the time at which the kernel received it."""

from __future__ import annotations

from typing import Final

from market.fastpath import state
from market.native.kernel import inline, part
from market.native.memory import get, load_i32, load_u32, put
from market.receive import layout, libc

NOTHING: Final = -1
"""What ``receive`` returns when no datagram waited, or none could be taken."""
_DATAGRAMS: Final = layout.SOCKET_COUNTERS + int(layout.SocketCounter.DATAGRAMS)
_BYTES: Final = layout.SOCKET_COUNTERS + int(layout.SocketCounter.BYTES)
_TRUNCATED: Final = layout.SOCKET_COUNTERS + int(layout.SocketCounter.TRUNCATED)
_KERNEL_DROPS: Final = layout.SOCKET_COUNTERS + int(layout.SocketCounter.KERNEL_DROPS)
_UNSTAMPED: Final = layout.SOCKET_COUNTERS + int(layout.SocketCounter.UNSTAMPED)
_RECEIVE_ERRORS: Final = layout.SOCKET_COUNTERS + int(layout.SocketCounter.RECEIVE_ERRORS)
_LAST_ERROR: Final = layout.COUNTERS + int(layout.Counter.LAST_RECEIVE_ERROR)
_FLAGS: Final = libc.MSG_DONTWAIT | libc.MSG_TRUNC
_DROPS_MASK: Final = 0xFFFFFFFF


@inline
def socket_row(loop: int, number: int) -> int:
    """Address of the row of a socket."""
    return loop + (layout.SOCKETS + number * layout.SOCKET_WORDS) * layout.WORD


@inline
def prepare(loop: int) -> None:
    """Point the message header at its parts: the array may lie elsewhere than at the last call."""
    header = loop + layout.HEADER * layout.WORD
    put(loop, layout.VECTOR, loop + layout.PAYLOAD * layout.WORD)
    put(loop, layout.VECTOR + 1, layout.PAYLOAD_SIZE)
    put(header, libc.HEADER_NAME, loop + layout.SENDER * layout.WORD)
    put(header, libc.HEADER_VECTOR, loop + layout.VECTOR * layout.WORD)
    put(header, libc.HEADER_VECTOR_LENGTH, 1)
    put(header, libc.HEADER_CONTROL, loop + layout.ANCILLARY * layout.WORD)


@part
def receive(loop: int, socket: int) -> int:
    """Take the next datagram of a socket into ``PAYLOAD`` and its sender into ``SENDER``, without waiting.

    Returns its own length, of which at most ``PAYLOAD_SIZE`` bytes are there, or ``NOTHING``.
    """
    header = loop + layout.HEADER * layout.WORD
    put(header, libc.HEADER_NAME_LENGTH, libc.ADDRESS_SIZE)
    put(header, libc.HEADER_CONTROL_LENGTH, layout.ANCILLARY_SIZE)
    length = libc.receive_message(get(socket, layout.FD), header, _FLAGS)
    if length < 0:
        error = libc.error_number()
        if error != libc.EAGAIN:
            state.bump(socket, _RECEIVE_ERRORS)
            put(loop, _LAST_ERROR, error)
        return NOTHING
    state.bump(socket, _DATAGRAMS)
    put(socket, _BYTES, get(socket, _BYTES) + length)
    if length > layout.PAYLOAD_SIZE:
        state.bump(socket, _TRUNCATED)
    return length


@inline
def _count_drops(socket: int, drops: int) -> None:
    """Take the kernel's running count of drops, which wraps at 2^32."""
    lost = drops - get(socket, layout.DROPS_SEEN) & _DROPS_MASK
    put(socket, _KERNEL_DROPS, get(socket, _KERNEL_DROPS) + lost)
    put(socket, layout.DROPS_SEEN, drops)


@part
def receive_time(loop: int, socket: int, now_ns: int) -> int:
    """When the kernel received the datagram just taken, in ns; ``now_ns`` where it does not say so.

    Also counts the drops that the datagram reports.
    """
    entry = loop + layout.ANCILLARY * layout.WORD
    end = entry + get(loop + layout.HEADER * layout.WORD, libc.HEADER_CONTROL_LENGTH)
    time_ns = -1
    while entry + libc.ANCILLARY_DATA <= end:
        length = get(entry, libc.ANCILLARY_LENGTH)
        if length < libc.ANCILLARY_DATA or length > end - entry:
            break
        data = entry + libc.ANCILLARY_DATA
        room = length - libc.ANCILLARY_DATA
        if load_i32(entry, libc.ANCILLARY_LEVEL) == libc.SOL_SOCKET:
            kind = load_i32(entry, libc.ANCILLARY_TYPE)
            if kind == libc.SO_TIMESTAMPNS and room >= 2 * layout.WORD:
                time_ns = libc.timespec_ns(data)
            elif kind == libc.SO_RXQ_OVFL and room >= 4:
                _count_drops(socket, load_u32(data, 0))
        entry += length + 7 & -8
    if time_ns < 0:
        state.bump(socket, _UNSTAMPED)
        return now_ns
    return time_ns
