"""The trades that are under way: cancels what waits too long, sells what is to be sold, and books fills."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from market.instruments import Listing
from market.orders.cause import Cause, Origin
from market.orders.events import CancelRefused, Filled
from market.orders.kinds import OrderState, OrderType, Side, TimeInForce
from market.orders.order import Order, OrderIntent
from market.protocols import FOREVER, CancelIntent, Intent, MarketView, OrderChanged
from orchestrator.strategies.flash_crash.exits import Seen, exit_reason, target_now
from orchestrator.strategies.flash_crash.holding import ClosedTrade, ExitReason, Holding
from orchestrator.strategies.flash_crash.parameters import FlashCrashParameters

_ASKED: tuple[OrderState, ...] = (OrderState.CANCEL_REQUESTED, OrderState.UNKNOWN)


class Trades:
    """Every trade from its order to buy until nothing of it is left.

    Members
    -------
    open: under way, oldest first.
    """

    def __init__(self, parameters: FlashCrashParameters, tag: str) -> None:
        self._parameters = parameters
        self._tag = tag
        self._decisions = 0
        self._by_order: dict[str, Holding] = {}
        self.open: list[Holding] = []

    @property
    def is_buying(self) -> bool:
        """Whether an order to buy has not ended."""
        return any(holding.entry_order for holding in self.open)

    @property
    def positions(self) -> int:
        """Trades of which something was bought."""
        return sum(bool(holding.opened_ns) for holding in self.open)

    def waits_until_ns(self, view: MarketView) -> int:
        """Until when orders to buy do nothing but wait, as long as they may; 0 where more is under way."""
        until_ns = FOREVER
        for holding in self.open:
            if holding.opened_ns or holding.exit_order:
                return 0
            order = view.order(holding.entry_order) if holding.entry_order else None
            if order is None or order.state in _ASKED:
                return 0
            until_ns = min(until_ns, holding.sent_ns + self._parameters.entry.lifetime_ns)
        return until_ns

    def take_over(self, holdings: Iterable[Holding], view: MarketView) -> None:
        """Go on with the trades of an earlier run, or with what it left where they do not add up to what is held.

        What nobody knows the story of is sold at once.
        """
        self.open = list(holdings)
        held = view.position(*self._parameters.market, self._tag)
        if sum(holding.held for holding in self.open) != held.quantity:
            self.open = []
            if held.quantity > 0:
                self.open.append(_left_over(held.quantity, held.cost, view.now_ns))
        for holding in self.open:
            holding.entry_order = _if_working(holding.entry_order, view)
            holding.exit_order = _if_working(holding.exit_order, view)
            self._by_order.update(dict.fromkeys(holding.orders, holding))

    def buy(self, price: int, target: int, quantity: int, why: str, view: MarketView) -> OrderIntent:
        """Begin a trade."""
        intent = self._order(Side.BUY, price, quantity, why, view)
        name = intent.client_order_id
        holding = Holding(entry_order=name, sent_ns=view.now_ns, target=target, orders=[name])
        self.open.append(holding)
        self._by_order[name] = holding
        return intent

    def withdraw(self, view: MarketView) -> Iterator[CancelIntent]:
        """End what waits to be bought, unless its end was asked for already."""
        for holding in self.open:
            order = view.order(holding.entry_order) if holding.entry_order else None
            if order is not None and order.state not in _ASKED:
                yield CancelIntent(client_order_id=holding.entry_order)

    def look(self, seen: Seen, may_buy: bool, view: MarketView) -> Iterator[Intent]:
        """What is to be done about each trade by what the market shows.

        Parameters
        ----------
        may_buy: whether orders to buy may go on waiting.
        """
        listing = view.listing(*self._parameters.market)
        for holding in self.open:
            yield from self._move(holding, seen, may_buy, view, listing)

    def take_change(self, change: OrderChanged, now_ns: int) -> Holding | None:
        """Book what became of an order; returns its trade when something was filled."""
        name, event = change.order.client_order_id, change.event
        holding = self._by_order.get(name)
        if holding is None:
            holding = self._unknown(change.order, event)
            if holding is None:
                return None
        is_filled = isinstance(event, Filled)
        if isinstance(event, Filled):
            holding.book(change.order.intent.side, event.fill)
            if holding not in self.open:
                holding.leaving = holding.leaving or ExitReason.LEFT_OVER
                self.open.append(holding)
        if isinstance(event, CancelRefused):
            holding.retry_ns = now_ns + self._parameters.exits.retry_ns
        if not change.order.is_working:
            if name == holding.entry_order:
                holding.entry_order = ""
            if name == holding.exit_order:
                holding.exit_order = ""
                if not change.order.filled:
                    holding.retry_ns = now_ns + self._parameters.exits.retry_ns
        return holding if is_filled else None

    def take_ended(self, now_ns: int, listing: Listing, bid: int | None) -> Sequence[ClosedTrade]:
        """Remove trades of which nothing is left but parts of a lot; returns those that ever held something."""
        ended = [holding for holding in self.open if self._has_ended(holding, listing, bid)]
        self.open = [holding for holding in self.open if holding not in ended]
        return [_closed(holding, now_ns) for holding in ended if holding.opened_ns]

    def _has_ended(self, holding: Holding, listing: Listing, bid: int | None) -> bool:
        if holding.entry_order or holding.exit_order:
            return False
        quantity = holding.sellable(listing.lot)
        is_worthless = bid is not None and quantity * bid < listing.minimum_notional
        return quantity < listing.minimum_quantity or is_worthless

    def _unknown(self, order: Order, event: object) -> Holding | None:
        """A fill of an order that an earlier run sent: bought, it is sold at once; sold, it was of the oldest trade."""
        if not isinstance(event, Filled):
            return None
        if order.intent.side is Side.SELL:
            return next((holding for holding in self.open if holding.held > 0), None)
        holding = _left_over(0, 0, event.fill.receive_ns)
        holding.orders.append(order.client_order_id)
        self._by_order[order.client_order_id] = holding
        self.open.append(holding)
        return holding

    def _move(
        self, holding: Holding, seen: Seen, may_buy: bool, view: MarketView, listing: Listing
    ) -> Iterator[Intent]:
        reason = self._reason(holding, seen)
        waited_ns = seen.now_ns - holding.sent_ns
        if holding.entry_order and (
            reason is not None or not may_buy or waited_ns >= self._parameters.entry.lifetime_ns
        ):
            order = view.order(holding.entry_order)
            if order is not None and order.state not in _ASKED and seen.now_ns >= holding.retry_ns:
                yield CancelIntent(client_order_id=holding.entry_order)
            # What may still be bought must not meet what is sold; of an unknown outcome nobody waits for the end.
            if order is not None and order.state is not OrderState.UNKNOWN:
                return
        if reason is None or holding.exit_order or seen.bid is None or seen.now_ns < holding.retry_ns:
            return
        quantity = min(holding.sellable(listing.lot), listing.maximum_quantity)
        if quantity >= listing.minimum_quantity and quantity * seen.bid >= listing.minimum_notional:
            yield self._sell(holding, reason, quantity, seen.now_ns, view, listing)

    def _reason(self, holding: Holding, seen: Seen) -> ExitReason | None:
        """Why to sell; urgent reasons stay."""
        if not holding.opened_ns or holding.bought < 1:
            return None
        if seen.price is not None:
            holding.take_trade(seen.price, seen.now_ns)
        if seen.bid is not None:
            holding.highest_bid = max(holding.highest_bid, seen.bid)
        reason = holding.leaving or exit_reason(holding, seen, self._parameters.exits)
        if reason is not None and reason is not ExitReason.TARGET:
            holding.leaving = reason
        return reason

    def _sell(
        self, holding: Holding, reason: ExitReason, quantity: int, now_ns: int, view: MarketView, listing: Listing
    ) -> OrderIntent:
        target = target_now(holding, now_ns, self._parameters.exits) if reason is ExitReason.TARGET else 0
        price = -(-target // listing.tick) * listing.tick
        intent = self._order(Side.SELL, price, quantity, reason.name.lower(), view)
        holding.exit_order, holding.reason = intent.client_order_id, reason
        holding.orders.append(intent.client_order_id)
        self._by_order[intent.client_order_id] = holding
        return intent

    def _order(self, side: Side, price: int, quantity: int, why: str, view: MarketView) -> OrderIntent:
        """An order to buy waits; one to sell does not, and has no limit where the price is 0."""
        self._decisions += 1
        instrument, venue = self._parameters.market
        return OrderIntent(
            cause=Cause(strategy=self._tag, origin=Origin.DECISION, epoch=view.epoch, number=self._decisions),
            decided_ns=view.now_ns,
            instrument=instrument,
            venue=venue,
            side=side,
            type=OrderType.LIMIT if price else OrderType.MARKET,
            time_in_force=TimeInForce.GTC if side is Side.BUY else TimeInForce.IOC,
            quantity=quantity,
            limit_price=price,
            why=why,
        )


def _left_over(quantity: int, cost: int, now_ns: int) -> Holding:
    """Something that is held and must be sold."""
    return Holding(
        entry_order="",
        sent_ns=now_ns,
        target=0,
        opened_ns=now_ns,
        bought=quantity,
        paid=cost,
        leaving=ExitReason.LEFT_OVER,
    )


def _if_working(name: str, view: MarketView) -> str:
    order = view.order(name)
    return name if order is not None and order.is_working else ""


def _closed(holding: Holding, now_ns: int) -> ClosedTrade:
    return ClosedTrade(
        opened_ns=holding.opened_ns,
        closed_ns=now_ns,
        reason=holding.reason,
        bought=holding.bought,
        paid=holding.paid,
        received=holding.received,
        fees=holding.fees,
        gain=holding.gain,
    )
