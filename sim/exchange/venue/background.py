"""Background traders of one symbol: makers keep a ladder of orders around a fair price, takers trade against it.

All of them are nobody: their orders stand in the book like any others, but no account's money is checked for them.
Chance comes from streams of a seed, time from the agenda: the same calls at the same times give the same market.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from market.orders.kinds import Side
from sim.exchange.venue.fair_price import FairPrice
from sim.exchange.venue.market import SymbolMarket, book_side
from sim.exchange.venue.model import BackgroundModel
from sim.exchange.venue.trading import Trading
from sim.generator.agenda import Agenda
from sim.generator.chance import Chance

_MINUTE_NS: Final = 60 * 10**9
_REACH: Final = 3
"""Orders further from the best than so many times the usual depth are withdrawn."""
_RESIZED: Final = 250
"""Share of looks, per mille, at which one level gets another quantity."""


class BackgroundTraders:
    """See the module.

    Parameters
    ----------
    done: called when something was changed.
    """

    def __init__(
        self,
        model: BackgroundModel,
        market: SymbolMarket,
        trading: Trading,
        agenda: Agenda,
        done: Callable[[], None],
    ) -> None:
        self._model = model
        self._market = market
        self._trading = trading
        self._agenda = agenda
        self._done = done
        self._chance = Chance(model.seed, model.stream)
        self._fair = FairPrice(model, market.model.reference_ticks, agenda, self._hear)
        self._away_until_ns = 0
        self._looking = False

    def open(self, now_ns: int) -> None:
        """Fill the book and begin."""
        self._fair.open(now_ns)
        self._quote()
        self._done()
        if self._model.trades_per_minute:
            self._agenda.enter(now_ns + self._wait(), self._trade)

    def stay_away(self, until_ns: int) -> None:
        """Trade and quote no more until a time."""
        self._away_until_ns = until_ns

    def _hear(self, now_ns: int) -> None:
        """The fair price moved: makers look at it soon, unless they are about to."""
        if self._is_content(now_ns) or self._looking:
            return
        self._looking = True
        self._agenda.enter(now_ns + self._chance.exponential(self._model.requote_ns), self._look)

    def _look(self, now_ns: int, _: int) -> None:
        self._looking = False
        if now_ns < self._away_until_ns:
            self._agenda.enter(self._away_until_ns, self._look)
            self._looking = True
            return
        self._quote()
        self._done()

    def _trade(self, now_ns: int, _: int) -> None:
        """A market order."""
        self._agenda.enter(now_ns + self._wait(), self._trade)
        side = Side.BUY if self._chance.sign() > 0 else Side.SELL
        lots = self._chance.exponential(self._model.trade_lots)
        if now_ns >= self._away_until_ns:
            self._trading.place_nobodys(self._market, side, 0, lots)
            self._done()

    def _is_content(self, now_ns: int) -> bool:
        """Whether the best prices are where makers want them, or makers are away."""
        if now_ns < self._away_until_ns:
            return True
        bid, _, ask, _ = self._market.top
        return (bid, ask) == (self._best(Side.BUY), self._best(Side.SELL))

    def _best(self, side: Side) -> int:
        """Where the best price of makers should be."""
        return max(1, self._fair.ticks - side.sign * self._model.half_spread_ticks)

    def _quote(self) -> None:
        """Withdraw what is on the wrong side of the fair price or too far from it, and fill the ladder up."""
        for side in (Side.BUY, Side.SELL):
            self._withdraw(side)
        for side in (Side.BUY, Side.SELL):
            self._fill_up(side)

    def _withdraw(self, side: Side) -> None:
        best, depth = self._best(side), self._model.levels * self._model.spacing_ticks * _REACH
        at, sign = book_side(side), side.sign
        lowest, highest = sorted((best, best - sign * depth))
        for price in [price for where, price in self._market.nobodys if where == at]:
            if not lowest <= price <= highest:
                self._cancel(at, price)

    def _fill_up(self, side: Side) -> None:
        at, best = book_side(side), self._best(side)
        prices = [price for where, price in self._market.nobodys if where == at]
        if best not in prices:
            self._place(side, best)
            prices.append(best)
        missing = self._model.levels - len(prices)
        for _ in range(missing):
            price = best - side.sign * self._chance.exponential(self._model.spacing_ticks * self._model.levels // 2)
            if price > 0 and (at, price) not in self._market.nobodys:
                self._place(side, price)
        if missing <= 0 and self._chance.permille() < _RESIZED:
            price = prices[self._chance.below(len(prices))]
            self._cancel(at, price)
            self._place(side, price)

    def _place(self, side: Side, price: int) -> None:
        self._trading.place_nobodys(self._market, side, price, self._chance.exponential(self._model.level_lots))

    def _cancel(self, side: int, price: int) -> None:
        for order_id in list(self._market.nobodys.get((side, price), ())):
            self._trading.cancel_nobodys(self._market, order_id)

    def _wait(self) -> int:
        return self._chance.exponential(_MINUTE_NS // self._model.trades_per_minute)
