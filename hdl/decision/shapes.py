"""What the decision machine stores, and how wide it is: FASTPATH's bounds as bundles of signals.

P is the build's price bits. A bundle is one signal per field, so that none is wider than 64 bits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from amaranth.hdl import Shape, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from hdl.parameters import CoreParameters
from hdl.records import DURATION_BITS, TIME_BITS
from market.fastpath.specification import BASIS_FRACTION_BITS

Fields = Mapping[str, Shape]

INSTANT_BITS: Final = TIME_BITS + 1
"""A time plus a duration."""
KINDS_BITS: Final = 3
LEAD_FIELD: Final = "leads_{}"


def bundle(fields: Fields) -> wiring.Signature:
    """A signature with one output per field."""
    return wiring.Signature({name: Out(shape) for name, shape in fields.items()})


def assign(target: Any, source: Any, names: Iterable[str]) -> list[Any]:
    """Assignments of the named fields from one bundle to another."""
    return [getattr(target, name).eq(getattr(source, name)) for name in names]


def price_shape(parameters: CoreParameters) -> Shape:
    """A scaled price or quantity: 0..2^P - 1."""
    return unsigned(parameters.price_bits)


def limit_shape(parameters: CoreParameters) -> Shape:
    """A price plus or minus its cost (below an eighth of it) and a minimum edge (below 2^(P+2))."""
    return signed(parameters.price_bits + 4)


def doubled_limit_shape(parameters: CoreParameters) -> Shape:
    """A doubled mid and a usual difference (below 2^(P+1)), plus or minus a threshold (below 2^(P+2))."""
    return signed(parameters.price_bits + 5)


def room_shape(parameters: CoreParameters) -> Shape:
    """Limit minus what is held and pending.

    Held and pending of one side together stay within 2^(P+1) either way: a position that is set adds at most
    2^(P+1) - 2, a trigger never leads above the limit, and a settlement never adds.
    """
    return signed(parameters.price_bits + 3)


def instrument_fields(parameters: CoreParameters) -> Fields:
    """An instrument row; ``leads_v`` has bit w where lead[v][w]."""
    bits = parameters.price_bits
    fields = {
        "enabled": unsigned(1),
        "kinds": unsigned(KINDS_BITS),
        "basis_shift": unsigned(5),
        "imbalance_threshold": unsigned(15),
        "minimum_edge": signed(bits + 3),
        "basis_threshold": unsigned(bits + 2),
        "basis_interval": unsigned(DURATION_BITS),
        "basis_warm_up": unsigned(16),
        "maximum_spread": unsigned(bits),
        "minimum_quantity": unsigned(bits),
        "maximum_quantity": unsigned(bits),
        "price_low": unsigned(bits),
        "price_high": unsigned(bits),
        "cooldown": unsigned(DURATION_BITS),
        "position_limit": unsigned(bits),
    }
    return fields | {LEAD_FIELD.format(venue): unsigned(parameters.venues) for venue in range(parameters.venues)}


VENUE_FIELDS: Final[Fields] = {
    "enabled": unsigned(1),
    "fee": signed(17),
    "maximum_age": unsigned(DURATION_BITS),
    "maximum_silence": unsigned(DURATION_BITS),
}
"""A venue row; a fee lies strictly between -2^16 and 2^16."""

SCALING_FIELDS: Final[Fields] = {
    "known": unsigned(1),
    "price_exponent": signed(8),
    "quantity_exponent": signed(8),
    "price_shift": unsigned(2),
    "quantity_shift": unsigned(2),
}
"""A scaling row; ``known`` where one was ever written."""


def quote_fields(parameters: CoreParameters) -> Fields:
    """A stored top of book, scaled, and the time of its event."""
    prices = ("bid", "bid_quantity", "ask", "ask_quantity")
    return {name: price_shape(parameters) for name in prices} | {"time": unsigned(TIME_BITS)}


def basis_fields(parameters: CoreParameters) -> Fields:
    """A pair's basis in 2^-12 of the doubled mid's unit, its samples and the time of the last one."""
    value = signed(parameters.price_bits + 2 + BASIS_FRACTION_BITS)
    return {"value": value, "samples": unsigned(16), "sample_time": unsigned(TIME_BITS)}


def holding_fields(parameters: CoreParameters) -> Fields:
    """Position and pending sizes of one (instrument, venue); the bounds are those of ``room_shape``."""
    bits = parameters.price_bits + 2
    return {"position": signed(bits), "pending_buy": unsigned(bits), "pending_sell": unsigned(bits)}
