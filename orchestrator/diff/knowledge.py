"""What a strategy knew of its own orders at a moment: positions, and the orders that worked, each as it stood."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from market.orders.events import Filled, OrderEvent
from market.orders.kinds import OrderState
from market.orders.machine import advance
from market.orders.order import Order, new_order
from market.protocols import MarketKey
from orchestrator.diff.matching import Pair
from orchestrator.diff.story import Told, new_fills


@dataclass(frozen=True)
class Known:
    """One moment of one strategy in one run.

    Parameters
    ----------
    positions: gained since the beginning. working: state by the number of the pair.
    """

    positions: Mapping[MarketKey, int]
    working: Mapping[int, OrderState]


@dataclass
class _Step:
    place: int
    record_ns: int
    pair: int
    event: OrderEvent | None
    """None: the order was decided."""


class Timeline:
    """A strategy's own orders in one run, moment by moment; ask for moments in any order.

    Parameters
    ----------
    orders: with the numbers of their pairs.
    """

    def __init__(self, orders: Sequence[tuple[int, Told]]) -> None:
        self._intents = {pair: told.intent for pair, told in orders}
        self._before = {pair: told.before for pair, told in orders if told.before is not None}
        self._steps: list[_Step] = []
        for pair, told in orders:
            self._steps.append(_Step(told.place, told.record_ns, pair, None))
            self._steps += [_Step(line.place, line.record_ns, pair, line.event) for line in told.lines]
        self._steps.sort(key=lambda step: step.place)
        self._places = [step.place for step in self._steps]
        self._records = [step.record_ns for step in self._steps]
        self._done = 0
        self._orders: dict[int, Order] = {}
        self._positions: dict[MarketKey, int] = {}

    def before_place(self, place: int) -> Known:
        """What was known just before something that this run did."""
        return self._at(bisect_left(self._places, place))

    def before_record(self, record_ns: int) -> Known:
        """What was known before a record was looked at."""
        return self._at(bisect_left(self._records, record_ns))

    def _at(self, index: int) -> Known:
        if index < self._done:
            self._done, self._orders, self._positions = 0, {}, {}
        for step in self._steps[self._done : index]:
            self._take(step)
        self._done = index
        working = {pair: order.state for pair, order in self._orders.items()}
        return Known({key: held for key, held in self._positions.items() if held}, working)

    def _take(self, step: _Step) -> None:
        intent = self._intents[step.pair]
        if step.event is None:
            order = self._before.get(step.pair) or new_order(intent)
            if order.is_working:
                self._orders[step.pair] = order
            return
        if isinstance(step.event, Filled):
            key, fill = (intent.instrument, intent.venue), step.event.fill
            moved = intent.side.sign * fill.quantity - fill.fee_base
            self._positions[key] = self._positions.get(key, 0) + moved
        before = self._orders.get(step.pair)
        if before is None:
            return
        after = advance(before, step.event)
        if after.state.is_terminal:
            del self._orders[step.pair]
        else:
            self._orders[step.pair] = after


@dataclass(frozen=True)
class OtherPosition:
    """A market's position differs; in quantity counts, gained since the beginning."""

    market: MarketKey
    run: int
    backtest: int


@dataclass(frozen=True)
class OtherOrder:
    """The orders of a pair stood otherwise; None: it did not work."""

    pair: int
    run: OrderState | None
    backtest: OrderState | None


def compare(run: Known, backtest: Known) -> OtherPosition | OtherOrder | None:
    """The first thing that differs, positions before orders; None when all is the same."""
    for market in sorted({*run.positions, *backtest.positions}):
        ours, theirs = run.positions.get(market, 0), backtest.positions.get(market, 0)
        if ours != theirs:
            return OtherPosition(market, ours, theirs)
    for pair in sorted({*run.working, *backtest.working}):
        one, other = run.working.get(pair), backtest.working.get(pair)
        if one is not other:
            return OtherOrder(pair, one, other)
    return None


def timelines(pairs: Sequence[Pair], *, of_run: bool) -> dict[str, Timeline]:
    """By strategy."""
    orders: dict[str, list[tuple[int, Told]]] = {}
    for number, pair in enumerate(pairs):
        told = pair.run if of_run else pair.backtest
        if told is not None:
            orders.setdefault(told.intent.cause.strategy, []).append((number, told))
    return {strategy: Timeline(own) for strategy, own in orders.items()}


def heard_otherwise(pair: Pair) -> int | None:
    """Newest record at the first answer that the run and the backtest heard differently, None without any."""
    run = [] if pair.run is None else list(pair.run.lines)
    backtest = [] if pair.backtest is None else list(pair.backtest.lines)
    if pair.run is None or pair.backtest is None:
        return pair.record_ns
    for one, other in zip(run, backtest, strict=False):
        if (
            type(one.event) is not type(other.event)
            or one.record_ns != other.record_ns
            or _fills(one.event) != _fills(other.event)
        ):
            return min(one.record_ns, other.record_ns)
    longer = run[len(backtest) :] or backtest[len(run) :]
    return longer[0].record_ns if longer else None


def _fills(event: OrderEvent) -> tuple[int, int] | None:
    return (event.fill.price, event.fill.quantity) if isinstance(event, Filled) else None


def filled(told: Told | None) -> int:
    """Quantity that was filled in this run."""
    return 0 if told is None else sum(fill.quantity for fill in new_fills(told))
