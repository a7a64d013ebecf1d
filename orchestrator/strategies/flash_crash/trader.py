"""The flash-crash trader of one market."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from market.detector.states import Permission, Signal, State
from market.detector.transitions import Transition
from market.fixed_point import floor_to
from market.instruments import Listing
from market.orders.kinds import Side
from market.protocols import (
    FOREVER,
    CancelIntent,
    DetectorChanged,
    Intent,
    MarketView,
    OrderChanged,
    QuoteChanged,
    Started,
    TimerFired,
    TimerIntent,
    Trade,
    Traded,
    WakeCause,
    Wakes,
)
from orchestrator.strategies.flash_crash.entry import Cooldown, Purchase, Rejection, judge
from orchestrator.strategies.flash_crash.event_watch import EventWatch
from orchestrator.strategies.flash_crash.exits import Seen
from orchestrator.strategies.flash_crash.holding import ClosedTrade
from orchestrator.strategies.flash_crash.parameters import PPM, FlashCrashParameters, SizeParameters
from orchestrator.strategies.flash_crash.ranges import Extrema, RangeDistribution, relative_range
from orchestrator.strategies.flash_crash.scoring import Score
from orchestrator.strategies.flash_crash.seconds import SECOND_NS, ClosedCandle, Seconds
from orchestrator.strategies.flash_crash.sleeping import GRID_NS, Sleeping
from orchestrator.strategies.flash_crash.state import VERSION, TraderState, read_state, state_bytes
from orchestrator.strategies.flash_crash.trades import Trades
from orchestrator.strategies.sizing import FullSize, Sizing


class FlashCrash:
    """Buys bullish candles of an event low in their range, sells high, and leaves when the event does.

    Members
    -------
    rejections: why bullish candles of events were not bought. scores: of those for which it came to that.
    closed: trades that are over.
    """

    def __init__(
        self, parameters: FlashCrashParameters, watch: EventWatch, tag: str = "crash", sizing: Sizing | None = None
    ) -> None:
        self._parameters = parameters
        self._watch = watch
        self._tag = tag
        self._sizing: Sizing = FullSize() if sizing is None else sizing
        self._seconds = Seconds(parameters.entry.volume_seconds)
        self._ranges = RangeDistribution(parameters.entry.range_samples)
        self._extrema = Extrema(parameters.entry.extremum_seconds)
        self._cooldown = Cooldown(parameters.entry)
        self._trades = Trades(parameters, tag)
        self._transitions: list[Transition] = []
        self._now_ns = 0
        self._looked_ns = 0
        self._timers = 0
        self._alarm_ns = FOREVER
        self._next: Purchase | None = None
        self.rejections: Counter[Rejection] = Counter()
        self.scores: list[Score] = []
        self.closed: list[ClosedTrade] = []

    @property
    def tag(self) -> str:
        """The strategy's tag."""
        return self._tag

    @property
    def wakes(self) -> Wakes:
        """Quotes and trades of its market; while it sleeps, its detector."""
        market, sleep = frozenset({self._parameters.market}), self._watch.sleep
        return Wakes(quotes=market, trades=market, detectors=() if sleep is None else (sleep.wake,))

    @property
    def standing(self) -> State:
        """The state of its detector."""
        return self._watch.standing

    @property
    def is_trading(self) -> bool:
        """Whether anything is held or ordered."""
        return bool(self._trades.open)

    def take_transitions(self) -> Sequence[Transition]:
        """Transitions of the detector that were not taken before, oldest first."""
        taken, self._transitions = self._transitions, []
        return taken

    def save(self) -> bytes:
        """Everything that a later run goes on with."""
        if self._watch.sleep is not None and self._watch.sleep.is_asleep:
            self._catch_up(self._watch.sleep, self._watch.sleep.now_ns)
        return state_bytes(
            TraderState(
                version=VERSION,
                detector=self._watch.save(),
                volumes=self._seconds.volumes,
                second=self._seconds.second,
                ranges=self._ranges.samples,
                holdings=self._trades.open,
                entered_ns=self._cooldown.entered_ns,
                lost_ns=self._cooldown.lost_ns,
                rejections={int(reason): count for reason, count in self.rejections.items()},
            )
        )

    def restore(self, content: bytes) -> None:
        """Go on from a saved state, before the start; raises Rejected for one that does not fit, and is as before."""
        state = read_state(content)
        self._watch.restore(state.detector)
        entry = self._parameters.entry
        self._seconds = Seconds(entry.volume_seconds, state.volumes, state.second)
        self._ranges = RangeDistribution(entry.range_samples, state.ranges[-entry.range_samples :])
        self._cooldown = Cooldown(entry, state.entered_ns, state.lost_ns)
        self._trades.open = state.holdings
        self.rejections = Counter({Rejection(reason): count for reason, count in state.rejections.items()})

    def wake(self, cause: WakeCause, view: MarketView) -> Sequence[Intent]:
        """Orders and cancellations that follow."""
        intents = self._answer(cause, view)
        alarm = self._sleep_if_idle(view)
        return intents if alarm is None else [*intents, alarm]

    def _answer(self, cause: WakeCause, view: MarketView) -> Sequence[Intent]:
        if isinstance(cause, Started):
            return self._start(view)
        if isinstance(cause, OrderChanged):
            return [*self._rouse(view.now_ns), *self._take_change(cause, view)]
        if isinstance(cause, DetectorChanged):
            return self._wake_up(cause.time_ns, view)
        if isinstance(cause, TimerFired):
            return self._take_timer(cause, view) if cause.number == self._timers else ()
        if isinstance(cause, Traded):
            return self._take_market(view, cause.trade.time_ns, trade=cause.trade)
        if isinstance(cause, QuoteChanged):
            return self._take_market(view, cause.time_ns, is_quote=True)
        return ()

    def _start(self, view: MarketView) -> Sequence[Intent]:
        """Take over what an earlier run left; its orders end."""
        self._now_ns = self._looked_ns = view.now_ns
        self._seconds.advance(self._now_ns)
        self._trades.take_over(self._trades.open, view)
        left = view.working_orders(self._tag)
        return [*(CancelIntent(client_order_id=order.client_order_id) for order in left), self._timer(view.now_ns)]

    def _timer(self, now_ns: int) -> TimerIntent:
        return TimerIntent(at_ns=(now_ns // GRID_NS + 1) * GRID_NS, number=self._timers)

    def _take_timer(self, cause: TimerFired, view: MarketView) -> Sequence[Intent]:
        """A tenth of a second has passed, or the sleep is over; one that ends between two tenths is only an end."""
        roused = self._rouse(cause.time_ns)
        self._now_ns = max(self._now_ns, cause.time_ns)
        if roused and self._alarm_ns % GRID_NS and cause.time_ns == self._alarm_ns:
            return roused
        return [*self._take_market(view, cause.time_ns), self._timer(cause.time_ns)]

    def _wake_up(self, now_ns: int, view: MarketView) -> Sequence[Intent]:
        """The detector, which has what woke it already, ended the sleep."""
        if self._watch.sleep is not None:
            self._catch_up(self._watch.sleep, self._watch.sleep.now_ns)
        self._timers += 1
        return [*self._take_market(view, now_ns, is_heard=True), self._timer(now_ns)]

    def _rouse(self, now_ns: int) -> Sequence[Intent]:
        """End a sleep for something else than the detector, which knows all of before now then; returns a timer."""
        sleep = self._watch.sleep
        if sleep is None or not sleep.is_asleep:
            return ()
        told_ns = sleep.end()
        for time_ns in range((told_ns // GRID_NS + 1) * GRID_NS, now_ns, GRID_NS):
            self._transitions += self._watch.take_time(time_ns)
        self._catch_up(sleep, max(told_ns, now_ns - 1))
        self._transitions += self._watch.transitions()
        self._timers += 1
        return [self._timer(max(told_ns, now_ns - 1))]

    def _sleep_if_idle(self, view: MarketView) -> TimerIntent | None:
        """Sleep where nothing is held and nothing is to be asked for; timers of before then have no effect.

        Returns the alarm that ends the sleep at the latest; None where only the detector does, or nobody sleeps.
        """
        sleep = self._watch.sleep
        if sleep is None or self._next is not None or not sleep.is_possible:
            return None
        alarm_ns = self._idle_until_ns(view)
        # A tenth of a second that ends now, and was not looked at, is looked at before anything else.
        is_looked_at = self._now_ns % GRID_NS or self._looked_ns == self._now_ns
        if alarm_ns <= self._now_ns or not is_looked_at:
            return None
        self._timers += 1
        self._alarm_ns = alarm_ns
        sleep.begin(self._now_ns, self._seconds.open)
        return None if alarm_ns == FOREVER else TimerIntent(at_ns=alarm_ns, number=self._timers)

    def _idle_until_ns(self, view: MarketView) -> int:
        """Until when only the detector, or what becomes of orders, gives a reason to do anything."""
        if self._trades.open:
            waits_ns = self._trades.waits_until_ns(view)
            if not waits_ns or not self._may_buy(is_active=self._watch.standing is State.ACTIVE):
                return 0
        elif self._watch.standing is State.SLEEP:
            return FOREVER
        else:
            waits_ns = FOREVER
        # A candle may be bought as soon as it has closed.
        return min(waits_ns, (self._now_ns // SECOND_NS + 1) * SECOND_NS)

    def _may_buy(self, *, is_active: bool) -> bool:
        return is_active and bool(self._watch.permissions & Permission.ENTER)

    def _catch_up(self, sleep: Sleeping, until_ns: int) -> None:
        """Take the candles of the sleep, as far as they were not taken; one that an alarm closes stays open."""
        for candle in sleep.take_candles():
            self._pass_to(candle.second)
            if candle.second == self._seconds.second:
                self._seconds.open = candle
        self._pass_to(min(until_ns, self._alarm_ns - 1) // SECOND_NS)

    def _pass_to(self, second: int) -> None:
        """Let the seconds of the sleep pass one by one, as they did."""
        for each in range(self._seconds.second + 1, second + 1):
            closed = self._seconds.advance(each * SECOND_NS)
            if closed is not None:
                self._take_range(closed, is_active=False)

    def _take_market(
        self,
        view: MarketView,
        time_ns: int,
        trade: Trade | None = None,
        *,
        is_quote: bool = False,
        is_heard: bool = False,
    ) -> Sequence[Intent]:
        """Something that the market did, or time that passed; ``is_heard``: the detector has it already."""
        self._now_ns = self._looked_ns = now_ns = max(self._now_ns, time_ns)
        # A rising candle ends a falling pattern: what held until it closed is what it is judged by.
        pattern = self._watch.signals
        closed = self._seconds.advance(now_ns)
        gap = None
        if trade is not None:
            self._transitions += self._watch.take_trade(trade, now_ns)
            before = self._seconds.take_trade(trade.price, trade.quantity)
            gap = None if before is None else (before.close, trade.price)
        elif is_quote:
            self._transitions += self._watch.take_quote(view, now_ns)
        elif is_heard:
            self._transitions += self._watch.transitions()
        else:
            self._transitions += self._watch.take_time(now_ns)
        is_active = self._watch.standing is State.ACTIVE
        if closed is not None:
            self._take_range(closed, is_active)
        intents: list[Intent] = []
        if self._trades.open:
            seen = Seen(
                now_ns=now_ns,
                is_active=is_active,
                bid=self._bid(view),
                closed=None if closed is None else closed.candle,
                gap=gap,
                price=None if trade is None else trade.price,
            )
            intents += self._look(seen, view)
        if closed is not None and is_active and closed.candle.is_bullish:
            intents += self._consider(closed, pattern, view)
        return intents

    def _take_range(self, closed: ClosedCandle, is_active: bool) -> None:
        """E5, E6: the candle's range; a new extremum of an event starts the distribution again."""
        if self._extrema.take(closed.candle) and is_active:
            self._ranges.clear()
        self._ranges.add(relative_range(closed.candle))

    def _take_change(self, change: OrderChanged, view: MarketView) -> Sequence[Intent]:
        self._now_ns = max(self._now_ns, view.now_ns)
        filled = self._trades.take_change(change, self._now_ns)
        if filled is not None and change.order.intent.side is Side.BUY:
            self._cooldown.entered_ns = self._now_ns
        is_active = self._watch.standing is State.ACTIVE
        return self._look(Seen(now_ns=self._now_ns, is_active=is_active, bid=self._bid(view)), view)

    def _look(self, seen: Seen, view: MarketView) -> Sequence[Intent]:
        """What the trades want, those that are over written down first."""
        listing = view.listing(*self._parameters.market)
        for trade in self._trades.take_ended(seen.now_ns, listing, seen.bid):
            self.closed.append(trade)
            if trade.gain < 0:
                self._cooldown.lost_ns = seen.now_ns
        may_buy = self._may_buy(is_active=seen.is_active)
        return [*self._trades.look(seen, may_buy, view), *self._buy_next(may_buy, view)]

    def _buy_next(self, may_buy: bool, view: MarketView) -> Sequence[Intent]:
        """Once the order for an earlier candle has ended, buy the one that took its place, while that is the last one.

        Not where the earlier one was bought after all.
        """
        if self._next is None or self._trades.is_buying:
            return ()
        found, self._next = self._next, None
        is_last = self._now_ns < found.decided_ns + SECOND_NS
        if not (is_last and may_buy and self._cooldown.is_over(self._now_ns)):
            return ()
        if self._trades.positions >= self._parameters.entry.concurrent:
            return ()
        return self._buy(found, view)

    def _consider(self, closed: ClosedCandle, pattern: Signal, view: MarketView) -> Sequence[Intent]:
        listing = view.listing(*self._parameters.market)
        found = judge(
            closed,
            self._watch,
            pattern,
            positions=self._trades.positions,
            cooled=self._cooldown.is_over(self._now_ns),
            tick=listing.tick,
            parameters=self._parameters.entry,
        )
        if found.score is not None:
            self.scores.append(found.score)
        if found.levels is None:
            if found.rejection is not None:
                self.rejections[found.rejection] += 1
            return ()
        rank = self._ranges.rank_ppm(relative_range(closed.candle)) / PPM
        purchase = Purchase(found.levels, f"score {found.score}, range at {rank:.0%}", self._now_ns)
        if not self._trades.is_buying:
            return self._buy(purchase, view)
        self._next = purchase
        return list(self._trades.withdraw(view))

    def _buy(self, purchase: Purchase, view: MarketView) -> Sequence[Intent]:
        """The order for a candle; none where its quantity would be too small."""
        levels = purchase.levels
        quantity = self._quantity(levels.entry, view, view.listing(*self._parameters.market))
        if not quantity:
            self.rejections[Rejection.SIZE] += 1
            return ()
        return [self._trades.buy(levels.entry, levels.target, quantity, purchase.why, view)]

    def _quantity(self, price: int, view: MarketView, listing: Listing) -> int:
        """A part of the equity in lots, made smaller by own costs and limits; 0 for too little."""
        market = self._parameters.market
        equity = self._parameters.size.capital + view.position(*market, self._tag).equity(self._bid(view) or price)
        wanted = wanted_quantity(self._parameters.size, equity, price, listing)
        if wanted < listing.lot:
            return 0
        quantity = self._sizing.resting(market, Side.BUY, price, wanted, listing.lot, view)
        is_enough = quantity >= listing.minimum_quantity and quantity * price >= listing.minimum_notional
        return quantity if is_enough else 0

    def _bid(self, view: MarketView) -> int | None:
        quote = view.quote(*self._parameters.market)
        return None if quote is None else quote.bid_price


def wanted_quantity(size: SizeParameters, equity: int, price: int, listing: Listing) -> int:
    """The largest quantity in lots that a part of the equity and the limits of one order pay for at a price."""
    notional = min(max(equity, 0) * size.share_ppm // PPM, size.maximum_notional)
    return floor_to(min(notional // price, size.maximum_quantity, listing.maximum_quantity), listing.lot)
