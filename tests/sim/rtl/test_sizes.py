"""Sizes in use: which core takes them, and how they stand on its port."""

from __future__ import annotations

import pytest

from hdl.parameters import CoreParameters
from hdl.records import sizes_layout
from market.errors import Fatal
from market.fastpath.specification import DEFAULT_SIZES, EngineSizes
from sim.rtl.sizes import parameters_for, sizes_port


def test_small_sizes_take_the_usual_core() -> None:
    assert parameters_for(EngineSizes(venues=1, instruments=1, price_bits=16)) == CoreParameters(DEFAULT_SIZES, 8)


def test_larger_sizes_make_a_larger_core() -> None:
    capacity = parameters_for(EngineSizes(venues=6, instruments=2), bus_bytes=1).capacity
    assert capacity == EngineSizes(venues=6, instruments=DEFAULT_SIZES.instruments)


def test_the_port_holds_the_sizes_and_the_tops() -> None:
    parameters = CoreParameters(EngineSizes(price_bits=20))
    sizes = EngineSizes(venues=2, instruments=3, channels=5, price_bits=16)
    port = sizes_layout(parameters).from_bits(int.from_bytes(sizes_port(parameters, sizes), "little"))
    assert (port.venues, port.instruments, port.channels) == (2, 3, 5)
    assert [port[f"top{k}"] for k in range(4)] == [65_535, 6_553, 655, 65]


def test_sizes_above_the_capacity_are_refused() -> None:
    with pytest.raises(Fatal, match="5 venues; this core was built for at most 4"):
        sizes_port(CoreParameters(), EngineSizes(venues=5))
