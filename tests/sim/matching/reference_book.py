"""The rules of the matching engine once more, slowly and obviously: one list of orders, searched anew each time."""

from __future__ import annotations

from dataclasses import dataclass, field

from sim.matching.layout import (
    ASK,
    BID,
    LARGEST_LOTS,
    LARGEST_PRICE,
    Command,
    CommandKind,
    Event,
    EventKind,
    Prevention,
    Reason,
    Term,
)

EventRow = list[int]


@dataclass
class Resting:
    identifier: int
    owner: int
    side: int
    price: int
    lots: int
    arrival: int


def event(
    kind: EventKind,
    identifier: int = 0,
    owner: int = 0,
    side: int = 0,
    price: int = 0,
    lots: int = 0,
    left: int = 0,
    other: int = 0,
    other_owner: int = 0,
    other_left: int = 0,
    reason: Reason = Reason.NONE,
) -> EventRow:
    return [int(kind), identifier, owner, side, price, lots, left, other, other_owner, other_left, int(reason), 0]


def best_first(order: Resting) -> tuple[int, int]:
    return (-order.price if order.side == BID else order.price, order.arrival)


def other_side(side: int) -> int:
    return ASK if side == BID else BID


@dataclass
class ReferenceBook:
    capacity: int
    orders: list[Resting] = field(default_factory=list)
    arrivals: int = 0
    events: list[EventRow] = field(default_factory=list)

    def do(self, command: list[int]) -> list[EventRow]:
        self.events = []
        top = self.top()
        kind = command[Command.KIND]
        if kind in (CommandKind.LIMIT, CommandKind.MARKET):
            self.place(command)
        elif kind == CommandKind.CANCEL:
            self.cancel(command)
        elif kind == CommandKind.AMEND:
            self.amend(command)
        else:
            self.reject(command, Reason.WRONG)
        if self.top() != top:
            bid, bid_lots, ask, ask_lots = self.top()
            self.tell(event(EventKind.TOP, price=bid, lots=bid_lots, other=ask, other_left=ask_lots))
        return self.events

    def tell(self, row: EventRow) -> None:
        self.events.append(row)

    def reject(self, command: list[int], reason: Reason, side: int | None = None) -> None:
        _, identifier, owner, asked_side, price, lots, _, _ = command
        shown = asked_side if side is None else side
        self.tell(event(EventKind.REJECTED, identifier, owner, shown, price, lots, reason=reason))

    def find(self, identifier: int) -> Resting | None:
        return next((order for order in self.orders if order.identifier == identifier), None)

    def queue(self, side: int) -> list[Resting]:
        return sorted((order for order in self.orders if order.side == side), key=best_first)

    def held(self, side: int, price: int) -> int:
        return sum(order.lots for order in self.orders if (order.side, order.price) == (side, price))

    def top(self) -> tuple[int, int, int, int]:
        found: list[int] = []
        for side in (BID, ASK):
            queue = self.queue(side)
            found += [queue[0].price, self.held(side, queue[0].price)] if queue else [0, 0]
        return found[0], found[1], found[2], found[3]

    def matching(self, side: int, price: int) -> list[Resting]:
        """Resting orders that an order of this side and price (0: any) would meet, in order."""

        def acceptable(order: Resting) -> bool:
            return price == 0 or (order.price <= price if side == BID else order.price >= price)

        return [order for order in self.queue(other_side(side)) if acceptable(order)]

    def place(self, command: list[int]) -> None:
        _, identifier, owner, side, price, lots, term, prevention = command
        reason = self.objection(command)
        if reason is not Reason.NONE:
            self.reject(command, reason)
            return
        self.tell(event(EventKind.ACCEPTED, identifier, owner, side, price, lots))
        self.enter(identifier, owner, side, price, lots, Term(term), Prevention(prevention))

    def objection(self, command: list[int]) -> Reason:
        kind, identifier, _, side, price, lots, term, prevention = command
        if side not in (BID, ASK) or not 0 < lots <= LARGEST_LOTS or prevention not in list(Prevention):
            return Reason.WRONG
        if kind == CommandKind.MARKET and (price != 0 or term not in (Term.IOC, Term.FOK)):
            return Reason.WRONG
        if kind == CommandKind.LIMIT and (not 0 < price <= LARGEST_PRICE or term not in list(Term)):
            return Reason.WRONG
        if self.find(identifier):
            return Reason.DUPLICATE
        if term in (Term.GTC, Term.POST_ONLY) and len(self.orders) == self.capacity:
            return Reason.FULL
        if term == Term.POST_ONLY and self.matching(side, price):
            return Reason.WOULD_TRADE
        return Reason.NONE

    def would_trade(self, owner: int, side: int, price: int, lots: int, prevention: Prevention) -> int:
        found = 0
        for order in self.matching(side, price):
            if order.owner == owner and prevention is not Prevention.NONE:
                if prevention is Prevention.EXPIRE_MAKER:
                    continue
                break
            found += order.lots
        return min(found, lots)

    def enter(
        self, identifier: int, owner: int, side: int, price: int, lots: int, term: Term, prevention: Prevention
    ) -> None:
        def expire(left: int, reason: Reason) -> None:
            self.tell(event(EventKind.EXPIRED, identifier, owner, side, price, left, reason=reason))

        if term is Term.FOK and self.would_trade(owner, side, price, lots, prevention) < lots:
            expire(lots, Reason.NOT_WHOLE)
            return
        left, ended = self.trade(identifier, owner, side, price, lots, prevention)
        if left and ended:
            expire(left, Reason.SELF_TRADE)
        elif left and term in (Term.GTC, Term.POST_ONLY):
            ahead = self.held(side, price)
            self.orders.append(Resting(identifier, owner, side, price, left, self.arrivals))
            self.arrivals += 1
            self.tell(event(EventKind.RESTED, identifier, owner, side, price, left, left, other_left=ahead))
            self.tell(event(EventKind.LEVEL, side=side, price=price, lots=ahead + left))
        elif left:
            expire(left, Reason.UNFILLED)

    def trade(
        self, identifier: int, owner: int, side: int, price: int, lots: int, prevention: Prevention
    ) -> tuple[int, bool]:
        other = other_side(side)
        makers = self.matching(side, price)
        ended = False
        for at in dict.fromkeys(maker.price for maker in makers):
            before = self.held(other, at)
            for maker in [maker for maker in makers if maker.price == at]:
                if lots == 0 or ended:
                    break
                if maker.owner == owner and prevention is not Prevention.NONE:
                    if prevention is not Prevention.EXPIRE_TAKER:
                        self.orders.remove(maker)
                        row = event(EventKind.EXPIRED, maker.identifier, owner, other, at, maker.lots)
                        row[Event.REASON] = Reason.SELF_TRADE
                        self.tell(row)
                    ended = prevention is not Prevention.EXPIRE_MAKER
                    continue
                traded = min(lots, maker.lots)
                lots -= traded
                maker.lots -= traded
                if maker.lots == 0:
                    self.orders.remove(maker)
                whose = (maker.identifier, maker.owner, maker.lots)
                self.tell(event(EventKind.TRADED, identifier, owner, side, at, traded, lots, *whose))
            if self.held(other, at) != before:
                self.tell(event(EventKind.LEVEL, side=other, price=at, lots=self.held(other, at)))
        return lots, ended

    def cancel(self, command: list[int]) -> None:
        order = self.find(command[Command.ID])
        if order is None or order.owner != command[Command.OWNER]:
            self.reject([*command[:3], 0, 0, 0, 0, 0], Reason.UNKNOWN)
            return
        self.orders.remove(order)
        whose = (order.identifier, order.owner, order.side, order.price)
        self.tell(event(EventKind.CANCELLED, *whose, order.lots))
        self.tell(event(EventKind.LEVEL, side=order.side, price=order.price, lots=self.held(order.side, order.price)))

    def amend(self, command: list[int]) -> None:
        _, identifier, owner, _, asked_price, lots, term, prevention = command
        order = self.find(identifier)
        sensible = 0 < lots <= LARGEST_LOTS and 0 <= asked_price <= LARGEST_PRICE and prevention in list(Prevention)
        if not sensible or term not in (Term.GTC, Term.POST_ONLY):
            self.reject(command, Reason.WRONG, side=0)
            return
        if order is None or order.owner != owner:
            self.reject(command, Reason.UNKNOWN, side=0)
            return
        price = asked_price or order.price
        if (price, lots) == (order.price, order.lots):
            self.reject(command, Reason.UNCHANGED, side=order.side)
            return
        if price != order.price and term == Term.POST_ONLY and self.matching(order.side, price):
            self.reject(command, Reason.WOULD_TRADE, side=order.side)
            return
        side, old_price = order.side, order.price
        keeps = price == old_price and lots < order.lots
        if keeps:
            order.lots = lots
        else:
            self.orders.remove(order)
        self.tell(event(EventKind.AMENDED, identifier, owner, side, price, lots, lots, other_left=int(keeps)))
        self.tell(event(EventKind.LEVEL, side=side, price=old_price, lots=self.held(side, old_price)))
        if not keeps:
            self.enter(identifier, owner, side, price, lots, Term(term), Prevention(prevention))
