"""What is wanted of a venue, and what became of it.

Prices and quantities are counts of the instrument's scales, notional and fees price count times quantity count.
"""

from __future__ import annotations

import msgspec

from market.errors import Rejected
from market.orders.cause import Cause
from market.orders.kinds import Liquidity, OrderState, OrderType, Side, TimeInForce

_PRICED = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
_STOPPED = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})


class OrderIntent(msgspec.Struct, frozen=True, kw_only=True):
    """An order that a strategy wants; venue and instrument are the fast loop's numbers.

    Parameters
    ----------
    decided_ns: when it was decided.
    limit_price, stop_price: 0 where the type has none.
    post_only: refused by the venue rather than taking liquidity. reduce_only: may only make the position smaller.
    partner: client order id of the other order of a pair, empty for none: what ends one or fills a part of it cancels
        the other.
    why: in the strategy's words, for people; never sent.

    Raises Rejected for a combination that no venue could carry out.
    """

    cause: Cause
    decided_ns: int
    instrument: int
    venue: int
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    quantity: int
    limit_price: int = 0
    stop_price: int = 0
    post_only: bool = False
    reduce_only: bool = False
    why: str = ""
    partner: str = ""

    def __post_init__(self) -> None:
        problem = self._problem()
        if problem:
            raise Rejected(f"order {self.client_order_id}: {problem}")

    @property
    def client_order_id(self) -> str:
        """The id under which the venue knows the order; see ``Cause``."""
        return self.cause.client_order_id

    def _problem(self) -> str:
        if self.quantity < 1:
            return f"quantity was {self.quantity}; expected at least 1"
        for name, price, has in (
            ("limit_price", self.limit_price, self.type in _PRICED),
            ("stop_price", self.stop_price, self.type in _STOPPED),
        ):
            if has and price < 1:
                return f"{name} was {price}; expected at least 1 for a {self.type.name} order"
            if not has and price != 0:
                return f"{name} was {price}; expected 0 for a {self.type.name} order"
        if self.type is OrderType.MARKET and self.time_in_force is TimeInForce.GTC:
            return "time in force was GTC; expected IOC or FOK, a MARKET order never rests"
        if self.post_only and (self.type is not OrderType.LIMIT or self.time_in_force is not TimeInForce.GTC):
            return f"post_only was set on {self.type.name} {self.time_in_force.name}; expected LIMIT GTC"
        return ""


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """One execution of an order, as its venue reports it.

    Parameters
    ----------
    fill_id: the venue's own, unique within the order; the same id again is the same fill.
    fee: in notional counts of the instrument, negative for a rebate.
    fee_base: the part of it that was taken in the instrument itself, in quantity counts: out of what was bought, or on
        top of what was sold; ``fee`` contains it at the fill's price. Negative for a rebate.
    fee_unpriced: commission in a third asset that ``fee`` does not contain, as the venue wrote it ("0.00075 BNB").
    venue_ns: the venue's time of it, 0 when it states none. receive_ns: when we heard of it.

    Raises Rejected for an empty id, a price or quantity below 1, or more commission in base than was traded.
    """

    fill_id: str
    price: int
    quantity: int
    fee: int
    liquidity: Liquidity
    venue_ns: int
    receive_ns: int
    fee_base: int = 0
    fee_unpriced: str = ""

    def __post_init__(self) -> None:
        if not self.fill_id or self.price < 1 or self.quantity < 1:
            raise Rejected(
                f"fill {self.fill_id!r}: price was {self.price} and quantity {self.quantity}; expected an id, "
                "and both at least 1"
            )
        if abs(self.fee_base) > self.quantity:
            raise Rejected(
                f"fill {self.fill_id!r}: commission in base was {self.fee_base}; expected at most {self.quantity}, "
                "what was traded"
            )

    @property
    def notional(self) -> int:
        """Price times quantity."""
        return self.price * self.quantity


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An intent and what became of it so far; only ``machine.advance`` makes new ones.

    Parameters
    ----------
    venue_order_id: empty until the venue has named it.
    filled: sum of the fills' quantities, at most ``intent.quantity``. fills: in order of arrival.
    sent_ns, acknowledged_ns, ended_ns: when each was first so, 0 before.
    reason: why it was refused or ended, in the venue's words.
    """

    intent: OrderIntent
    client_order_id: str
    state: OrderState = OrderState.INTENDED
    venue_order_id: str = ""
    filled: int = 0
    fills: tuple[Fill, ...] = ()
    sent_ns: int = 0
    acknowledged_ns: int = 0
    ended_ns: int = 0
    reason: str = ""

    @property
    def remaining(self) -> int:
        """What could still be filled if the order worked on."""
        return self.intent.quantity - self.filled

    @property
    def is_working(self) -> bool:
        """Whether the venue may still fill it."""
        return not self.state.is_terminal

    @property
    def notional(self) -> int:
        """Price times quantity over all fills."""
        return sum(fill.notional for fill in self.fills)

    @property
    def fee(self) -> int:
        """Fees of all fills, in notional counts."""
        return sum(fill.fee for fill in self.fills)


def new_order(intent: OrderIntent) -> Order:
    """An order that is written down and not yet sent."""
    return Order(intent=intent, client_order_id=intent.client_order_id)
