"""The cores that tests build: the usual one, and one for the largest sizes of corpus and random runs."""

from __future__ import annotations

from dataclasses import fields
from functools import cache

from market.fastpath.conformance.runner import EngineFactory
from market.fastpath.specification import DEFAULT_SIZES, EngineSizes
from sim.rtl.engine import CoreBuild, SoftFpga, build_core
from sim.rtl.lines import Line

LARGEST = EngineSizes(venues=6, instruments=16, order_books=6, book_ticks=4_096)


@cache
def core(bus_bytes: int, sizes: EngineSizes = DEFAULT_SIZES, *, paced: bool = False) -> CoreBuild:
    """A built core; compiled when first asked for, by whatever process."""
    return build_core(sizes, bus_bytes=bus_bytes, paced=paced)


def soft_fpgas(line: Line, capacity: EngineSizes = DEFAULT_SIZES) -> EngineFactory:
    """Makes engines of any sizes that the core takes, each with its event log."""
    build = core(line.bus_bytes, capacity, paced=line.is_paced)
    return lambda sizes: SoftFpga(build, sizes, event_log=True, line=line)


def fits(sizes: EngineSizes, capacity: EngineSizes = DEFAULT_SIZES) -> bool:
    """Whether a core of that capacity takes the sizes."""
    return all(getattr(sizes, field.name) <= getattr(capacity, field.name) for field in fields(EngineSizes))
