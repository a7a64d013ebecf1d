"""Opening the loop's sockets: channels that join their groups, the control socket, the socket of the triggers."""

from __future__ import annotations

import errno
import socket
import struct
from ipaddress import IPv4Address
from typing import Final

from market.errors import MissingInput, Retry
from market.receive import libc
from market.receive.words import Endpoint

_SO_RCVBUFFORCE: Final = 33
_IP_MULTICAST_ALL: Final = 49
_CONTROL_BUFFER_BYTES: Final = 1 << 20


def open_channel(destination: Endpoint, *, interface: str = "", buffer_bytes: int) -> socket.socket:
    """A socket that receives what is sent to one destination, with receive times and counts of drops.

    Parameters
    ----------
    destination: an address of this machine, or a group, which it joins.
    interface: where it joins the group; empty: where the system would send to it.
    buffer_bytes: room for waiting datagrams; without the privilege to exceed it, at most what the system allows.

    Raises Retry when the port is in use, MissingInput for an address, interface or port that cannot be used.
    """
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        _enlarge(opened, buffer_bytes)
        _stamp(opened)
        if destination.address.is_multicast:
            # several programs of a machine may listen to one group, and each gets every datagram
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        _bind(opened, destination)
        if destination.address.is_multicast:
            _join(opened, destination.address, interface)
    except BaseException:
        opened.close()
        raise
    return opened


def open_control(at: Endpoint) -> socket.socket:
    """The socket that takes control messages and sends the answers; raises as ``open_channel``."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        _enlarge(opened, _CONTROL_BUFFER_BYTES)
        _stamp(opened)
        _bind(opened, at)
    except BaseException:
        opened.close()
        raise
    return opened


def open_sender() -> socket.socket:
    """A socket to send from. It is not connected, so that no answer of a network can hold up the next datagram."""
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def endpoint_of(opened: socket.socket) -> Endpoint:
    """Where a bound socket receives."""
    address, port = opened.getsockname()
    return Endpoint(IPv4Address(address), port)


def _stamp(opened: socket.socket) -> None:
    opened.setsockopt(socket.SOL_SOCKET, libc.SO_TIMESTAMPNS, 1)
    opened.setsockopt(socket.SOL_SOCKET, libc.SO_RXQ_OVFL, 1)


def _enlarge(opened: socket.socket, size: int) -> None:
    try:
        opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, size)
    except PermissionError:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)


def _bind(opened: socket.socket, at: Endpoint) -> None:
    try:
        opened.bind((str(at.address), at.port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Retry(
                f"{at} is in use by another socket: end the program that has it, or set another port"
            ) from error
        if error.errno == errno.EADDRNOTAVAIL:
            raise MissingInput(
                f"{at}: no interface of this machine has that address; `ip address` lists them"
            ) from error
        raise MissingInput(f"{at} cannot be opened: {error.strerror}") from error


def _join(opened: socket.socket, group: IPv4Address, interface: str) -> None:
    membership = struct.pack("=4s4si", group.packed, bytes(4), _interface_index(interface))
    try:
        opened.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    except OSError as error:
        where = f"on interface {interface}" if interface else "on any interface: set `interface`"
        raise MissingInput(f"group {group} cannot be joined {where}: {error.strerror}") from error


def _interface_index(interface: str) -> int:
    """The system's number of an interface; 0 for the empty name."""
    if not interface:
        return 0
    try:
        return socket.if_nametoindex(interface)
    except OSError:
        known = ", ".join(name for _, name in socket.if_nameindex())
        raise MissingInput(f"there is no network interface {interface!r}: this machine has {known}") from None
