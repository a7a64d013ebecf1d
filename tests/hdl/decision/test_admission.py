"""Admission: the first check that fails, what is cut, and how mantissas are scaled."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from hdl.decision.admission import Admission
from hdl.parameters import CoreParameters
from hdl.records import MANTISSAS, quote_layout, sizes_layout, sizes_values
from market.fastpath.specification import EngineSizes, RejectReason
from tests.hdl.decision.machine import packed
from tests.hdl.decision.ports import Ports, run_event, run_preparation, simulate

PARAMETERS = CoreParameters(EngineSizes(venues=2, instruments=1))
COMPACT = CoreParameters(PARAMETERS.capacity, bus_bytes=8, paced=True, compact=True)
LOWEST, HIGHEST = -(1 << 63), (1 << 63) - 1
SIZES = EngineSizes(venues=2, instruments=1, channels=1)


def some_quotes(rng: random.Random, price_top: int, quantity_top: int) -> Iterator[dict[str, int]]:
    edges = (LOWEST, -1, 0, 1, price_top, price_top + 1, HIGHEST, 1 << 48, rng.randrange(1, price_top))
    quantities = (LOWEST, -1, 0, 1, quantity_top, quantity_top + 1, HIGHEST, rng.randrange(1, quantity_top))
    while True:
        good = sorted(rng.sample(range(1, price_top), 2))
        quote = {"price_exponent": -9, "quantity_exponent": -8, "sequence": rng.choice((5, 6, 7, LOWEST, HIGHEST))}
        quote |= {"bid_price": good[0], "ask_price": good[1], "bid_quantity": 1, "ask_quantity": quantity_top}
        for name in rng.sample(("bid_price", "ask_price"), rng.randrange(2)):
            quote[name] = rng.choice(edges)
        for name in rng.sample(("bid_quantity", "ask_quantity"), rng.randrange(3)):
            quote[name] = rng.choice(quantities)
        if rng.random() < 0.1:
            quote[rng.choice(("price_exponent", "quantity_exponent"))] = 8
        if rng.random() < 0.1:
            quote["ask_price"] = quote["bid_price"]
        yield quote


def narrow(quote: dict[str, int], bits: int) -> dict[str, int]:
    """A quote as a compact core is given it: mantissas in two bits more than a price, see ``narrowed``."""
    kept = {name: quote[name] for name in MANTISSAS}
    for name, number in kept.items():
        beyond = (number >> bits) & ((1 << 63 - bits) - 1) != 0
        kept[name] = number & ((1 << bits) - 1) | beyond << bits | (number < 0) << bits + 1
    return quote | kept


def first_reason(quote: dict[str, int], price_top: int, known: bool, last: int | None) -> RejectReason | None:
    prices, quantities = ([quote[f"{side}_{what}"] for side in ("bid", "ask")] for what in ("price", "quantity"))
    if not known:
        return RejectReason.UNKNOWN
    if last is not None and quote["sequence"] <= last:
        return RejectReason.OLD_SEQUENCE
    if (quote["price_exponent"], quote["quantity_exponent"]) != (-9, -8):
        return RejectReason.EXPONENT
    if 0 in quantities:
        return RejectReason.EMPTY
    if not all(1 <= price <= price_top for price in prices) or min(quantities) < 0:
        return RejectReason.RANGE
    return RejectReason.CROSSED if prices[1] <= prices[0] else None


@pytest.mark.parametrize("parameters", [PARAMETERS, COMPACT], ids=["usual", "compact"])
def test_the_first_failing_check_is_said_and_good_quotes_are_scaled(parameters: CoreParameters) -> None:
    rng = random.Random(3)

    async def one(ports: Ports) -> RejectReason | None:
        bits = rng.choice((48, 30, 10))
        top = (1 << bits) - 1
        shifts = rng.randrange(4 if bits > 10 else 2), rng.randrange(4 if bits > 10 else 2)
        price_top, quantity_top = (top // 10**shift for shift in shifts)
        quote = next(some_quotes(rng, price_top, quantity_top))
        known, last = rng.random() < 0.9, rng.choice((None, 5, 6, HIGHEST - 1))
        sizes = packed(sizes_layout(PARAMETERS), sizes_values(replace(SIZES, price_bits=bits)))
        scaling = {"known": known, "price_exponent": -9, "quantity_exponent": -8}
        scaling |= {"price_shift": shifts[0], "quantity_shift": shifts[1]}
        shown = quote if parameters is PARAMETERS else narrow(quote, parameters.price_bits)
        inputs = {"sizes": sizes, "quote": packed(quote_layout, shown), "in_build": 1}
        inputs |= {"sequence_known": last is not None, "sequence": last or 0}
        for name, value in (inputs | {f"scaling__{name}": value for name, value in scaling.items()}).items():
            ports.set(name, int(value))
        await run_preparation(ports)
        await run_event(ports)
        reason = first_reason(quote, price_top, known, last)
        assert ports.get("rejected") == (0 if reason is None else 1 << reason)
        assert ports.get("admitted") == (reason is None)
        assert ports.get("stored") == (reason not in (RejectReason.UNKNOWN, RejectReason.OLD_SEQUENCE))
        cut = [quote[f"{side}_quantity"] > quantity_top for side in ("bid", "ask")]
        counted = reason in (None, RejectReason.CROSSED)
        assert ports.get("cuts") == (cut[0] | cut[1] << 1 if counted else 0)
        if reason is None:
            for side, was_cut in zip(("bid", "ask"), cut, strict=True):
                assert ports.get(side) == quote[f"{side}_price"] * 10 ** shifts[0]
                value = ports.get("quantity_top_value") if was_cut else ports.get(f"{side}_uncut")
                assert value == min(quantity_top, quote[f"{side}_quantity"]) * 10 ** shifts[1]
        return reason

    async def test(ports: Ports) -> None:
        assert {await one(ports) for _ in range(400)} == {None, *RejectReason}

    simulate(Admission(parameters), test)
