"""ARB's limits: the edge against one other venue, exact to the last unit, fees rounded up."""

from __future__ import annotations

import random

import pytest

from hdl.decision.arbitrage import Arbitrage
from hdl.parameters import CoreParameters
from market.fastpath.reference.integers import cost
from market.fastpath.specification import FEE_LIMIT, EngineSizes
from tests.hdl.decision.ports import Ports, as_signed, run_preparation, simulate

LARGEST_FEE = FEE_LIMIT - 1


def some_price(rng: random.Random, top: int) -> int:
    return rng.choice((1, top, top - 1, rng.randrange(1, top), rng.randrange(1, 1 << rng.randrange(2, 17)) % top + 1))


@pytest.mark.parametrize("price_bits", [10, 17, 24, 48])
def test_the_limits_are_where_the_edge_is_the_minimum(price_bits: int) -> None:
    parameters = CoreParameters(EngineSizes(venues=2, instruments=1, price_bits=price_bits))
    top, rng = parameters.capacity.top, random.Random(price_bits)

    async def test(ports: Ports) -> None:
        for _ in range(60):
            bid, ask, own_bid, own_ask = (some_price(rng, top) for _ in range(4))
            fees = [rng.choice((0, 1, -1, LARGEST_FEE, -LARGEST_FEE, rng.randrange(-2_000, 2_000))) for _ in range(2)]
            sell_edge = own_bid - ask - cost(ask, sum(fees))
            buy_edge = bid - own_ask - cost(bid, sum(fees))
            nearest = rng.choice((sell_edge, buy_edge)) + rng.choice((-1, 0, 1))
            minimum = max(1 - 4 * (top + 1), min(4 * (top + 1) - 1, nearest))
            values = {"own_fee": fees[0], "fee": fees[1], "bid": bid, "ask": ask, "minimum_edge": minimum}
            for name, value in values.items():
                ports.set(name, value)
            await run_preparation(ports)
            assert as_signed(ports.get("sell_limit"), price_bits + 4) == own_bid - sell_edge + minimum
            assert as_signed(ports.get("buy_limit"), price_bits + 4) == own_ask + buy_edge - minimum

    simulate(Arbitrage(parameters), test)
