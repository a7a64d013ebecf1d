"""Selection by one bit per choice, in logic two levels less deep than by a number."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any

from amaranth.hdl import Mux, Value


def one_of(picks: Value, values: Iterable[Any]) -> Value:
    """The value whose bit of ``picks`` is set, 0 without one; at most one bit is set."""
    return reduce(or_, (Mux(pick, value, 0) for pick, value in zip(picks, values, strict=True)))
