"""BASIS: how rich a venue is against another one, from both sides of the pair, and the mean that follows it."""

from __future__ import annotations

import random

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.basis import Basis
from hdl.decision.samples import BasisSample
from hdl.decision.schedule import Sampling, Schedule, follow
from hdl.decision.shapes import assign, basis_fields
from hdl.parameters import CoreParameters
from market.fastpath.specification import BASIS_FRACTION_BITS, SAMPLES_LIMIT, EngineSizes
from tests.hdl.decision.ports import Ports, as_signed, run_preparation, simulate

PARAMETERS = CoreParameters(EngineSizes(venues=2, instruments=1))
TOP = PARAMETERS.capacity.top
LIMIT_BITS = PARAMETERS.price_bits + 5
VALUE_LIMIT = (TOP + 1) << BASIS_FRACTION_BITS + 1
LATEST = (1 << 62) - 1


class BasisTop(wiring.Component):
    """A basis and its sample, as in the pipeline of the other venues."""

    def __init__(self) -> None:
        self._basis, self._sample = Basis(PARAMETERS), BasisSample(PARAMETERS)
        stored = basis_fields(PARAMETERS)
        outer = dict(self._basis.signature.members)
        for name in ("mid", "is_first", "value", "samples"):
            del outer[name]
        sample = {"shift": In(5), "own_mid": In(PARAMETERS.price_bits + 1)}
        sample |= {"new_value": Out(stored["value"]), "new_samples": Out(stored["samples"])}
        super().__init__({**outer, **sample, "at": In(Schedule())})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.basis, m.submodules.sample = self._basis, self._sample
        basis, sample = self._basis, self._sample
        follow(m, self.at, basis, sample)
        given = ("first", "time", "bid", "ask", "sampled", "threshold", "warm_up", "interval", "comparable")
        m.d.comb += [
            *assign(basis, self, given),
            *assign(basis.stored, self.stored, basis_fields(PARAMETERS)),
            *assign(self, basis, ("warm", "due", "rich_limit", "cheap_limit")),
            sample.prepared.eq(self.at.preparation[0]),
            *assign(sample, self, ("shift", "own_mid")),
            *assign(sample, basis, ("mid", "value", "samples")),
            sample.first.eq(basis.is_first),
            *assign(self, sample, ("new_value", "new_samples")),
        ]
        return m


def some_case(rng: random.Random) -> dict[str, int]:
    prices = {name: rng.choice((1, TOP, rng.randrange(1, TOP))) for name in ("bid", "ask", "own_bid", "own_ask")}
    value = rng.choice((0, -1, VALUE_LIMIT - 1, 1 - VALUE_LIMIT, rng.randrange(-VALUE_LIMIT, VALUE_LIMIT)))
    time = rng.choice((0, LATEST, rng.randrange(LATEST)))
    return prices | {
        "stored__value": value,
        "stored__samples": rng.choice((0, 1, 7, SAMPLES_LIMIT - 1, SAMPLES_LIMIT)),
        "stored__sample_time": rng.choice((0, time, LATEST, max(0, time - rng.randrange(2_000)))),
        "sampled": rng.randrange(8) > 0,
        "comparable": rng.randrange(8) > 0,
        "time": time,
        "interval": rng.choice((0, 1_000, (1 << 56) - 1)),
        "shift": rng.randrange(17),
        "warm_up": rng.choice((0, 1, 7, SAMPLES_LIMIT)),
    }


def new_basis(case: dict[str, int], samples: int, difference: int) -> tuple[int, int]:
    """Value and samples after a sample (FASTPATH, 9)."""
    value = case["stored__value"]
    target = difference << BASIS_FRACTION_BITS
    return value + (target - value >> case["shift"]) if samples else target, min(samples + 1, SAMPLES_LIMIT)


@pytest.mark.parametrize("venue", [0, 1], ids=("first of the pair", "second of the pair"))
def test_basis_against_the_other_venue(venue: int) -> None:
    rng = random.Random(venue)

    async def test(ports: Ports) -> None:
        for _ in range(100):
            case = some_case(rng)
            own_mid, mid = case.pop("own_bid") + case.pop("own_ask"), case["bid"] + case["ask"]
            difference = own_mid - mid if venue == 0 else mid - own_mid
            deviation = difference - (case["stored__value"] >> BASIS_FRACTION_BITS)
            richness = deviation if venue == 0 else -deviation
            threshold = max(1, min(4 * TOP, abs(deviation) + rng.choice((-1, 0, 1))))
            for name, value in (case | {"first": int(venue == 0), "threshold": threshold, "own_mid": own_mid}).items():
                ports.set(name, value)
            await run_preparation(ports)
            samples = case["stored__samples"] if case["sampled"] else 0
            old = case["time"] - case["stored__sample_time"] >= case["interval"]
            assert ports.get("warm") == (samples >= max(1, case["warm_up"]))
            assert ports.get("due") == bool(case["comparable"] and (samples == 0 or old))
            assert as_signed(ports.get("rich_limit"), LIMIT_BITS) == own_mid - richness + threshold
            assert as_signed(ports.get("cheap_limit"), LIMIT_BITS) == own_mid - richness - threshold
            for step in range(Sampling.VALUE):
                ports.set(f"at__event__{step}", 1)
                await ports.tick()
                ports.set(f"at__event__{step}", 0)
            value = as_signed(ports.get("new_value"), PARAMETERS.price_bits + 2 + BASIS_FRACTION_BITS)
            assert (value, ports.get("new_samples")) == new_basis(case, samples, difference)

    simulate(BasisTop(), test)
