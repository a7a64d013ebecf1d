"""The seam between a gateway and the connections over which it speaks to its venue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

from market.instruments import Listing
from market.orders.order import Order
from orchestrator.execution.answers import Answer
from orchestrator.execution.rate_limit import Counted
from orchestrator.execution.requests import Request

Done: TypeAlias = Callable[[Answer], None]
"""Takes the answer to a request, once, in the network's thread."""
Send: TypeAlias = Callable[[Done], None]
"""Sends what was prepared; called once, in the network's thread."""


class ChannelListener(Protocol):
    """What a channel tells its gateway, in the network's thread."""

    def on_up(self) -> None:
        """The user data stream stands: from here on every event arrives."""

    def on_down(self, reason: str) -> None:
        """The user data stream broke; told once per break, and not before the first ``on_up``."""

    def on_failure(self, reason: str) -> None:
        """A connection could not be made; it is tried again."""

    def on_event(self, message: Mapping[str, Any]) -> None:
        """An event of the user data stream."""

    def on_used(self, counted: Counted, interval_ns: int, used: int) -> None:
        """How much of a limit is used, in the venue's count."""


class Channel(Protocol):
    """Connections to one market of one venue.

    A request's answer is one of ``answers``: what a channel cannot know it calls Lost, never something better. No text
    that it hands over contains a key, a secret or a signature.
    """

    def prepare(self, request: Request, timestamp_ms: int) -> Send:
        """Make a request ready to be sent, with the venue's time in it; called in any thread."""

    def prepare_order(self, order: Order, listing: Listing, timestamp_ms: int) -> Send:
        """Make an order ready to be sent; raises Rejected for what the market does not have, as ``place_request``."""

    async def run(self, listener: ChannelListener) -> None:
        """Hold the connections, making them anew after every break, until cancelled."""

    async def close(self) -> None:
        """End all connections; what waits for an answer gets Lost."""
