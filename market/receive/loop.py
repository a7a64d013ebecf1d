"""The loop itself: looks at the sockets in turn, and lets each datagram be a step before the next is looked at."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from market.fastpath import state
from market.fastpath.control import control_message
from market.fastpath.datagrams import TRIGGERS_MOST, count_drop, datagram
from market.fastpath.entries import Words, has_room
from market.fastpath.event_log import PAYLOAD_LIMIT
from market.fastpath.frames import find_channel
from market.fastpath.specification import DropReason
from market.native.kernel import entry, inline, part
from market.native.memory import address_of, get, put
from market.receive import layout, libc
from market.receive.intake import NOTHING, prepare, receive, receive_time, socket_row
from market.receive.log_ring import write_log
from market.receive.sending import send_outputs


class Ended(IntEnum):
    """Why the loop returned."""

    STOPPED = 0
    ROUNDS_DONE = 1
    LOG_FULL = 2
    """The event log must be drained before another step."""


FOREVER: Final = -1
"""As the number of rounds: until stopped."""
CONTROL_EVERY: Final = 8
"""The control socket is looked at in every so many rounds."""
_STOPPED: Final = int(Ended.STOPPED)
_ROUNDS_DONE: Final = int(Ended.ROUNDS_DONE)
_LOG_FULL: Final = int(Ended.LOG_FULL)
_ROUNDS: Final = layout.COUNTERS + int(layout.Counter.ROUNDS)
_SLEEPS: Final = layout.COUNTERS + int(layout.Counter.SLEEPS)
_FOREIGN_CONTROL: Final = layout.COUNTERS + int(layout.Counter.FOREIGN_CONTROL)
_LOG_OVERRUNS: Final = layout.COUNTERS + int(layout.Counter.LOG_OVERRUNS)
_NOT_OURS: Final = int(DropReason.NOT_OURS)
_BAD_IP: Final = int(DropReason.BAD_IP)
_PAYLOAD: Final = layout.PAYLOAD * layout.WORD
_CLOCK: Final = layout.CLOCK * layout.WORD
_POLL_IN: Final = libc.POLLIN << 32


@part
def take_channel_datagram(engine: int, key: int, payload: int, length: int, time_ns: int) -> int:
    """A datagram as the frame that would have carried it: the same counters, the same step, the same verdict.

    ``key`` is its destination. One that no frame carries whole is BAD_IP. Returns as ``datagram``.
    """
    state.bump(engine, state.FRAMES)
    channel = find_channel(engine, key)
    if channel < 0:
        return count_drop(engine, _NOT_OURS)
    if length > PAYLOAD_LIMIT:
        return count_drop(engine, _BAD_IP)
    return datagram(engine, channel, payload, length, time_ns)


@part
def serve_channel(engine: int, loop: int, ring: int, socket: int) -> int:
    """Take the next datagram of a channel socket, if there is one; returns how many that were."""
    length = receive(loop, socket)
    if length == NOTHING:
        return 0
    entry_ns = libc.read_clock(loop + _CLOCK)
    time_ns = receive_time(loop, socket, entry_ns)
    take_channel_datagram(engine, get(socket, layout.KEY), loop + _PAYLOAD, length, time_ns)
    send_outputs(engine, loop, time_ns, entry_ns)
    write_log(engine, ring)
    return 1


@part
def serve_control(engine: int, loop: int, ring: int, socket: int) -> int:
    """Take the next control message of the host, if there is one; returns how many datagrams that were."""
    length = receive(loop, socket)
    if length == NOTHING:
        return 0
    entry_ns = libc.read_clock(loop + _CLOCK)
    time_ns = receive_time(loop, socket, entry_ns)
    if get(loop, layout.SENDER) != get(loop, layout.HOST):
        state.bump(loop, _FOREIGN_CONTROL)
        return 1
    control_message(engine, loop + _PAYLOAD, min(length, layout.PAYLOAD_SIZE), time_ns)
    send_outputs(engine, loop, time_ns, entry_ns)
    write_log(engine, ring)
    return 1


@part
def sleep(loop: int) -> None:
    """Wait until a datagram comes, ``WAIT_MS`` at most."""
    sockets = get(loop, layout.CHANNELS) + 1
    entries = socket_row(loop, sockets)
    for number in range(sockets):
        put(entries, number, get(socket_row(loop, number), layout.FD) | _POLL_IN)
    state.bump(loop, _SLEEPS)
    libc.poll(entries, sockets, get(loop, layout.WAIT_MS))


@inline
def has_room_for_step(engine: int) -> bool:
    """Whether the largest step finds room in the engine's areas."""
    return has_room(engine, TRIGGERS_MOST, PAYLOAD_LIMIT)


@part
def serve_all(engine: int, loop: int, ring: int, with_control: bool) -> int:
    """Take at most one datagram of each channel socket, then of the control socket if that is asked for.

    Returns how many were taken, or -1 when the event log has no room for another step.
    """
    taken = 0
    for number in range(get(loop, layout.CHANNELS)):
        if not has_room_for_step(engine):
            return -1
        taken += serve_channel(engine, loop, ring, socket_row(loop, number))
    if with_control:
        if not has_room_for_step(engine):
            return -1
        taken += serve_control(engine, loop, ring, socket_row(loop, get(loop, layout.CHANNELS)))
    return taken


@entry("int64(int64[::1], int64[::1], int64[::1], int64)")
def run(engine_words: Words, loop_words: Words, ring_words: Words, rounds: int) -> int:
    """Receive, decide and send until told to stop; returns an ``Ended``.

    Parameters
    ----------
    engine_words: state of the engine, with an event log or without.
    loop_words: words of the loop as ``layout`` says, its sockets open.
    ring_words: memory of the ``LogRing``.
    rounds: how many looks at all channel sockets before it returns, or ``FOREVER``.

    It neither needs nor takes the interpreter's lock, allocates nothing, and never waits longer than
    ``WAIT_MS`` for anything.
    """
    engine, loop, ring = address_of(engine_words), address_of(loop_words), address_of(ring_words)
    prepare(loop)
    wait_ms = get(loop, layout.WAIT_MS)
    idle = 0
    while get(loop, layout.STOP) == 0:
        if rounds == 0:
            return _ROUNDS_DONE
        rounds -= 1
        state.bump(loop, _ROUNDS)
        taken = serve_all(engine, loop, ring, get(loop, _ROUNDS) % CONTROL_EVERY == 0)
        if taken < 0:
            write_log(engine, ring)
            if not has_room_for_step(engine):
                state.bump(loop, _LOG_OVERRUNS)
                return _LOG_FULL
        elif taken > 0:
            idle = 0
            continue
        idle += 1
        if idle >= CONTROL_EVERY:
            idle = 0
            write_log(engine, ring)
            if wait_ms:
                sleep(loop)
    write_log(engine, ring)
    return _STOPPED
