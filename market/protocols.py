"""What plugs into the one run loop of every mode: clock, feed, gateway, strategies, checks and journal.

Backtest, paper and live differ only in which of these are plugged in. A strategy sees a ``MarketView`` and causes to
wake; nothing in either says which mode it runs in.

One thread runs the loop and calls everything here; nothing may block but ``Clock.wait_until`` and ``Journal``. Live
clocks, feeds and gateways do their networking elsewhere and hand over what has arrived. Times are nanoseconds since
the epoch, instrument and venue numbers those of the fast loop.

Errors, as everywhere: Rejected (this input or order; the loop counts it and goes on), Retry (nothing happened; the same
call may succeed later), DataGap (something is missing; the loop asks for it again), Fatal (the loop kills the fast loop
and stops). Any other exception is a mistake in the program and treated as Fatal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Final, Protocol, TypeAlias

import msgspec

from market.errors import Rejected
from market.fastpath.specification import Kind
from market.instruments import Listing
from market.orders.events import OrderEvent
from market.orders.kinds import Side
from market.orders.order import Order, OrderIntent
from market.orders.pairs import check_pair
from market.orders.reports import GatewayReport
from market.pipeline.detector_wakes import DetectorWake
from market.pipeline.wake_conditions import WakeKind
from market.risk.position import Position
from market.wire.records import Batch, Words

FOREVER: Final = (1 << 62) - 1
"""Later than any time."""

MarketKey: TypeAlias = tuple[int, int]
"""Instrument and venue number."""


class Clock(Protocol):
    """What time it is."""

    def now_ns(self) -> int:
        """The time; never goes back."""

    def wait_until(self, time_ns: int) -> int:
        """Wait for a time and return the time then.

        Returns earlier, with a time before ``time_ns``, when something has arrived for the loop to look at, and at
        once when the time has passed. A clock of events goes to that time itself. ``FOREVER`` waits for an arrival.
        """


class FeedStatus(IntEnum):
    """State of a source."""

    CONNECTING = 1
    """Not connected, or connected and without data yet; records may come."""
    LIVE = 2
    FINISHED = 3
    """No more records will ever come: the end of a recording, or a feed that was closed."""


class FeedMarket(Protocol):
    """One market of a source; a tick is ``10**-price_decimals``, a lot ``10**-quantity_decimals``."""

    @property
    def symbol(self) -> str: ...

    @property
    def price_decimals(self) -> int: ...

    @property
    def quantity_decimals(self) -> int: ...


class FeedRoute(Protocol):
    """Where a market's quotes go in the fast loop, and the exponents of the mantissas that carry them."""

    @property
    def instrument(self) -> int: ...

    @property
    def venue(self) -> int: ...

    @property
    def price_exponent(self) -> int: ...

    @property
    def quantity_exponent(self) -> int: ...


class FeedSource(Protocol):
    """One connection or recording of one venue."""

    @property
    def name(self) -> str: ...

    @property
    def numbered(self) -> bool:
        """Whether update ids never go back, so that they can number quotes elsewhere too."""

    @property
    def markets(self) -> Sequence[FeedMarket]:
        """Markets by the numbers in the ``MARKET`` column of the records."""

    @property
    def routes(self) -> Sequence[FeedRoute | None]:
        """One per market; None for one that nothing trades."""

    def new_books(self) -> Words:
        """Fresh books of ``market.book.book``, one per market."""


class Feed(Protocol):
    """Decoded market data of several sources.

    Order: the batches of a source come in the order of their arrival, and so do the records in a batch; each carries
    its receive time. The loop merges sources by receive time, ties to the first source. A hole in a source's stream is
    a GAP record in its place, never an exception.
    """

    @property
    def sources(self) -> Sequence[FeedSource]:
        """The sources by number; fixed for a run."""

    def take(self, source: int) -> Batch | None:
        """The source's next batch, None when nothing waits; it stays valid until the source's next ``take``."""

    def status(self, source: int) -> FeedStatus:
        """State of a source. FINISHED only once ``take`` has returned the last batch."""

    def request_snapshot(self, source: int, market: int) -> None:
        """Ask for a whole book, since ours lost its sequence; it comes as a SNAPSHOT record, some time or never.

        A feed asks by itself when it connects, and limits how often it really does. Never raises.
        """


class Gateway(Protocol):
    """Where orders go. Nothing waits: each call is handed over, and what comes of it is reported by ``take``.

    Order: reports come in the order in which they were heard, those of one order as the venue sent them; fills may be
    reported again, and late. Cancellation is a request: the order may be filled until it is reported as ended.

    ``submit`` and ``cancel`` raise Rejected or Retry only when nothing was sent for certain. Whenever it may have been,
    they return, and ``OutcomeUnknown`` is reported. Sending an order again under the same client order id must not
    make a second one.
    """

    def submit(self, order: Order) -> None:
        """Send an order. Raises Rejected (the venue would not take it) or Retry (rate limit, not connected)."""

    def submit_oco(self, limit: Order, stop: Order) -> None:
        """Send a pair of orders of which one cancels the other. Raises as ``submit``, and then neither was sent.

        Where the venue has no pairs the gateway cancels one when something becomes of the other; then both may be
        filled.
        """

    def cancel(self, order: Order) -> None:
        """Ask for an order's cancellation. Raises as ``submit``."""

    def query(self, order: Order) -> None:
        """Ask what became of an order; answered by updates that say what it is now. Raises Retry.

        The updates of one answer are returned by the same ``take``: whoever has seen one has seen all.
        """

    def request_open_orders(self, venue: int) -> None:
        """Ask for an ``OpenOrders`` report. Raises Retry."""

    def request_balances(self, venue: int) -> None:
        """Ask for a ``Balances`` report. Raises Retry."""

    def request_positions(self, venue: int) -> None:
        """Ask a venue of derivatives for a ``VenuePositions`` report. Raises Retry, Rejected where there are none."""

    def next_ns(self) -> int | None:
        """Time of the first report that ``take`` has not returned, None when none waits or is scheduled."""

    def take(self, until_ns: int) -> Sequence[GatewayReport]:
        """Reports up to a time, in order.

        Raises DataGap when the venue's stream of reports broke, at most once per break and before later reports; the
        loop then asks about every order of which it does not know the end.
        """


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One order that a trigger asks for; counts of the instrument's scales."""

    venue: int
    side: Side
    price: int
    quantity: int


class Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """A decision of the fast loop, see docs/fastpath.md.

    Parameters
    ----------
    legs: one or two, the seller first.
    edge: gain or deviation that it was made for, in price counts; 0 for an imbalance.
    cause_venue, cause_sequence, cause_ns: the quote that caused it.
    """

    epoch: int
    id: int
    kind: Kind
    instrument: int
    legs: tuple[Leg, ...]
    edge: int
    imbalance: int
    microprice: int
    cause_venue: int
    cause_sequence: int
    cause_ns: int


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """Best bid and offer of one venue, in counts of the instrument's scales."""

    instrument: int
    venue: int
    sequence: int
    bid_price: int
    bid_quantity: int
    ask_price: int
    ask_quantity: int
    time_ns: int


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """A trade of the market, in counts of the instrument's scales.

    Parameters
    ----------
    aggressor: side that took liquidity, None when the venue does not say. trade_id: the venue's, 0 where it has none.
    """

    instrument: int
    venue: int
    aggressor: Side | None
    price: int
    quantity: int
    time_ns: int
    trade_id: int = 0


class MarketView(Protocol):
    """What a strategy may know: everything up to now and nothing after."""

    @property
    def now_ns(self) -> int:
        """The time."""

    @property
    def epoch(self) -> int:
        """For the causes of a strategy's own decisions."""

    def listing(self, instrument: int, venue: int) -> Listing:
        """Ticks, lots and limits; raises Rejected for a market that there is not."""

    def quote(self, instrument: int, venue: int) -> Quote | None:
        """Best bid and offer; None before the first, and while they are withdrawn, one-sided or crossed."""

    def book(self, instrument: int, venue: int) -> Words | None:
        """The L2 book as ``market.book`` lays it out, for kernels to read; None when no feed has the market."""

    def position(self, instrument: int, venue: int, strategy: str | None = None) -> Position:
        """What is held, by one strategy or by all."""

    def order(self, client_order_id: str) -> Order | None:
        """An order of this run."""

    def working_orders(self, strategy: str | None = None) -> Sequence[Order]:
        """Orders that have not ended, of one strategy or of all, oldest first."""


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """The run begins; every strategy wakes once."""

    time_ns: int


class QuoteChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A market's best bid or offer was stated anew, or withdrawn."""

    instrument: int
    venue: int
    time_ns: int


class Traded(msgspec.Struct, frozen=True, kw_only=True):
    """A trade of the market."""

    trade: Trade


class Triggered(msgspec.Struct, frozen=True, kw_only=True):
    """The fast loop decided.

    A leg is answered by orders of origin TRIGGER with its epoch, id and leg number, together at most its quantity, in
    the very answer to this wake; what nobody answers is released in the fast loop.
    """

    trigger: Trigger


class OrderChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Something became of an order of this strategy: sent, acknowledged, filled, ended, refused, unknown."""

    order: Order
    event: OrderEvent


class TimerFired(msgspec.Struct, frozen=True, kw_only=True):
    """A time came that this strategy had asked for."""

    number: int
    time_ns: int


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """Something about a market that is judged in compiled code, so that a strategy hears of nothing else.

    Parameters
    ----------
    level: as the kind says, in counts of the instrument's scales: of MID_MOVED and SPREAD_REACHED a price, of
        TOP_CHANGED and TRADED a quantity; of an imbalance millionths.
    """

    kind: WakeKind
    market: MarketKey
    level: int


class ConditionsMet(msgspec.Struct, frozen=True, kw_only=True):
    """Conditions of this strategy hold, as of the market's newest quote or trade."""

    conditions: tuple[Condition, ...]
    time_ns: int


class DetectorChanged(msgspec.Struct, frozen=True, kw_only=True):
    """The detector of a strategy that slept is in another state, or permits something else; it has that event already.

    The strategy is awake, and hears of the market's quotes and trades from the next one on.
    """

    instrument: int
    venue: int
    time_ns: int


WakeCause: TypeAlias = (
    Started | QuoteChanged | Traded | Triggered | OrderChanged | TimerFired | ConditionsMet | DetectorChanged
)


class Wakes(msgspec.Struct, frozen=True, kw_only=True):
    """What wakes a strategy beside the start, its own orders and its own timers.

    Parameters
    ----------
    quotes, trades: markets. detectors: of some of these markets; while one sleeps, see ``DetectorWake``, only its
        detector wakes the strategy for its market.
    """

    triggers: bool = False
    quotes: frozenset[MarketKey] = frozenset()
    trades: frozenset[MarketKey] = frozenset()
    conditions: tuple[Condition, ...] = ()
    detectors: tuple[DetectorWake, ...] = ()


class OcoIntent(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy wants a pair of orders of which one cancels the other; see ``market.orders.pairs``.

    Parameters
    ----------
    limit: takes the profit. stop: ends the loss. Each names the other as its ``partner``.

    Raises Rejected for orders that cannot be a pair.
    """

    limit: OrderIntent
    stop: OrderIntent

    def __post_init__(self) -> None:
        names = (self.limit.client_order_id, self.stop.client_order_id)
        if (self.stop.partner, self.limit.partner) != names:
            raise Rejected(
                f"orders {names[0]} and {names[1]} named {self.limit.partner!r} and {self.stop.partner!r} as their "
                "partners; expected each other"
            )
        check_pair(self.limit, self.stop)


class CancelIntent(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy wants its order cancelled; nothing happens if it has ended."""

    client_order_id: str


class TimerIntent(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy wants to be woken at a time, with a number of its own; a past time wakes it at once."""

    at_ns: int
    number: int


Intent: TypeAlias = OrderIntent | OcoIntent | CancelIntent | TimerIntent


class Strategy(Protocol):
    """Decides; it has no side effects of its own and takes no time.

    Order: causes come in order of time, strategies in the order of the run; at the same time gateway reports before
    timers before market data. What a strategy asks for is carried out before anything else wakes. A cause that raises
    Rejected is counted and has no effect; the strategy must be as it was.
    """

    @property
    def tag(self) -> str:
        """Unique in the run; see ``Cause.strategy``."""

    @property
    def wakes(self) -> Wakes:
        """Asked once, at the start."""

    def wake(self, cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        """What to do about a cause. The same causes and views must give the same intents."""


class PreTradeCheck(Protocol):
    """A rule that every order must pass before it is sent."""

    def __call__(self, intent: OrderIntent, view: MarketView) -> None:
        """Raises Rejected naming the limit and what was asked."""


class Journal(Protocol):
    """Where a run is written down; what a method was given is durable when it returns. Raises Fatal if it cannot be."""

    def intent(self, intent: OrderIntent) -> None:
        """An order that is about to be sent or refused."""

    def event(self, client_order_id: str, event: OrderEvent) -> None:
        """Something that changed an order."""

    def report(self, report: GatewayReport) -> None:
        """A gateway's report that is not about an order of this run, or contradicts what is known of it."""

    def decisions(self, payloads: Sequence[bytes]) -> None:
        """What the fast loop sent: triggers, acknowledgements, status."""
