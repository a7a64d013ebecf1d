"""ZeroMQ sockets with what all of them need: marks, no lingering, errors that say what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from market.errors import MissingExtra, MissingInput
from orchestrator.bus.envelope import LONGEST_MESSAGE

try:
    import zmq
except ImportError as error:  # pragma: no cover - the test environment has it
    raise MissingExtra("the message bus needs pyzmq; install the extra: pip install 'tickwire[live]'") from error

if TYPE_CHECKING:
    Context = zmq.Context[zmq.Socket[bytes]]
    Socket = zmq.Socket[bytes]
else:
    Context = zmq.Context
    Socket = zmq.Socket

__all__ = ["Context", "Socket", "address_of", "bind", "connect", "new_context", "readable", "zmq"]

_POLL_GRANULARITY_MS: Final = 1


def new_context() -> Context:
    """A context of its own, so that ending one part of a program ends no other's sockets."""
    return zmq.Context()


def bind(context: Context, kind: int, address: str, high_water_mark: int) -> Socket:
    """A socket that others connect to; raises MissingInput when the address is taken or not of this machine."""
    socket = _new(context, kind, high_water_mark)
    try:
        socket.bind(address)
    except zmq.ZMQError as error:
        socket.close()
        raise MissingInput(f"the bus cannot use {address}: {error}; is another run using it?") from error
    return socket


def connect(context: Context, kind: int, address: str, high_water_mark: int) -> Socket:
    """A socket that connects to an address, now or as soon as somebody is there."""
    socket = _new(context, kind, high_water_mark)
    try:
        socket.connect(address)
    except zmq.ZMQError as error:
        socket.close()
        raise MissingInput(f"the bus cannot connect to {address}: {error}; expected tcp://HOST:PORT") from error
    return socket


def address_of(socket: Socket) -> str:
    """Where a bound socket really is."""
    return str(socket.getsockopt_string(zmq.LAST_ENDPOINT))


def readable(socket: Socket, wait_ms: int) -> bool:
    """Whether something can be received, waiting for it at most so long."""
    return bool(socket.poll(max(wait_ms, _POLL_GRANULARITY_MS), zmq.POLLIN))


def _new(context: Context, kind: int, high_water_mark: int) -> Socket:
    socket = context.socket(kind)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.SNDHWM, high_water_mark)
    socket.setsockopt(zmq.RCVHWM, high_water_mark)
    socket.setsockopt(zmq.MAXMSGSIZE, LONGEST_MESSAGE)
    return socket
