"""IMBALANCE without a division: the same as with one, for every quantity, cut ones included."""

from __future__ import annotations

import random

import pytest

from hdl.decision.edge_bits import BUY, SELL
from hdl.decision.imbalance import Imbalance
from hdl.parameters import CoreParameters
from hdl.records import quote_layout
from market.fastpath.reference.integers import imbalance
from market.fastpath.specification import EngineSizes
from tests.hdl.decision.machine import packed
from tests.hdl.decision.ports import Ports, as_signed, run_event, run_preparation, simulate

PARAMETERS = CoreParameters(EngineSizes(venues=2, instruments=1))
COMPACT = CoreParameters(PARAMETERS.capacity, bus_bytes=8, paced=True, compact=True)
TOP = PARAMETERS.capacity.top


def some_quantity(rng: random.Random) -> int:
    return rng.choice((1, TOP, TOP + 1, (1 << 63) - 1, rng.randrange(1, TOP), rng.randrange(1, 1 << 20)))


def near(rng: random.Random, quantity: int, threshold: int) -> int:
    """A quantity whose imbalance against another one is close to the threshold."""
    other = quantity * (32_768 - threshold) // (32_768 + threshold)
    return max(1, other + rng.choice((-1, 0, 1)))


@pytest.mark.parametrize("parameters", [PARAMETERS, COMPACT], ids=["usual", "compact"])
def test_conditions_are_those_of_the_quotient(parameters: CoreParameters) -> None:
    rng = random.Random(5)

    async def test(ports: Ports) -> None:
        for name, value in (("enabled", 1), ("admitted", 1), ("bid_shown", 1), ("ask_shown", 1)):
            ports.set(name, value)
        for _ in range(150):
            threshold = rng.choice((1, 16_384, 32_767, rng.randrange(1, 32_768)))
            bid = some_quantity(rng)
            ask = near(rng, min(bid, TOP), threshold) if rng.random() < 0.6 else some_quantity(rng)
            if rng.random() < 0.5:
                bid, ask = ask, bid
            top = rng.choice((TOP, TOP // 1_000))
            low, spread, widest = rng.randrange(1, 1_000), rng.randrange(1, 4), rng.randrange(4)
            fields = dict.fromkeys(quote_layout.members, 0) | {"bid_quantity": bid, "ask_quantity": ask}
            ports.set("quote", packed(quote_layout, fields))
            settings = {"threshold": threshold, "top": top, "bid_cut": bid > top, "ask_cut": ask > top}
            settings |= {"bid": low, "ask": low + spread, "maximum_spread": widest}
            for name, value in settings.items():
                ports.set(name, int(value))
            await run_preparation(ports)
            await run_event(ports)
            shown_bid, shown_ask = min(bid, top), min(ask, top)
            value, tight = imbalance(shown_bid, shown_ask), spread <= widest
            expected = (tight and value >= threshold) << BUY | (tight and -value >= threshold) << SELL
            assert ports.get("conditions") == expected
            assert ports.get("total") == shown_bid + shown_ask
            assert as_signed(ports.get("difference"), PARAMETERS.price_bits + 1) == shown_bid - shown_ask

    simulate(Imbalance(parameters), test)
