"""BASIS: how rich a venue is against another one, from both sides of the pair, and the mean that follows it."""

from __future__ import annotations

import random

import pytest

from hdl.decision.basis import Basis
from hdl.parameters import CoreParameters
from market.fastpath.specification import BASIS_FRACTION_BITS, SAMPLES_LIMIT, EngineSizes
from tests.hdl.decision.ports import Ports, as_signed, run_event, run_preparation, simulate

PARAMETERS = CoreParameters(EngineSizes(venues=2, instruments=1))
TOP = PARAMETERS.capacity.top
VALUE_LIMIT = (TOP + 1) << BASIS_FRACTION_BITS + 1
LATEST = (1 << 62) - 1


def some_case(rng: random.Random) -> dict[str, int]:
    prices = {name: rng.choice((1, TOP, rng.randrange(1, TOP))) for name in ("bid", "ask", "own_bid", "own_ask")}
    value = rng.choice((0, -1, VALUE_LIMIT - 1, 1 - VALUE_LIMIT, rng.randrange(-VALUE_LIMIT, VALUE_LIMIT)))
    time = rng.choice((0, LATEST, rng.randrange(LATEST)))
    return prices | {
        "stored__value": value,
        "stored__samples": rng.choice((0, 1, 7, SAMPLES_LIMIT - 1, SAMPLES_LIMIT)),
        "stored__sample_time": rng.choice((0, time, LATEST, max(0, time - rng.randrange(2_000)))),
        "time": time,
        "interval": rng.choice((0, 1_000, (1 << 56) - 1)),
        "shift": rng.randrange(17),
        "warm_up": rng.choice((0, 1, 7, SAMPLES_LIMIT)),
    }


def new_basis(case: dict[str, int], difference: int) -> tuple[int, int, int]:
    """Value, samples and time of a sample (FASTPATH, 9)."""
    value, samples = case["stored__value"], case["stored__samples"]
    target = difference << BASIS_FRACTION_BITS
    return (
        value + (target - value >> case["shift"]) if samples else target,
        min(samples + 1, SAMPLES_LIMIT),
        case["time"],
    )


@pytest.mark.parametrize("venue", [0, 1], ids=("first of the pair", "second of the pair"))
def test_basis_against_the_other_venue(venue: int) -> None:
    rng = random.Random(venue)

    async def test(ports: Ports) -> None:
        for _ in range(80):
            case = some_case(rng)
            own_mid, mid = case["own_bid"] + case["own_ask"], case["bid"] + case["ask"]
            difference = own_mid - mid if venue == 0 else mid - own_mid
            deviation = difference - (case["stored__value"] >> BASIS_FRACTION_BITS)
            richness = deviation if venue == 0 else -deviation
            threshold = max(1, min(4 * TOP, abs(deviation) + rng.choice((-1, 0, 1))))
            for name, value in (case | {"first": int(venue == 0), "threshold": threshold, "own_mid": own_mid}).items():
                ports.set(name, value)
            await run_preparation(ports)
            await run_event(ports)
            old = case["time"] - case["stored__sample_time"] >= case["interval"]
            assert ports.get("warm") == (case["stored__samples"] >= max(1, case["warm_up"]))
            assert ports.get("due") == (case["stored__samples"] == 0 or old)
            assert ports.get("rich") == (richness >= threshold)
            assert ports.get("cheap") == (-richness >= threshold)
            assert as_signed(ports.get("base"), PARAMETERS.price_bits + 5) == own_mid - richness
            seen = [ports.get(f"sampled__{name}") for name in ("value", "samples", "sample_time")]
            seen[0] = as_signed(seen[0], PARAMETERS.price_bits + 2 + BASIS_FRACTION_BITS)
            assert tuple(seen) == new_basis(case, difference)

    simulate(Basis(PARAMETERS), test)
