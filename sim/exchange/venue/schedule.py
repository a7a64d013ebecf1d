"""What happens on a venue by itself: background traders, countdowns, funding; in order of time."""

from __future__ import annotations

from collections.abc import Mapping

from market.protocols import FOREVER
from sim.exchange.venue.aftermath import Aftermath
from sim.exchange.venue.background import BackgroundTraders
from sim.exchange.venue.margin import MarginSettlement
from sim.exchange.venue.market import SymbolMarket
from sim.exchange.venue.model import VenueModel
from sim.exchange.venue.placing import Placing
from sim.exchange.venue.trading import Trading
from sim.generator.agenda import Agenda


class Schedule:
    """See the module. At the same time background traders come first, then funding, then countdowns.

    Attributes
    ----------
    next_funding_ns: when funding is paid next, ``FOREVER`` on spot.
    """

    def __init__(
        self,
        model: VenueModel,
        trading: Trading,
        aftermath: Aftermath,
        placing: Placing,
        margin: MarginSettlement | None,
        markets: Mapping[str, SymbolMarket],
    ) -> None:
        self._model = model
        self._trading = trading
        self._aftermath = aftermath
        self._placing = placing
        self._margin = margin
        self._markets = markets
        self._agenda = Agenda()
        self._countdowns: dict[tuple[str, str], int] = {}
        self._has_started = False
        self._background = {
            symbol: BackgroundTraders(market.model.background, market, trading, self._agenda, aftermath.settle_down)
            for symbol, market in markets.items()
            if market.model.background is not None
        }
        self.next_funding_ns = FOREVER

    def advance(self, now_ns: int) -> None:
        """Do what is due until a time; one before an earlier one counts as that one."""
        if not self._has_started:
            self._start(self._model.start_ns or now_ns)
        elif now_ns <= self._trading.now_ns:
            return
        due_ns = self.next_ns()
        while due_ns is not None and due_ns <= now_ns:
            self._do(due_ns)
            due_ns = self.next_ns()
        self._trading.now_ns = max(self._trading.now_ns, now_ns)

    def next_ns(self) -> int | None:
        """When something is due; None if nothing will be."""
        if not self._has_started:
            return self._model.start_ns or None
        due_ns = min(
            self._agenda.next_ns(FOREVER), self.next_funding_ns, min(self._countdowns.values(), default=FOREVER)
        )
        return None if due_ns == FOREVER else due_ns

    def count_down(self, account: str, symbol: str, countdown_ns: int) -> None:
        """Start, restart or with 0 stop a countdown."""
        self._countdowns.pop((account, symbol), None)
        if countdown_ns > 0:
            self._countdowns[account, symbol] = self._trading.now_ns + countdown_ns

    def keep_away(self, symbol: str, until_ns: int) -> None:
        """Keep background traders out of a market until a time."""
        if symbol in self._background:
            self._background[symbol].stay_away(until_ns)

    def _start(self, start_ns: int) -> None:
        self._has_started = True
        self._trading.now_ns = start_ns
        if self._margin is not None:
            interval_ns = self._model.funding_interval_ns
            self.next_funding_ns = (start_ns // interval_ns + 1) * interval_ns
        for traders in self._background.values():
            traders.open(start_ns)

    def _do(self, due_ns: int) -> None:
        """What is due first."""
        self._trading.now_ns = due_ns
        if self._agenda.next_ns(FOREVER) == due_ns:
            self._agenda.advance(due_ns + 1)
        elif self.next_funding_ns == due_ns:
            self._pay_funding(due_ns)
        else:
            account, symbol = next(key for key, at_ns in self._countdowns.items() if at_ns == due_ns)
            del self._countdowns[account, symbol]
            self._placing.cancel_all(account, symbol)
            self._aftermath.settle_down()

    def _pay_funding(self, due_ns: int) -> None:
        self.next_funding_ns += self._model.funding_interval_ns
        if self._margin is not None:
            for symbol in self._markets:
                self._margin.pay_funding(symbol, due_ns)
            self._aftermath.liquidate_due()
        self._aftermath.settle_down()
