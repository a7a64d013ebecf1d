"""Comparisons of wide numbers as the sign of a difference.

Synthesis keeps a difference on the carry chain; an operator of comparison it makes a tree of lookup tables, which is
twice as slow at these widths.
"""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Value


def at_least(value: Any, limit: Any) -> Value:
    """``value >= limit``."""
    return ~above(limit, value)


def at_most(value: Any, limit: Any) -> Value:
    """``value <= limit``."""
    return ~above(value, limit)


def above(value: Any, limit: Any) -> Value:
    """``value > limit``."""
    difference: Value = limit - value
    return difference[-1]
