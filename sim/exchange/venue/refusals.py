"""What a venue refuses, with Binance's codes and texts.

Spot and futures write some refusals differently; each function takes the market kind where that is so.
"""

from __future__ import annotations

from market.errors import Rejected
from sim.exchange.venue.kinds import MarketKind


class VenueRefusal(Rejected):
    """A request was refused and changed nothing.

    Attributes
    ----------
    code: Binance's error code, negative. message: its text.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def filter_failure(name: str) -> VenueRefusal:
    """A symbol's filter refused an order, on spot."""
    return VenueRefusal(-1013, f"Filter failure: {name}")


def unknown_symbol() -> VenueRefusal:
    """No such symbol."""
    return VenueRefusal(-1121, "Invalid symbol.")


def too_precise() -> VenueRefusal:
    """A number has more digits than the symbol takes."""
    return VenueRefusal(-1111, "Precision is over the maximum defined for this asset.")


def insufficient_balance(kind: MarketKind) -> VenueRefusal:
    """The account cannot pay for the order."""
    if kind is MarketKind.SPOT:
        return VenueRefusal(-2010, "Account has insufficient balance for requested action.")
    return VenueRefusal(-2019, "Margin is insufficient.")


def would_match(kind: MarketKind) -> VenueRefusal:
    """A post-only order would trade at once."""
    if kind is MarketKind.SPOT:
        return VenueRefusal(-2010, "Order would immediately match and take.")
    return VenueRefusal(-5022, "Due to the order could not be executed as maker, the Post Only order will be rejected.")


def would_trigger(kind: MarketKind) -> VenueRefusal:
    """A stop order's price has been reached already."""
    if kind is MarketKind.SPOT:
        return VenueRefusal(-2010, "Stop price would trigger immediately.")
    return VenueRefusal(-2021, "Order would immediately trigger.")


def duplicate_order(kind: MarketKind) -> VenueRefusal:
    """A working order has the same client order id."""
    if kind is MarketKind.SPOT:
        return VenueRefusal(-2010, "Duplicate order sent.")
    return VenueRefusal(-4116, "ClientOrderId is duplicated.")


def no_such_order() -> VenueRefusal:
    """A question about an order that the account does not have."""
    return VenueRefusal(-2013, "Order does not exist.")


def cancel_unknown() -> VenueRefusal:
    """A cancellation of an order that does not work."""
    return VenueRefusal(-2011, "Unknown order sent.")


def reduce_only_refused() -> VenueRefusal:
    """A reduce-only order would not reduce a position."""
    return VenueRefusal(-2022, "ReduceOnly Order is rejected.")


def too_many_orders(kind: MarketKind, stops: bool) -> VenueRefusal:
    """The account has as many working orders of the symbol as it may."""
    if kind is MarketKind.SPOT:
        return filter_failure("MAX_NUM_ALGO_ORDERS" if stops else "MAX_NUM_ORDERS")
    if stops:
        return VenueRefusal(-4045, "Reach max stop order limit.")
    return VenueRefusal(-2025, "Reach max open order limit.")


def unknown_account(account: str) -> VenueRefusal:
    """No such account; the server refuses its key before."""
    return VenueRefusal(-2015, f"Invalid API-key, IP, or permissions for action: no account {account!r}.")


def unsupported(what: str) -> VenueRefusal:
    """A combination of parameters that the venue does not take."""
    return VenueRefusal(-1014, f"Unsupported order combination: {what}.")


def no_need_to_amend(kind: MarketKind) -> VenueRefusal:
    """An amendment that asks for what is already so."""
    if kind is MarketKind.SPOT:
        return VenueRefusal(-2038, "Order amend (quantity/price) is rejected: nothing would change.")
    return VenueRefusal(-5027, "No need to modify the order.")


def amends_below_executed(kind: MarketKind) -> VenueRefusal:
    """An amendment to a quantity that has traded already."""
    if kind is MarketKind.SPOT:
        return VenueRefusal(-2038, "Order amend (quantity/price) is rejected: so much has traded already.")
    return VenueRefusal(-4004, "Quantity less than min quantity.")
