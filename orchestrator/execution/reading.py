"""What Binance says about orders, as order events: answers and the user data stream, in exact counts.

Source: "Trade endpoints", "User Data Streams" of the spot API, "New Order", "Event Order Update" and "Event Algo Order
Update" of USD-M futures. Numbers are text there and are never read as floats.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, TypeAlias

from market.errors import Rejected
from market.instruments import Listing
from market.orders.events import Acknowledged, Cancelled, Expired, Filled, OrderEvent, OutcomeUnknown, Refused
from market.orders.kinds import Liquidity, Side
from market.orders.order import Fill
from market.orders.reports import Balance, OrderUpdate, VenueOrder
from orchestrator.execution.commissions import commission
from orchestrator.execution.executed import ExecutedSoFar
from orchestrator.execution.requests import MarketKind

Json: TypeAlias = Mapping[str, Any]

MS_NS: Final = 1_000_000
_FILLS: Final = ("TRADE", "CALCULATED")
"""Executions; the second is that of a liquidation."""
_CANCELED: Final = "CANCELED"
_REJECTED: Final = "REJECTED"
_EXPIRED: Final = frozenset({"EXPIRED", "EXPIRED_IN_MATCH"})


class Reader:
    """Reads what one market of the venue says.

    Parameters
    ----------
    listings: those of the venue; what concerns another symbol is refused.
    """

    def __init__(self, listings: Iterable[Listing], kind: MarketKind) -> None:
        self._listings = {listing.symbol: listing for listing in listings}
        self._kind = kind
        self._stops: dict[int, str] = {}
        self._orders: dict[str, int] = {}
        self._executed = ExecutedSoFar()

    def events(self, message: Json, time_ns: int) -> list[OrderUpdate]:
        """What an event of the user data stream tells about an order; nothing for one about another market or matter.

        An order of which something was executed that no message told is reported as unknown, its end is not.

        Raises Rejected for a message that is not as documented.
        """
        kind = message.get("e")
        if kind == "executionReport":
            return self._report(message, message, time_ns)
        if kind == "ORDER_TRADE_UPDATE":
            return self._report(message["o"], message, time_ns)
        if kind == "ALGO_UPDATE":
            return self._stop(message["o"], time_ns)
        return []

    def placed(self, body: Json, time_ns: int) -> list[OrderUpdate]:
        """What the answer to a new order tells: that it is there, on spot also its first fills and its end.

        Futures do not say which trades filled it; the user data stream does.
        """
        name = body.get("clientOrderId") or body["clientAlgoId"]
        if "algoId" in body:
            return _updates(name, [Acknowledged(time_ns=time_ns, venue_order_id="")])
        events: list[OrderEvent] = [Acknowledged(time_ns=time_ns, venue_order_id=str(body["orderId"]))]
        listing = self._listing(body["symbol"])
        fills = body.get("fills", ())
        for fill in fills:
            read = _fill(listing, fill, "tradeId", Liquidity.TAKER, int(body["transactTime"]), time_ns)
            events.append(Filled(fill=read))
        if _same(body.get("executedQty", "0"), (fill["qty"] for fill in fills)):
            executed = self._executed_of(listing, body)
            self._tell(name, executed)
            events += _end(body.get("status", ""), time_ns, executed=executed)
        return _updates(name, events)

    def state(self, body: Json, trades: Iterable[Json], time_ns: int, name: str = "") -> list[OrderUpdate]:
        """What the answer to a question about an order tells, with its trades.

        Parameters
        ----------
        name: our id of it, where the venue has it under another (a stop order that became an order).

        Raises Rejected when the trades do not add up to what was executed: they are not all listed yet.
        """
        listing, listed = self._listing(body["symbol"]), list(trades)
        if not _same(body["executedQty"], (trade["qty"] for trade in listed)):
            raise Rejected(f"{len(listed)} trades were listed; expected trades of {body['executedQty']} in all")
        found = "" if name else str(body["orderId"])
        events: list[OrderEvent] = [Acknowledged(time_ns=time_ns, venue_order_id=found)]
        events += [Filled(fill=self.trade(listing, trade, time_ns)) for trade in listed]
        name = name or body["clientOrderId"]
        executed = self._executed_of(listing, body)
        self._tell(name, executed)
        return _updates(name, [*events, *_end(body["status"], time_ns, executed=executed)])

    def order_of_stop(self, client_order_id: str) -> str:
        """The venue's id of the order that a stop on futures has become; empty while it waits."""
        return str(self._orders.get(client_order_id, ""))

    def stop_state(self, body: Json, time_ns: int) -> list[OrderUpdate]:
        """What the answer to a question about a stop order on futures tells, while it is no order yet."""
        acknowledged: list[OrderEvent] = [Acknowledged(time_ns=time_ns, venue_order_id="")]
        return _updates(body["clientAlgoId"], [*acknowledged, *_end(body["algoStatus"], time_ns)])

    def trade(self, listing: Listing, body: Json, time_ns: int) -> Fill:
        """One of the account's trades."""
        is_maker = body["maker"] if self._kind is MarketKind.USD_MARGINED else body["isMaker"]
        return _fill(listing, body, "id", _liquidity(is_maker), int(body["time"]), time_ns)

    def open_orders(self, bodies: Iterable[Json]) -> Iterator[VenueOrder]:
        """Working orders of the listings' symbols, those of other programs too; stop orders on futures included."""
        for body in bodies:
            listing = self._listings.get(body["symbol"])
            if listing is not None:
                yield _listed(listing, body)

    def balances(self, body: Json) -> Iterator[Balance]:
        """Balances that are not nothing; on futures ``free`` is what orders may use, ``locked`` the wallet's rest."""
        if self._kind is MarketKind.SPOT:
            for held in body["balances"]:
                yield from _balance(held["asset"], Decimal(held["free"]), Decimal(held["locked"]))
            return
        for held in body["assets"]:
            wallet, free = Decimal(held["walletBalance"]), Decimal(held["availableBalance"])
            yield from _balance(held["asset"], free, wallet - free)

    def positions(self, bodies: Iterable[Json]) -> dict[int, int]:
        """Signed positions in the listings' markets, by instrument; long and short ones of a symbol net."""
        held: dict[int, int] = {}
        for body in bodies:
            listing = self._listings.get(body["symbol"])
            if listing is not None:
                scales = listing.instrument
                held[scales.number] = held.get(scales.number, 0) + scales.quantity_scale.count(body["positionAmt"])
        return held

    def _listing(self, symbol: str) -> Listing:
        listing = self._listings.get(symbol)
        if listing is None:
            raise Rejected(f"symbol was {symbol!r}; expected one of {sorted(self._listings)}")
        return listing

    def _report(self, body: Json, envelope: Json, time_ns: int) -> list[OrderUpdate]:
        listing, order_id = self._listings.get(body["s"]), int(body["i"])
        if listing is None:
            return []
        # A cancellation has an id of its own on spot; the order's is then the original one.
        name = self._stops.get(order_id) or body.get("C") or body["c"]
        execution, last, events = body["x"], 0, list[OrderEvent]()
        scale = listing.instrument.quantity_scale
        if execution == "NEW" and order_id not in self._stops:
            events.append(Acknowledged(time_ns=time_ns, venue_order_id=str(order_id)))
        elif execution in _FILLS:
            last = scale.count(body["l"])
            events.append(Filled(fill=_reported_fill(listing, body, envelope, time_ns)))
        executed = scale.count(body["z"])
        if not self._tell(name, executed, last):
            return _updates(name, [*events, OutcomeUnknown(time_ns=time_ns, reason="a report of a fill was lost")])
        reason = body.get("r", "")
        ends = _end(body["X"], time_ns, "" if reason == "NONE" else reason, executed)
        return _updates(name, [*events, *ends])

    def _executed_of(self, listing: Listing, body: Json) -> int:
        return listing.instrument.quantity_scale.count(body.get("executedQty", "0"))

    def _tell(self, name: str, executed: int, last: int = 0) -> bool:
        return self._executed.tell(name, executed, last)

    def _stop(self, body: Json, time_ns: int) -> list[OrderUpdate]:
        """A stop order on futures lives in a service of its own until it becomes an order with another id."""
        name, status = body["caid"], body["X"]
        if order_id := body.get("ai"):
            self._stops[int(order_id)] = name
            self._orders[name] = int(order_id)
        if status == "NEW":
            return _updates(name, [Acknowledged(time_ns=time_ns, venue_order_id="")])
        return _updates(name, _end(status, time_ns, body.get("rm", "")))


def _updates(name: str, events: Iterable[OrderEvent]) -> list[OrderUpdate]:
    return [OrderUpdate(client_order_id=name, event=event) for event in events]


def _end(status: str, time_ns: int, reason: str = "", executed: int | None = None) -> list[OrderEvent]:
    """How a status ends an order; filled ones end by their fills."""
    if status == _CANCELED:
        return [Cancelled(time_ns=time_ns, reason=reason, executed=executed)]
    if status in _EXPIRED:
        return [Expired(time_ns=time_ns, reason=reason or status)]
    if status == _REJECTED:
        return [Refused(time_ns=time_ns, reason=reason or "the matching engine refused it")]
    return []


def _same(executed: str, parts: Iterable[str]) -> bool:
    return Decimal(executed) == sum((Decimal(part) for part in parts), Decimal(0))


def _liquidity(is_maker: bool) -> Liquidity:
    return Liquidity.MAKER if is_maker else Liquidity.TAKER


def _fill(listing: Listing, body: Json, id_name: str, liquidity: Liquidity, time_ms: int, time_ns: int) -> Fill:
    price = listing.instrument.price_scale.count(body["price"])
    fee, fee_base, unpriced = commission(listing, price, body["commission"], body["commissionAsset"])
    return Fill(
        fill_id=str(body[id_name]),
        price=price,
        quantity=listing.instrument.quantity_scale.count(body["qty"]),
        fee=fee,
        fee_base=fee_base,
        fee_unpriced=unpriced,
        liquidity=liquidity,
        venue_ns=time_ms * MS_NS,
        receive_ns=time_ns,
    )


def _reported_fill(listing: Listing, body: Json, envelope: Json, time_ns: int) -> Fill:
    price = listing.instrument.price_scale.count(body["L"])
    fee, fee_base, unpriced = commission(listing, price, body.get("n") or "0", body.get("N") or "")
    return Fill(
        fill_id=str(body["t"]),
        price=price,
        quantity=listing.instrument.quantity_scale.count(body["l"]),
        fee=fee,
        fee_base=fee_base,
        fee_unpriced=unpriced,
        liquidity=_liquidity(body["m"]),
        venue_ns=int(envelope["T"]) * MS_NS,
        receive_ns=time_ns,
    )


def _listed(listing: Listing, body: Json) -> VenueOrder:
    scales = listing.instrument
    is_stop = "algoId" in body
    return VenueOrder(
        client_order_id=body["clientAlgoId"] if is_stop else body["clientOrderId"],
        venue_order_id="" if is_stop else str(body["orderId"]),
        instrument=scales.number,
        side=Side[body["side"]],
        limit_price=scales.price_scale.count(body.get("price") or "0"),
        quantity=scales.quantity_scale.count(body["quantity"] if is_stop else body["origQty"]),
        filled=0 if is_stop else scales.quantity_scale.count(body["executedQty"]),
    )


def _balance(asset: str, free: Decimal, locked: Decimal) -> Iterator[Balance]:
    if free or locked:
        yield Balance(asset=asset, free=free, locked=locked)
