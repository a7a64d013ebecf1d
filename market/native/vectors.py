"""Looking at 32 bytes at once: which of them are a certain byte, as a bit mask.

Written as vector operations of the compiler's intermediate code, which it turns into what the processor has.
As in ``memory``, nothing here checks bounds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

BLOCK: Final = 32
"""Bytes that are looked at."""
_BYTE = ir.IntType(8)
_VECTOR = ir.VectorType(_BYTE, BLOCK)
_QUOTE_MARK: Final = ord('"')
_BACKSLASH: Final = ord("\\")
_SPACE: Final = 32


def _load(builder: Any, address: Any) -> Any:
    return builder.load(builder.inttoptr(address, _VECTOR.as_pointer()), align=1)


def _every(value: int) -> Any:
    return ir.Constant(_VECTOR, [value] * BLOCK)


def _mask(builder: Any, found: Any) -> Any:
    return builder.zext(builder.bitcast(found, ir.IntType(BLOCK)), ir.IntType(64))


def _newlines(typingctx: Any, address: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        block = _load(builder, arguments[0])
        return _mask(builder, builder.icmp_unsigned("==", block, _every(ord("\n"))))

    return types.int64(types.int64), generate


def _string_stops(typingctx: Any, address: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        block = _load(builder, arguments[0])
        marks = builder.icmp_unsigned("==", block, _every(_QUOTE_MARK))
        escapes = builder.icmp_unsigned("==", block, _every(_BACKSLASH))
        controls = builder.icmp_unsigned("<", block, _every(_SPACE))
        return _mask(builder, builder.or_(builder.or_(marks, escapes), controls))

    return types.int64(types.int64), generate


def _value_stops(typingctx: Any, address: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        block = _load(builder, arguments[0])
        found = builder.icmp_unsigned("<=", block, _every(_SPACE))
        for mark in b',:"]}':
            found = builder.or_(found, builder.icmp_unsigned("==", block, _every(mark)))
        return _mask(builder, found)

    return types.int64(types.int64), generate


newlines = cast("Callable[[int], int]", intrinsic(_newlines))
"""``newlines(address)``: bit i is set where byte i of the block is a newline."""
string_stops = cast("Callable[[int], int]", intrinsic(_string_stops))
"""``string_stops(address)``: bit i is set where byte i is a quotation mark, a backslash or below 32."""
value_stops = cast("Callable[[int], int]", intrinsic(_value_stops))
"""``value_stops(address)``: bit i is set where byte i cannot belong to a JSON number, true, false or null."""
