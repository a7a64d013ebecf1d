"""What strategies see: the market as of now, and their own orders and positions."""

from __future__ import annotations

from collections.abc import Sequence

from market.fastpath.specification import Side as EngineSide
from market.instruments import Catalogue, Listing
from market.orders.kinds import Side
from market.orders.order import Order
from market.pipeline import layout
from market.protocols import Clock, MarketKey, Quote, Trade
from market.risk.position import Position
from market.wire.records import Words
from orchestrator.run_loop.intake import Intake
from orchestrator.run_loop.ledger import Ledger


class View:
    """A ``MarketView`` over the loop's parts; quotes become objects only when somebody looks."""

    def __init__(self, clock: Clock, epoch: int, catalogue: Catalogue, intake: Intake, ledger: Ledger) -> None:
        self._clock = clock
        self._epoch = epoch
        self._catalogue = catalogue
        self._intake = intake
        self._ledger = ledger
        self._events: dict[MarketKey, Words] = {}

    @property
    def now_ns(self) -> int:
        """The time."""
        return self._clock.now_ns()

    @property
    def epoch(self) -> int:
        """The run's epoch."""
        return self._epoch

    def listing(self, instrument: int, venue: int) -> Listing:
        """A market's ticks, lots and limits; raises Rejected when there is none."""
        return self._catalogue.listing(instrument, venue)

    def quote(self, instrument: int, venue: int) -> Quote | None:
        """Best bid and offer, None when there is no sound one."""
        event = self._events.get((instrument, venue))
        if event is None:
            return None
        price, quantity = self._factors(event)
        quote = Quote(
            instrument=instrument,
            venue=venue,
            sequence=int(event[layout.EVENT_SEQUENCE]),
            bid_price=int(event[layout.EVENT_BID_PRICE]) * price,
            bid_quantity=int(event[layout.EVENT_BID_QUANTITY]) * quantity,
            ask_price=int(event[layout.EVENT_ASK_PRICE]) * price,
            ask_quantity=int(event[layout.EVENT_ASK_QUANTITY]) * quantity,
            time_ns=int(event[layout.EVENT_TIME]),
        )
        is_sound = quote.bid_quantity > 0 and quote.ask_quantity > 0 and quote.bid_price < quote.ask_price
        return quote if is_sound else None

    def book(self, instrument: int, venue: int) -> Words | None:
        """The L2 book's flat state; not to be written."""
        return self._intake.book(instrument, venue)

    def position(self, instrument: int, venue: int, strategy: str | None = None) -> Position:
        """What is held, by one strategy or by all."""
        return self._ledger.position((instrument, venue), strategy)

    def order(self, client_order_id: str) -> Order | None:
        """An order of this run."""
        return self._ledger.order(client_order_id)

    def working_orders(self, strategy: str | None = None) -> Sequence[Order]:
        """Orders that have not ended, of one strategy or of all."""
        return self._ledger.working(strategy)

    def take_quote(self, event: Words) -> MarketKey:
        """Keep a quote event; returns its market."""
        key = (int(event[layout.EVENT_INSTRUMENT]), int(event[layout.EVENT_VENUE]))
        kept = self._events.get(key)
        if kept is None:
            self._events[key] = event.copy()
        else:
            kept[:] = event
        return key

    def trade(self, event: Words) -> Trade:
        """A trade event in the instrument's counts."""
        price, quantity = self._factors(event)
        aggressor = EngineSide(int(event[layout.EVENT_AGGRESSOR]))
        return Trade(
            instrument=int(event[layout.EVENT_INSTRUMENT]),
            venue=int(event[layout.EVENT_VENUE]),
            aggressor=None if aggressor is EngineSide.NONE else Side(aggressor),
            price=int(event[layout.EVENT_PRICE]) * price,
            quantity=int(event[layout.EVENT_QUANTITY]) * quantity,
            time_ns=int(event[layout.EVENT_TIME]),
            trade_id=max(int(event[layout.EVENT_TRADE_ID]), 0),
        )

    def _factors(self, event: Words) -> tuple[int, int]:
        """Counts per mantissa, of price and quantity."""
        instrument = self.listing(int(event[layout.EVENT_INSTRUMENT]), int(event[layout.EVENT_VENUE])).instrument
        price = int(event[layout.EVENT_PRICE_EXPONENT]) - instrument.price_scale.exponent
        quantity = int(event[layout.EVENT_QUANTITY_EXPONENT]) - instrument.quantity_scale.exponent
        return 10**price, 10**quantity
