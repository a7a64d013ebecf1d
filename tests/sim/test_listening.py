"""A server ends without a connection left, whenever one comes and whatever it has said by then."""

from __future__ import annotations

import gc
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.orchestrator.feeds.toy_venue import ToyVenue, toy_venue

pytest.importorskip("aiohttp", reason="the live extra is not installed: make test installs it")

TIMES = 16
PAUSE_S = 0.0005
WEBSOCKET = (
    b"GET /a HTTP/1.1\r\nHost: venue\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SAID = {
    "nothing": b"",
    "half a request": b"GET /de",
    "a request": b"GET /depth HTTP/1.1\r\nHost: venue\r\n\r\n",
    "a stream": WEBSOCKET,
}


@contextmanager
def crowd(venue: ToyVenue, said: bytes) -> Iterator[None]:
    """One connection after the other, before and after the end of the venue."""
    opened: list[socket.socket] = []
    over = threading.Event()

    def come() -> None:
        while not over.is_set():
            try:
                opened.append(socket.create_connection(("127.0.0.1", venue.port)))
                opened[-1].sendall(said)
            except OSError:
                return
            time.sleep(PAUSE_S)

    coming = threading.Thread(target=come)
    coming.start()
    try:
        while len(opened) < 20:
            time.sleep(PAUSE_S)
        yield
    finally:
        over.set()
        coming.join()
        for one in opened:
            one.close()


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
def test_no_connection_outlives_the_server(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: left.append(unraisable.exc_value))
    for _ in range(TIMES):
        with ExitStack() as coming, toy_venue() as venue:
            coming.enter_context(crowd(venue, said))
            gc.collect()
    gc.collect()
    assert not left
