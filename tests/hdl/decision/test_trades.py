"""Trades: as fast as they come, in order, through a reader that stops now and then."""

from __future__ import annotations

import random
from typing import Any

from hdl.decision.trades import TRADE_CYCLES, TradeCounter, trade_outcome_layout
from hdl.parameters import CoreParameters
from hdl.records import sizes_layout, sizes_values, trade_layout
from market.fastpath.specification import EngineSizes, Side
from market.fastpath.state import Counter
from tests.hdl.decision.machine import counted, fields_of, packed
from tests.hdl.decision.ports import Ports, simulate

PARAMETERS = CoreParameters(EngineSizes(venues=2, instruments=4))
TOP = PARAMETERS.capacity.top
ROW = {"known": 1, "price_exponent": -9, "quantity_exponent": -9, "price_shift": 0, "quantity_shift": 1}


def some_trade(rng: random.Random) -> dict[str, int]:
    return {
        "instrument": rng.randrange(6),
        "venue": rng.randrange(3),
        "price_exponent": rng.choice((-9, -9, -9, 4)),
        "quantity_exponent": -9,
        "aggressor": rng.choice(tuple(Side)),
        "price": rng.choice((1, TOP, TOP + 1, 0, -5, 100)),
        "quantity": rng.choice((1, TOP // 10, TOP // 10 + 1, 0, -1, 77)),
    }


def expected(trade: dict[str, int]) -> tuple[dict[Counter, int], dict[str, int] | None]:
    """Counters and volume of a trade (docs/fastpath.md, rules 7 and 10)."""
    if trade["instrument"] >= 4 or trade["venue"] >= 2:
        return {Counter.TRADE_EVENTS: 1, Counter.REJECT_UNKNOWN: 1}, None
    if trade["price_exponent"] != -9:
        return {Counter.TRADE_EVENTS: 1, Counter.REJECT_EXPONENT: 1}, None
    if not 1 <= trade["price"] <= TOP or trade["quantity"] < 1:
        return {Counter.TRADE_EVENTS: 1, Counter.REJECT_RANGE: 1}, None
    is_cut = trade["quantity"] > TOP // 10
    volume = {"instrument": trade["instrument"], "side": trade["aggressor"]}
    volume["quantity"] = min(trade["quantity"], TOP // 10) * 10
    return {Counter.TRADE_EVENTS: 1} | ({Counter.QUANTITY_CUT: 1} if is_cut else {}), volume


def outcome_of(ports: Ports) -> tuple[dict[Counter, int], dict[str, Any] | None]:
    fields = fields_of(trade_outcome_layout(PARAMETERS), ports.get("outcome__payload"))
    return counted(fields["counts"]), fields["volume"] if fields["has_volume"] else None


def set_up(ports: Ports) -> None:
    sizes = EngineSizes(venues=2, instruments=4, channels=1, price_bits=TOP.bit_length())
    ports.set("sizes", packed(sizes_layout(PARAMETERS), sizes_values(sizes)))
    for name, value in ROW.items():
        ports.set(f"scaling__row__{name}", value)


def test_every_trade_has_its_outcome_in_order() -> None:
    rng = random.Random(9)
    trades = [some_trade(rng) for _ in range(300)]

    async def test(ports: Ports) -> None:
        set_up(ports)
        waiting, answered = list(trades), 0
        while answered < len(trades):
            offered = bool(waiting) and rng.random() < 0.8
            ports.set("trade__valid", int(offered))
            if offered:
                ports.set("trade__payload", packed(trade_layout, waiting[0]))
            ports.set("outcome__ready", int(rng.random() < 0.7))
            if ports.get("outcome__valid") and ports.get("outcome__ready"):
                assert outcome_of(ports) == expected(trades[answered])
                answered += 1
            if offered and ports.get("trade__ready"):
                waiting.pop(0)
            await ports.tick()
        ports.set("trade__valid", 0)
        await ports.tick()
        assert ports.get("idle")

    simulate(TradeCounter(PARAMETERS), test)


def test_an_outcome_comes_four_cycles_after_its_trade() -> None:
    async def test(ports: Ports) -> None:
        set_up(ports)
        ports.set("trade__valid", 1)
        ports.set("trade__payload", packed(trade_layout, some_trade(random.Random(1))))
        await ports.tick()
        ports.set("trade__valid", 0)
        while not ports.get("outcome__valid"):
            await ports.tick()
        assert ports.cycle == TRADE_CYCLES

    simulate(TradeCounter(PARAMETERS), test)
