"""The converter of doubles against exact fractions."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from hdl.books.doubles import DECIMALS_LIMIT, LATENCY, DoubleConverter
from market.fastpath.conformance.packet_builder import ABSENT, double
from market.fastpath.reference.deribit import ABOVE_ALL, mantissa
from tests.hdl.decision.ports import Ports, as_signed, simulate

SIGN = 1 << 63
INFINITE = double(math.inf)


def check(numbers: Iterable[tuple[int, int]]) -> None:
    """Convert (bits, decimals), each as soon as the one before is done."""

    async def test(ports: Ports) -> None:
        for bits, decimals in numbers:
            ports.set("bits", bits)
            ports.set("decimals", decimals)
            ports.set("start", 1)
            await ports.tick()
            ports.set("start", 0)
            ports.set("bits", 0)
            for _ in range(LATENCY - 1):
                if ports.get("done"):
                    break
                await ports.tick()
            assert ports.get("done")
            found = as_signed(ports.get("mantissa"), 64)
            assert min(found, ABOVE_ALL) == mantissa(bits, -decimals), (hex(bits), decimals)

    simulate(DoubleConverter(), test)


@pytest.mark.parametrize("decimals", [0, 4, DECIMALS_LIMIT])
def test_what_is_no_number(decimals: int) -> None:
    """Absent, zeros, negative numbers, infinities and NaN; the least numbers there are."""
    bits = (ABSENT, 0, SIGN, INFINITE, INFINITE | SIGN, INFINITE + 1, ABSENT - 1, double(-0.25), SIGN | 1, 1, 1 << 51)
    check((each, decimals) for each in bits)


@pytest.mark.parametrize("decimals", range(DECIMALS_LIMIT + 1))
def test_around_every_limit(decimals: int) -> None:
    """Halves, powers of two and of ten, the largest mantissa, and each number's neighbours."""
    values = [0.5, 1.0, 1.5, 2.5, 0.1, 100.05, 93_412.5, 2.0**52, 2.0**53, 2.0**59, 2.0**60, 2.0**61, 1e18, 1e300]
    values += [(n + 0.5) / 10**decimals for n in (0, 1, 2, 7, 1_234_567)] + [10.0 ** (18 - decimals), 1e-9, 5e-10]
    bits = [double(value) + step for value in values for step in (-1, 0, 1)]
    check((each, decimals) for each in bits)


def test_random_bits() -> None:
    rng = random.Random(5)
    wild = [rng.getrandbits(64) for _ in range(100)]
    near = [double(rng.uniform(0, 1) * 10 ** rng.uniform(-12, 20)) for _ in range(400)]
    check((bits, rng.randrange(DECIMALS_LIMIT + 1)) for bits in (*wild, *near))
