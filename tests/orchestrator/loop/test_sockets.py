"""Sockets: what can go wrong when they are opened, and what is said then."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address

import pytest

from market.errors import MissingInput, Retry
from market.receive.words import Endpoint
from orchestrator.loop.sockets import endpoint_of, open_channel, open_control, open_sender
from tests.orchestrator.loop.rig import LOOPBACK, PATIENCE_S, bound, free_ports

HERE = IPv4Address(LOOPBACK)
GROUP = IPv4Address("239.255.41.7")
BUFFER = 1 << 18


def test_a_port_in_use_may_be_free_later() -> None:
    with bound() as other:
        taken = endpoint_of(other)
        with pytest.raises(Retry, match=f"{taken} is in use"):
            open_channel(taken, buffer_bytes=BUFFER)
        with pytest.raises(Retry, match="another port"):
            open_control(taken)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(MissingInput, match=r"203\.0\.113\.9:4000: no interface of this machine"):
        open_channel(Endpoint(IPv4Address("203.0.113.9"), 4_000), buffer_bytes=BUFFER)


def test_an_unknown_interface_is_named_with_those_that_there_are() -> None:
    with pytest.raises(MissingInput, match=r"no network interface 'moon0': this machine has .*lo"):
        open_channel(Endpoint(GROUP, free_ports(1)[0]), interface="moon0", buffer_bytes=BUFFER)


def test_the_buffer_is_as_large_as_the_system_allows() -> None:
    with open_channel(Endpoint(HERE, 0), buffer_bytes=BUFFER) as small:
        assert small.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= BUFFER // 2


def test_a_group_is_heard_by_every_socket_that_joined_it() -> None:
    to = Endpoint(GROUP, free_ports(1)[0])
    with (
        open_channel(to, interface="lo", buffer_bytes=BUFFER) as first,
        open_channel(to, interface="lo", buffer_bytes=BUFFER) as second,
        open_sender() as sender,
    ):
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, HERE.packed)
        sender.sendto(b"market data", (str(to.address), to.port))
        for receiver in (first, second):
            receiver.settimeout(PATIENCE_S)
            assert receiver.recv(100) == b"market data"


def test_a_group_does_not_hear_what_is_sent_to_the_machine() -> None:
    to = Endpoint(GROUP, free_ports(1)[0])
    with open_channel(to, interface="lo", buffer_bytes=BUFFER) as receiver, open_sender() as sender:
        sender.sendto(b"to the machine", (LOOPBACK, to.port))
        receiver.setblocking(False)
        with pytest.raises(BlockingIOError):
            receiver.recv(100)
