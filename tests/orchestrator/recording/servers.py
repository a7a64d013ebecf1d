"""Feeds on this machine: a WebSocket server that plays scripts, and an HTTP server of order books."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from websockets.sync.server import ServerConnection, serve

Script = Callable[[ServerConnection], None]


def sending(*messages: str | bytes, stay: bool = False) -> Script:
    """Send messages, then close, or stay until the other side closes."""

    def play(connection: ServerConnection) -> None:
        for message in messages:
            connection.send(message)
        if stay:
            for _ in connection:
                pass

    return play


@contextmanager
def websocket_server(*scripts: Script) -> Iterator[str]:
    """A server whose connections play one script each, the last one for all that follow; gives its address."""
    waiting = list(scripts)
    turn = threading.Lock()

    def handle(connection: ServerConnection) -> None:
        with turn:
            script = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        script(connection)

    with serve(handle, "127.0.0.1", 0, compression=None) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def http_server(*answers: tuple[int, str]) -> Iterator[str]:
    """A server that gives one status and body after the other, the last one for ever; gives its address."""
    waiting = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
