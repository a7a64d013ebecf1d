"""A CPU engine in a process of its own: ``python -m orchestrator.engine.child FD SIZES``.

Inputs arrive on the inherited socket, one MessagePack record per datagram; outputs and the event log leave by it. The
process ends when the other side closes the socket or dies.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence
from typing import Final

import msgspec

from market.engine import Engine
from market.fastpath.engine import CpuEngine
from market.fastpath.specification import EngineSizes
from orchestrator.engine.inputs import Input, apply

DATAGRAM_BYTES: Final = 65_536


def serve(opened: socket.socket, engine: Engine) -> None:
    """Answer inputs until the socket is closed."""
    decoder = msgspec.msgpack.Decoder(Input)
    while datagram := opened.recv(DATAGRAM_BYTES):
        apply(engine, decoder.decode(datagram))
        for message in (*engine.outputs(), *engine.event_log()):
            opened.send(message)


def open_socket(words: Sequence[str]) -> socket.socket:
    """The inherited socket that the first word names."""
    return socket.socket(fileno=int(words[0]))


def main(words: Sequence[str]) -> None:
    """Serve the socket of the first word with an engine of the sizes of the second, as JSON."""
    sizes = msgspec.json.decode(words[1], type=EngineSizes)
    try:
        serve(open_socket(words), CpuEngine(sizes, event_log=True))
    except (BrokenPipeError, ConnectionResetError):
        return


if __name__ == "__main__":
    main(sys.argv[1:])
