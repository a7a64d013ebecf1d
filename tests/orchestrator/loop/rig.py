"""Settings, sockets and market data for a loop of the demo profile on free ports of loopback."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from config.loading import load_settings
from config.settings import Settings
from market.fastpath.layout import SCHEMA
from market.wire.sbe import Decoded, decode, encode
from tests.market.fastpath.frame_builder import best_bid_ask

LOOPBACK = "127.0.0.1"
PATIENCE_S = 20
COUNT = 10**8
"""Mantissa of 1 in the demo profile's messages, whose exponents are -8."""


def bound() -> socket.socket:
    """A socket on a free port; a test that waits longer than its patience fails."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind((LOOPBACK, 0))
    opened.settimeout(PATIENCE_S)
    return opened


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago."""
    with ExitStack() as stack:
        return [stack.enter_context(bound()).getsockname()[1] for _ in range(count)]


@dataclass
class Rig:
    """Settings, and the other ends of a loop's sockets."""

    settings: Settings
    environment: dict[str, str]
    gateway: socket.socket
    host: socket.socket

    def send(self, channel: str, payload: bytes) -> None:
        to = self.settings.loop.channels[channel]
        self.gateway.sendto(payload, (to.address, to.port))

    def quote(self, channel: str, sequence: int, bid: int, ask: int) -> None:
        """A quote of one unit on either side, prices in whole units of quote currency."""
        self.send(channel, best_bid_ask(sequence, bid * COUNT, ask * COUNT, COUNT, COUNT, exponent=-8))

    def trigger(self) -> Decoded:
        """The next trigger at the gateway."""
        return decode(SCHEMA, self.gateway.recv(2_048))


@contextmanager
def open_rig(*, own_host: bool = True, **loop: Any) -> Iterator[Rig]:
    """The demo profile on free ports; ``loop`` changes settings of ``[loop]``.

    Parameters
    ----------
    own_host: whether the loop's process is the host; else the rig's ``host`` socket is.
    """
    with bound() as gateway, bound() as host:
        channels = load_settings("demo").loop.channels
        ports = dict(zip(channels, free_ports(len(channels)), strict=True))
        values: dict[str, Any] = {
            "trigger_port": gateway.getsockname()[1],
            "control_port": 0,
            "host_port": 0 if own_host else host.getsockname()[1],
            **{f"channels__{name}__port": port for name, port in ports.items()},
            **loop,
        }
        environment = {
            f"TICKWIRE__LOOP__{name.upper().replace('-', '_')}": str(value) for name, value in values.items()
        }
        environment["TICKWIRE__ENGINE__LEASE_MS"] = "60_000"
        environment["TICKWIRE__VENUES__BINANCE_USDM__MAXIMUM_AGE_MS"] = "60_000"
        environment["TICKWIRE__VENUES__BINANCE_USDM__MAXIMUM_SILENCE_MS"] = "60_000"
        yield Rig(load_settings("demo", environment=environment), environment, gateway, host)


@dataclass
class RemoteHost:
    """A host in another place: sends numbered control messages and waits for each answer."""

    own: socket.socket
    loop: tuple[str, int]
    sequence: int = 1

    def send(self, name: str, **fields: Any) -> dict[str, Any]:
        """The next control message; its acknowledgement."""
        return self.send_bytes(encode(SCHEMA, name, {"sequence": self.sequence, **fields}))

    def send_bytes(self, message: bytes) -> dict[str, Any]:
        """A message with the next number; its acknowledgement."""
        self.own.sendto(message, self.loop)
        self.sequence += 1
        return self.wait_for("Acknowledge")

    def wait_for(self, name: str) -> dict[str, Any]:
        """The next answer with that name."""
        while True:
            answer = decode(SCHEMA, self.own.recv(2_048))
            if answer.name == name:
                return dict(answer.values)

    def status_after(self, quote_events: int) -> dict[str, Any]:
        """The first status that has so many quote events."""
        while True:
            self.send("StatusRequest")
            status = self.wait_for("Status")
            if status["quoteEvents"] >= quote_events:
                return status
