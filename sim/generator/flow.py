"""The order flow of one venue: what its traders do to its book.

Touches of the best prices (market orders, limit orders, cancellations) excite each other: a Hawkes process in
its cluster form, where every event has a Poisson number of children at random delays (Hawkes and Oakes, "A
cluster process representation of a self-exciting process", 1974). When the efficient price leaves the mid,
the side in its way is taken or withdrawn step by step and the other side moves up. Behind the best prices
levels come, change and go all the time.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from sim.generator.agenda import Agenda
from sim.generator.book import ASK, BID, BookSide, OrderBook
from sim.generator.chance import Chance, Quantiles, poisson_table
from sim.generator.efficient import CALM, MICRO, NANO
from sim.generator.feed import Feed
from sim.generator.models import VenueModel
from sim.generator.settings import SECOND_NS

_CHILD_DELAY_NS: Final = Quantiles(
    ((0, 5_000), (250, 60_000), (500, 700_000), (750, 7_000_000), (950, 70_000_000), (1000, 300_000_000))
)
_SAME_KIND: Final = 450
_SAME_SIDE: Final = 780
_REDRAWN: Final = 250
"""Share of touches that bring the best level to a new size rather than change it by one order."""
_EMPTIED: Final = 20
"""Share of cancellations larger than the best level that take it away whole."""
_EXHAUSTED: Final = 60
"""Share of market orders as large as the best level that take it whole; the others are not sent."""
_TAKEN: Final = 350
"""Share of the steps of a move that are market orders; makers withdraw in the others."""
_SWEPT_LEVELS: Final = 7
_PURSUED: Final = 850
"""Share of the steps of a move after which the other side comes closer at once."""
_AFTERMATH: Final = 4
"""Generations of touches that a finished move excites on each side."""
_SWEPT_LOTS: Final = 3
"""Most that a sweep takes of one level, in usual fills."""
_FLEEING: Final = 800
"""Share of the touches in a fall that follow it."""
_NARROWED: Final = 600
"""Share of narrowing orders that close the spread to one tick at once."""


class Kind(IntEnum):
    """What a touch does to the best level of a side."""

    MARKET = 0
    LIMIT = 1
    CANCEL = 2


MARKET: Final = int(Kind.MARKET)
LIMIT: Final = int(Kind.LIMIT)
CANCEL: Final = int(Kind.CANCEL)


class OrderFlow:
    """Traders of one venue."""

    def __init__(self, model: VenueModel, book: OrderBook, feed: Feed, agenda: Agenda, chance: Chance) -> None:
        self._model = model
        self._book = book
        self._feed = feed
        self._agenda = agenda
        self._chance = chance
        self._id_step = Quantiles(model.id_step)
        self._fills = Quantiles(model.fills)
        self._touch_lots = Quantiles(model.touch)
        self._order_lots = Quantiles(model.order)
        self._resting_lots = Quantiles(model.resting)
        self._trade_lots = Quantiles(model.trade)
        self._distance = Quantiles(model.distance)
        self._children = poisson_table(model.excited)
        self._fair = 0
        self._band = 0
        self._stretch = CALM
        self._churned_ns = 0
        self._churn_owed = 0
        self._moving = False
        self._narrowing = False
        self._activity = CALM
        self._stress = 0
        self._falling = False

    def set_mood(self, activity: int, stress: int, falling: bool) -> None:
        """Tell the traders how active and frightened the market is, per mille, and whether it is in free fall."""
        self._activity = activity
        self._stress = stress
        self._falling = falling

    def open(self, now_ns: int, fair: int) -> None:
        """Fill the book around a price in 1e-6 USD and begin."""
        self._fair = fair
        self._band = fair * self._model.band // NANO
        self._stretch = CALM * fair // (self._model.usual_price * MICRO)
        self._churned_ns = now_ns
        middle = fair // self._model.tick
        book = self._book
        for side, best in ((book.bids, -middle), (book.asks, middle + 1)):
            side.anchor(-middle // 2 if side is book.bids else middle * 3 // 2, 1_000)
            distances: set[int] = set()
            while len(distances) < self._model.levels:
                distances.add(self._far(next(self._chance.words)))
            for distance in sorted(distances, reverse=True):
                side.add(best + distance, self._chance.draw(self._resting_lots))
            side.add(best, self._chance.draw(self._touch_lots))
            side.changed.clear()
        self._agenda.enter(now_ns + self._next_arrival(), self.arrive)

    def arrive(self, now_ns: int, _: int) -> None:
        """A touch that nothing excited."""
        self._agenda.enter(now_ns + self._next_arrival(), self.arrive)
        kind = self._any_kind()
        self.touch(now_ns, self._code(kind, self._any_side(kind)))

    def touch(self, now_ns: int, code: int) -> None:
        """A market order, limit order or cancellation at the best price of a side."""
        self.churn(now_ns)
        kind, direction = code >> 1, ASK if code & 1 else BID
        side = self._book.side(direction)
        if kind == MARKET:
            self._market_order(now_ns, side)
        elif kind == LIMIT:
            self._join(side)
        else:
            self._leave(side)
        self._feed.quote(now_ns)
        self._excite(now_ns, kind, direction)
        self._watch(now_ns)

    def follow(self, now_ns: int, fair: int) -> None:
        """See a new fair price of this venue, in 1e-6 USD."""
        self._fair = fair
        self._watch(now_ns)

    def move(self, now_ns: int, _: int) -> None:
        """One step of a move: take or withdraw what stands between the mid and the fair price."""
        self.churn(now_ns)
        direction = ASK if self._excess() > 0 else BID
        side = self._book.side(direction)
        goal = self._fair // self._model.tick * direction
        best = side.best()
        if best <= goal:
            reach = goal if self._chance.permille() < 500 else best + self._chance.below(goal - best + 1)
            taken = _TAKEN + (CALM - _TAKEN) * self._stress // CALM // 2
            if self._chance.permille() < taken:
                self._sweep(now_ns, side, reach)
            else:
                self._book.advance(self._step(), side.remove_through(reach))
                self._feed.quote(now_ns)
            if self._chance.permille() < _PURSUED:
                self._improve(now_ns, self._book.side(-direction))
        if side.best() <= goal:
            self._agenda.enter(now_ns + self._chance.exponential(self._model.reaction_ns), self.move)
        else:
            self._moving = False
            for _ in range(_AFTERMATH):
                self._excite(now_ns, LIMIT, -direction)
                self._excite(now_ns, CANCEL, direction)
            self._watch(now_ns)

    def narrow(self, now_ns: int, _: int) -> None:
        """One order inside a spread that is wider than its makers want."""
        self._narrowing = False
        self.churn(now_ns)
        book = self._book
        middle = (book.asks.best() - book.bids.best()) * self._model.tick // 2
        self._improve(now_ns, book.bids if self._fair > middle else book.asks)
        self._watch(now_ns)

    def churn(self, now_ns: int) -> None:
        """Let the levels behind the best prices change for the time that has passed."""
        rate = self._model.churn * (self._activity + 3 * self._stress) // CALM
        self._churn_owed += (now_ns - self._churned_ns) * rate
        self._churned_ns = now_ns
        changes, self._churn_owed = divmod(self._churn_owed, SECOND_NS)
        if changes:
            target = self._model.levels * (CALM - self._stress * 6 // 10) // CALM
            for _ in range(changes):
                side = self._book.asks if next(self._chance.words) >> 63 else self._book.bids
                self._change_level(side, target)
            self._book.advance(self._step(), changes)

    def _change_level(self, side: BookSide, target: int) -> None:
        """Resize, place or cancel one level behind the best; young levels are chosen more often than old ones."""
        words = self._chance.words
        word = next(words)
        resizes = (word & 0xFFFF) * CALM >> 16 < self._model.resized
        if not resizes and len(side.levels) < target:
            side.add(side.best() + self._far(next(words)), self._resting_lots.of(word))
            return
        resting = side.resting
        depth = next(words) >> 32
        place = len(resting) - 1 - (len(resting) * depth * depth >> 64)
        key = resting[place]
        lots = side.levels.get(key, 0)
        if lots and key != side.best():
            if resizes:
                side.set(key, self._resting_lots.of(word))
                return
            side.remove(key)
            lots = 0
        if not lots and len(resting) > 1:
            resting[place] = resting[-1]
            resting.pop()

    def _far(self, word: int) -> int:
        """Ticks of a new level behind the best: quantiles are for the usual price, others stretch them."""
        return 1 + self._distance.of(word) * self._stretch // CALM

    def _market_order(self, now_ns: int, side: BookSide) -> None:
        """Take from the best level only."""
        key = side.best()
        for _ in range(self._chance.draw(self._fills)):
            left = side.levels[key]
            lots = min(left, self._chance.draw(self._trade_lots))
            if lots == left and self._chance.permille() >= _EXHAUSTED:
                return
            self._book.advance(self._step())
            self._feed.trade(now_ns, key * side.direction, lots, side.direction == BID)
            if lots == left:
                side.remove(key)
                return
            side.set(key, left - lots)

    def _sweep(self, now_ns: int, side: BookSide, reach: int) -> None:
        """A market order that takes levels up to a key; makers withdraw what it leaves of a large one."""
        levels = 1 + self._chance.below(_SWEPT_LEVELS * (CALM + 2 * self._stress) // CALM)
        while levels and side.best() <= reach:
            key = side.best()
            lots = min(side.levels[key], _SWEPT_LOTS * (1 + self._chance.draw(self._trade_lots)))
            self._feed.trade(now_ns, key * side.direction, lots, side.direction == BID)
            side.remove(key)
            self._book.advance(self._step())
            self._feed.quote(now_ns)
            levels -= 1

    def _join(self, side: BookSide) -> None:
        """Add to the best level."""
        key = side.best()
        lots = side.levels[key]
        more = lots + self._scaled(self._order_lots)
        if self._chance.permille() < _REDRAWN:
            more = max(lots, self._scaled(self._touch_lots))
        if more != lots:
            side.set(key, more)
            self._book.advance(self._step())

    def _leave(self, side: BookSide) -> None:
        """Take orders out of the best level."""
        key = side.best()
        lots = side.levels[key]
        fewer = lots - self._chance.draw(self._order_lots)
        if self._chance.permille() < _REDRAWN:
            fewer = min(lots, self._scaled(self._touch_lots))
        if fewer <= 0:
            if self._chance.permille() >= _EMPTIED:
                return
            side.remove(key)
        elif fewer != lots:
            side.set(key, fewer)
        else:
            return
        self._book.advance(self._step())

    def _improve(self, now_ns: int, side: BookSide) -> None:
        """Place an order ahead of the best of a side, not beyond the fair price and never across the spread."""
        closest = 1 - self._book.side(-side.direction).best()
        best = side.best()
        wanted = self._model.panic_ticks * self._stress // CALM
        closest += self._chance.below(wanted + 1)
        fair = self._fair // self._model.tick * side.direction
        key = max(closest, fair)
        if key < best:
            if self._chance.permille() >= _NARROWED:
                key = best - 1 - self._chance.below(best - key)
            side.add(key, self._scaled(self._touch_lots))
            self._book.advance(self._step())
            self._feed.quote(now_ns)

    def _excite(self, now_ns: int, kind: int, direction: int) -> None:
        chance = self._chance
        for _ in range(chance.count(self._children)):
            child = kind if chance.permille() < _SAME_KIND else self._any_kind()
            if self._falling:
                side = self._any_side(child)
            else:
                side = direction if chance.permille() < _SAME_SIDE else -direction
            self._agenda.enter(now_ns + chance.draw(_CHILD_DELAY_NS), self.touch, self._code(child, side))

    def _watch(self, now_ns: int) -> None:
        """Begin a move when the fair price has left the spread and its band, or a narrowing of a wide spread."""
        if self._moving:
            return
        excess = self._excess()
        if abs(excess) > self._band and self._is_in_the_way(ASK if excess > 0 else BID):
            self._moving = True
            self._agenda.enter(now_ns + self._chance.exponential(self._model.reaction_ns), self.move)
        elif not self._narrowing and self._book.asks.best() + self._book.bids.best() > 1:
            self._narrowing = True
            wait = self._model.reaction_ns * (CALM // 2 + 20 * self._stress) // CALM
            self._agenda.enter(now_ns + self._chance.exponential(wait), self.narrow)

    def _is_in_the_way(self, direction: int) -> bool:
        """Whether the best price of a side stands between the mid and the fair price."""
        return self._book.side(direction).best() <= self._fair // self._model.tick * direction

    def _excess(self) -> int:
        """Fair price over mid, in 1e-6 USD."""
        return self._fair - (self._book.asks.best() - self._book.bids.best()) * self._model.tick // 2

    def _step(self) -> int:
        return self._id_step.of(next(self._chance.words))

    def _scaled(self, lots: Quantiles) -> int:
        """A size, smaller the more the market is frightened."""
        return max(1, self._chance.draw(lots) * (CALM - 9 * self._stress // 10) // CALM)

    def _any_kind(self) -> int:
        luck = self._chance.permille()
        market = self._model.market * (CALM + 3 * self._stress) // CALM
        return MARKET if luck < market else LIMIT if luck < market + self._model.limit else CANCEL

    def _any_side(self, kind: int) -> int:
        """A side by chance; in a fall bids are taken and withdrawn, and asks are joined."""
        if self._falling and self._chance.permille() < _FLEEING:
            return ASK if kind == LIMIT else BID
        return self._chance.sign()

    def _next_arrival(self) -> int:
        """Time to the next touch that nothing excites, ns."""
        rate = self._model.arrivals * (self._activity + 4 * self._stress) // CALM
        return self._chance.exponential(1_000 * SECOND_NS // max(rate, 1))

    @staticmethod
    def _code(kind: int, direction: int) -> int:
        return kind << 1 | (direction == ASK)
