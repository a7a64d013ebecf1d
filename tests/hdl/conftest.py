"""What all tests of the hardware share: Python's cycle collector runs seldom while they describe and simulate it."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

ALLOCATIONS = 50_000
"""From one collection of young objects to the next; a description makes millions of objects and drops few."""


@pytest.fixture(scope="package", autouse=True)
def _seldom_collected() -> Iterator[None]:
    """Give the collector back as it was when these tests are over."""
    usual = gc.get_threshold()
    gc.set_threshold(ALLOCATIONS, *usual[1:])
    yield
    gc.set_threshold(*usual)
