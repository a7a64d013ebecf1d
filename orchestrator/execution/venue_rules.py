"""The venue's own rules of a market, laid over a listing of the settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from market.errors import Fatal, Rejected
from market.fixed_point import Scale
from market.instruments import Listing

_TRADING: Final = "TRADING"


def with_rules(listings: Iterable[Listing], exchange_information: Mapping[str, Any]) -> list[Listing]:
    """Listings with assets, smallest and largest quantity and smallest notional of ``exchangeInfo``.

    The venue's lot replaces a finer one: books may show odd lots that no order may have. Raises Fatal for a symbol that
    the venue does not have or does not trade now, and where its steps do not fit the listing's: orders would be
    refused, or prices be coarser than need be.
    """
    symbols = {str(symbol["symbol"]): symbol for symbol in exchange_information["symbols"]}
    return [_with_rules(listing, symbols) for listing in listings]


def changed_rules(listing: Listing, exchange_information: Mapping[str, Any]) -> str:
    """How a venue trades a market otherwise than when the listing was made, and what follows; empty if it does not.

    Parameters
    ----------
    listing: of ``with_rules``.
    """
    symbols = {str(symbol["symbol"]): symbol for symbol in exchange_information["symbols"]}
    symbol = symbols.get(listing.symbol)
    status = "unknown" if symbol is None else str(symbol["status"])
    if status != _TRADING:
        return f"{listing} is {status} at the venue: no orders until it is {_TRADING} again"
    try:
        differs = ", ".join(_differences(listing, _with_rules(listing, symbols)))
    except (Fatal, Rejected) as refusal:
        differs = str(refusal)
    return f"{listing} has new rules ({differs}): no orders until the run is started again" if differs else ""


def _differences(before: Listing, now: Listing) -> Iterator[str]:
    quantity, money = before.instrument.quantity_scale, Scale(before.instrument.notional_exponent)
    for name, scale in (
        ("lot", quantity),
        ("minimum_quantity", quantity),
        ("maximum_quantity", quantity),
        ("minimum_notional", money),
    ):
        old, new = getattr(before, name), getattr(now, name)
        if old != new:
            yield f"{name} {scale.text(old)} -> {scale.text(new)}"


def _with_rules(listing: Listing, symbols: Mapping[str, Mapping[str, Any]]) -> Listing:
    symbol = symbols.get(listing.symbol)
    if symbol is None or symbol["status"] != _TRADING:
        state = "unknown" if symbol is None else symbol["status"]
        raise Fatal(f"{listing}: the venue says {state}; expected a symbol that is TRADING")
    filters = {str(one["filterType"]): one for one in symbol["filters"]}
    price, quantity = listing.instrument.price_scale, listing.instrument.quantity_scale
    _check_step(listing, "tick", listing.tick, price, filters["PRICE_FILTER"]["tickSize"])
    lot = quantity.count(filters["LOT_SIZE"]["stepSize"])
    _check_step(listing, "lot", listing.lot if lot % listing.lot else lot, quantity, filters["LOT_SIZE"]["stepSize"])
    worth = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL") or {}
    least = str(worth.get("minNotional") or worth.get("notional") or "0")
    return replace(
        listing,
        lot=lot,
        minimum_quantity=max(quantity.count(filters["LOT_SIZE"]["minQty"]), 1),
        maximum_quantity=quantity.count(filters["LOT_SIZE"]["maxQty"]),
        minimum_notional=Scale(listing.instrument.notional_exponent).count(least),
        base_asset=symbol["baseAsset"],
        quote_asset=symbol["quoteAsset"],
    )


def _check_step(listing: Listing, name: str, ours: int, scale: Scale, theirs: str) -> None:
    if ours != scale.count(theirs):
        raise Fatal(f"{listing}: {name} was {scale.text(ours)}; expected {theirs}, as the venue says")
