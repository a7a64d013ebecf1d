"""A listening aiohttp server whose end no connection outlives."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from aiohttp.web import BaseRunner

_TURNS_TO_REGISTER: Final = 3
"""Of the loop: after so many a connection that was accepted is known to its server."""


class Listening:
    """What a runner serves at an address, in the running loop.

    Nobody is accepted any more for some turns before the socket is closed: asyncio in Python 3.11 drops a connection
    that it has half accepted then (``Server._attach``), and leaves it open.
    """

    def __init__(self, runner: BaseRunner) -> None:
        self._runner = runner
        self._sockets: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen, at any free port for 0; returns where. Raises OSError where that is impossible."""
        await self._runner.setup()
        assert self._runner.server is not None
        self._sockets = await asyncio.get_running_loop().create_server(self._runner.server, host, port)
        at = self._sockets.sockets[0].getsockname()
        return at[0], at[1]

    async def close(self) -> None:
        """Stop listening, and wait until every connection is closed; those that were just accepted, too."""
        if self._sockets is not None:
            for listening in self._sockets.sockets:
                asyncio.get_running_loop().remove_reader(listening.fileno())
            for _ in range(_TURNS_TO_REGISTER):
                await asyncio.sleep(0)
            self._sockets.close()
        server = self._runner.server
        connections = [] if server is None else server.connections
        await self._runner.cleanup()
        for connection in connections:
            if connection.transport is not None:
                connection.transport.abort()
        while any(connection.transport is not None for connection in connections):
            await asyncio.sleep(0)
