"""Loads and stores of float64 in 8-byte slots, beside the integers of ``memory``: state of both kinds in one array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_I64 = ir.IntType(64)
_DOUBLE = ir.DoubleType()


def _pointer(builder: Any, base: Any, slot: Any) -> Any:
    position = builder.add(base, builder.mul(slot, ir.Constant(_I64, 8)))
    return builder.inttoptr(position, _DOUBLE.as_pointer())


def _load(typingctx: Any, base: Any, slot: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_pointer(builder, *arguments), align=8)

    return types.float64(types.int64, types.int64), generate


def _store(typingctx: Any, base: Any, slot: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[2], _pointer(builder, arguments[0], arguments[1]), align=8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.float64), generate


get_float = cast("Callable[[int, int], float]", intrinsic(_load))
"""``get_float(base, slot)``: the float64 at ``base + 8 * slot``; base must be 8-byte aligned."""
put_float = cast("Callable[[int, int, float], None]", intrinsic(_store))
"""``put_float(base, slot, value)``: store a float64 at ``base + 8 * slot``; base must be 8-byte aligned."""
