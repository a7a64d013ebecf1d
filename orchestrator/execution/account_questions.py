"""What an account holds and what works for it, asked of the venue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from market.errors import Retry
from market.orders.reports import Balances, OpenOrders, VenuePositions
from orchestrator.execution.answers import Reply
from orchestrator.execution.questions import MISREAD, Asker
from orchestrator.execution.reading import Reader
from orchestrator.execution.requests import Ask, MarketKind, Request


class AccountQuestions:
    """Asks about the account of one venue; answers are None, and the problem is told, where there is none.

    Parameters
    ----------
    ask: sends a request. now_ns: our time. on_problem: told why there is no answer.
    """

    def __init__(
        self,
        venue: int,
        kind: MarketKind,
        reader: Reader,
        ask: Asker,
        now_ns: Callable[[], int],
        on_problem: Callable[[str], None],
    ) -> None:
        self._venue = venue
        self._kind = kind
        self._reader = reader
        self._ask = ask
        self._now_ns = now_ns
        self._on_problem = on_problem

    async def open_orders(self) -> OpenOrders | None:
        """The orders that work, stop orders included."""
        asks = [Ask.OPEN_ORDERS] if self._kind is MarketKind.SPOT else [Ask.OPEN_ORDERS, Ask.OPEN_STOPS]
        bodies: list[Mapping[str, Any]] = []
        try:
            for ask in asks:
                bodies += await self._body(ask)
            orders = tuple(self._reader.open_orders(bodies))
        except (Retry, *MISREAD) as error:
            self._on_problem(f"open orders were not read: {error}")
            return None
        return OpenOrders(time_ns=self._now_ns(), venue=self._venue, orders=orders)

    async def balances(self) -> Balances | None:
        """What the account holds."""
        try:
            balances = tuple(self._reader.balances(await self._body(Ask.ACCOUNT)))
        except (Retry, *MISREAD) as error:
            self._on_problem(f"balances were not read: {error}")
            return None
        return Balances(time_ns=self._now_ns(), venue=self._venue, balances=balances)

    async def positions(self) -> VenuePositions | None:
        """The positions in the markets of the listings."""
        try:
            held = self._reader.positions(await self._body(Ask.POSITIONS))
        except (Retry, *MISREAD) as error:
            self._on_problem(f"positions were not read: {error}")
            return None
        return VenuePositions(time_ns=self._now_ns(), venue=self._venue, quantities=held)

    async def _body(self, ask: Ask) -> Any:
        answer = await self._ask(Request(ask=ask, parameters={}))
        if not isinstance(answer, Reply):
            raise Retry(answer.reason)
        return answer.body
