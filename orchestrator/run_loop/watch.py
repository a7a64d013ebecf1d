"""What of the market a run's Python hears of: events that somebody waits for, conditions that hold, and detectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from market.instruments import Catalogue
from market.pipeline import passing
from market.pipeline.wake_conditions import WAKE_WIDTH, Wake, WakeKind
from market.protocols import Condition, Feed, FeedRoute, MarketKey, Strategy
from market.wire.records import Rows, Words
from orchestrator.run_loop.coordinator import Coordinator

_ALL: Final = passing.WATCH_QUOTES | passing.WATCH_TRADES
_NO_ENGINE: Final[Words] = np.zeros(1, dtype=np.int64)


class Watch:
    """Finds the next event that somebody must hear of.

    Parameters
    ----------
    engine: state of the compiled engine, to which other events go directly; None: every event is to be heard of.

    Members
    -------
    passed: events that were fed to the engine. is_fed: whether the event that was found last is among them.
    """

    def __init__(self, feed: Feed, catalogue: Catalogue, coordinator: Coordinator, engine: Words | None) -> None:
        routes = {(route.instrument, route.venue): route for source in feed.sources for route in source.routes if route}
        venues = 1 + max((venue for _, venue in routes), default=0)
        instruments = 1 + max((instrument for instrument, _ in routes), default=0)
        self.passed = 0
        self._engine = _NO_ENGINE if engine is None else engine
        self._watch = passing.new_watch(instruments, venues, len(coordinator.conditions))
        self._markets = passing.market_rows(self._watch)
        self._waiting = [(strategy, condition) for strategy, condition in coordinator.conditions]
        self._conditions: Rows = np.zeros((len(self._waiting) + 1, WAKE_WIDTH), dtype=np.int64)
        for (instrument, venue), row in ((key, self._markets[key[0] * venues + key[1]]) for key in routes):
            quotes = passing.WATCH_QUOTES if _is_awake(coordinator, coordinator.on_quote, (instrument, venue)) else 0
            trades = passing.WATCH_TRADES if _is_awake(coordinator, coordinator.on_trade, (instrument, venue)) else 0
            row[passing.WATCHED] = _ALL if engine is None else quotes | trades
        for place, (_, condition) in enumerate(self._waiting):
            route = routes.get(condition.market)
            if route is not None:
                self._conditions[place, Wake.KIND] = int(condition.kind)
                self._conditions[place, Wake.LEVEL] = _level(condition, route, catalogue)
            instrument, venue = condition.market
            self._conditions[place, Wake.MARKET] = instrument * venues + venue if route is not None else -1
        self._detectors = tuple(wake for wake in coordinator.detectors.values() if wake.market in routes)
        for wake in self._detectors:
            wake.attach(wake.market[0] * venues + wake.market[1])
        self._wakes: Words = np.array([wake.words.ctypes.data for wake in self._detectors], dtype=np.int64)
        self._pass = passing.pass_events.direct()

    @property
    def is_fed(self) -> bool:
        """Whether the engine has the event that was found last."""
        return bool(self._watch[passing.FED])

    def find(self, sources: Words, count: int, event: Words, before_ns: int) -> int:
        """The next event that is to be heard of; as ``pacing.next_event``."""
        found = self._pass(sources, count, event, self._engine, self._watch, self._conditions, self._wakes, before_ns)
        self.passed += int(self._watch[passing.PASSED])
        return found

    @property
    def woken_ns(self) -> int:
        """When the time alone woke a strategy that has not been told, 0 when it did not."""
        return int(self._watch[passing.WOKEN_NS])

    def tell_time(self, until_ns: int) -> None:
        """Tell sleeping strategies' detectors the time where no event came, up to and including a moment."""
        if self._detectors and not self.woken_ns:
            passing.tell_detectors(self._watch, self._wakes, until_ns)

    def told(self) -> None:
        """Those whom the time has woken were told."""
        self._watch[passing.WOKEN_NS] = 0

    def take_passed(self, keep: Callable[[Words], object]) -> int:
        """Hand on the newest quote of each market that was passed; returns how many events were."""
        for row in self._markets[self._markets[:, passing.KEPT] != 0]:
            keep(row[passing.QUOTE :])
        self._markets[:, passing.KEPT] = 0
        passed, self.passed = self.passed, 0
        return passed

    def met(self) -> Iterator[tuple[Strategy, tuple[Condition, ...]]]:
        """Strategies with conditions that the event that was found last has fired, in the order of the run."""
        fired = np.flatnonzero(self._conditions[:, Wake.FIRED]).tolist()
        by_strategy: dict[str, tuple[Strategy, tuple[Condition, ...]]] = {}
        for place in fired:
            strategy, condition = self._waiting[place]
            _, others = by_strategy.get(strategy.tag, (strategy, ()))
            by_strategy[strategy.tag] = (strategy, (*others, condition))
        yield from by_strategy.values()


def watch_of(feed: Feed, catalogue: Catalogue, coordinator: Coordinator, engine: Words | None) -> Watch | None:
    """What finds events where some may be passed or conditions are to be judged; None where all are heard of."""
    if engine is None and not coordinator.conditions and not coordinator.detectors:
        return None
    return Watch(feed, catalogue, coordinator, engine)


def _is_awake(coordinator: Coordinator, waiting: Mapping[MarketKey, Sequence[Strategy]], key: MarketKey) -> bool:
    """Whether somebody who never sleeps waits for a market's events; for others compiled code looks."""
    return any((strategy.tag, key) not in coordinator.detectors for strategy in waiting.get(key, ()))


def _level(condition: Condition, route: FeedRoute, catalogue: Catalogue) -> int:
    """A condition's level in the mantissas of its market's events; what lies between two is the higher one."""
    instrument = catalogue.listing(*condition.market).instrument
    price = _per_mantissa(route.price_exponent - instrument.price_scale.exponent)
    quantity = _per_mantissa(route.quantity_exponent - instrument.quantity_scale.exponent)
    if condition.kind is WakeKind.MID_MOVED:
        return -(-2 * condition.level // price)
    if condition.kind is WakeKind.SPREAD_REACHED:
        return -(-condition.level // price)
    if condition.kind is WakeKind.TRADED:
        return -(-condition.level // quantity)
    return condition.level // quantity if condition.kind is WakeKind.TOP_CHANGED else condition.level


def _per_mantissa(digits: int) -> int:
    """Counts of the instrument in one mantissa."""
    return int(10**digits)
