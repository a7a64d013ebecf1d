"""A receive loop from settings: sockets opened, engine armed, thread running, everything closed at the end."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

from config.engine import BackEnd
from config.errors import Problem, SettingsError
from config.loop import Wait
from config.settings import Settings
from market.fastpath.engine import CpuEngine
from market.fastpath.entries import Words
from market.receive.log_ring import LogRing
from market.receive.loop import run
from market.receive.words import ChannelSocket, Endpoint, new_loop
from orchestrator.clock import SystemClock
from orchestrator.engine.tables import control_messages, engine_sizes
from orchestrator.loop.channels import channel_rows, destination
from orchestrator.loop.event_log import LogDrain, Sink
from orchestrator.loop.host import LocalHost
from orchestrator.loop.sockets import endpoint_of, open_channel, open_control, open_sender
from orchestrator.loop.thread import LoopThread
from sim.replay.arming import FIRST_SEQUENCE, arm

LOG_RING_BYTES: Final = 1 << 23
WAIT_MS: Final = 10
"""Longest sleep of an idle loop, and so the longest time that it takes to stop."""
_BEATS_PER_LEASE: Final = 4
_NS_PER_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Sockets:
    """The open sockets of a loop; ``host`` only where this process is the host."""

    channels: dict[str, socket.socket]
    control: socket.socket
    triggers: socket.socket
    host: socket.socket | None


class ReceiveLoop:
    """A loop with open sockets; ``start`` it, ``serve`` while it runs, ``stop`` it.

    Attributes
    ----------
    engine: its engine, which belongs to the loop between ``start`` and ``stop``; counters may be read at any time.
    words: the loop's words, for its counters.
    """

    def __init__(self, settings: Settings, sockets: Sockets, log_sink: Sink | None) -> None:
        loop = settings.loop
        self.settings = settings
        self.sockets = sockets
        self.engine = CpuEngine(engine_sizes(settings), event_log=log_sink is not None)
        self._ring = LogRing(LOG_RING_BYTES if log_sink is not None else 0)
        self._log = LogDrain(self._ring, log_sink) if log_sink is not None else None
        self.words = _words(settings, sockets)
        self._thread = LoopThread(self.engine, self.words, self._ring.words, self._log, core=loop.core)
        self._host: LocalHost | None = None
        self._clock = SystemClock()

    def start(self) -> None:
        """Arm the engine, if this process is its host, and start the loop's thread.

        Raises Fatal when the engine refuses its tables, MissingInput when the thread cannot be pinned.
        """
        run.compiled()  # before arming: the lease does not wait for a compiler
        if self.sockets.host is not None:
            tables = control_messages(self.settings, first_sequence=FIRST_SEQUENCE + 1)
            tables += channel_rows(self.settings, first_sequence=FIRST_SEQUENCE + 1 + len(tables))
            next_sequence, _ = arm(self.engine, tables, self._clock.now_ns())
            self._host = LocalHost(self.sockets.host, endpoint_of(self.sockets.control), next_sequence)
        if self._log is not None:
            self._log.start(self.engine.event_log())
        self._thread.start()

    def serve(self, seconds: float) -> None:
        """Be the host for so long, or only wait where another process is.

        Raises what ended the loop or the draining of its log.
        """
        if self._log is not None:
            self._log.check()
        if self._host is None:
            self._thread.join(seconds)
            return
        beat_s = self.settings.engine.lease_ms / 1e3 / _BEATS_PER_LEASE
        end_ns = self._clock.monotonic_ns() + round(seconds * 1e9)
        while (left_s := (end_ns - self._clock.monotonic_ns()) / 1e9) > 0:
            self._host.beat()
            self._host.listen(min(beat_s, left_s))
        self._thread.join(0)

    def stop(self) -> None:
        """End the loop and pass on the rest of its log; raises what ended either before."""
        self._thread.stop()
        try:
            self._thread.join()
        finally:
            if self._log is not None:
                log, self._log = self._log, None
                log.close(self.engine.event_log())


@contextmanager
def open_loop(settings: Settings, log_sink: Sink | None = None) -> Iterator[ReceiveLoop]:
    """Open the sockets of a loop, and stop it and close them at the end of the block.

    Parameters
    ----------
    log_sink: takes the event log; None: none is kept.

    Raises SettingsError for settings that no loop can run with, and as ``open_channel`` for sockets.
    """
    _check(settings)
    with ExitStack() as stack:
        sockets = _open(settings, stack)
        loop = ReceiveLoop(settings, sockets, log_sink)
        try:
            yield loop
        finally:
            loop.stop()


def _check(settings: Settings) -> None:
    if not settings.loop.channels:
        raise SettingsError(Problem("settings", "loop.channels", "is empty: list the channels to receive"))
    back_end = settings.engine.back_end
    if back_end is not BackEnd.CPU:
        raise SettingsError(Problem("settings", "engine.back_end", f"was {back_end}: must be cpu for the receive loop"))


def _open(settings: Settings, stack: ExitStack) -> Sockets:
    loop = settings.loop
    channels = {}
    for name, channel in loop.channels.items():
        opened = open_channel(destination(channel), interface=channel.interface, buffer_bytes=loop.receive_buffer_bytes)
        channels[name] = stack.enter_context(opened)
    control = open_control(Endpoint(IPv4Address(loop.control_address), loop.control_port))
    stack.enter_context(control)
    host = None
    if loop.host_port == 0:
        host = stack.enter_context(open_control(Endpoint(IPv4Address(loop.host_address), 0)))
    return Sockets(channels, control, stack.enter_context(open_sender()), host)


def _words(settings: Settings, sockets: Sockets) -> Words:
    loop = settings.loop
    if sockets.host is not None:
        host = endpoint_of(sockets.host)
    else:
        host = Endpoint(IPv4Address(loop.host_address), loop.host_port)
    return new_loop(
        [ChannelSocket(opened.fileno(), endpoint_of(opened)) for opened in sockets.channels.values()],
        control_fd=sockets.control.fileno(),
        host=host,
        trigger_fd=sockets.triggers.fileno(),
        trigger_to=Endpoint(IPv4Address(loop.trigger_address), loop.trigger_port),
        wait_ms=0 if loop.wait is Wait.BUSY else WAIT_MS,
    )
