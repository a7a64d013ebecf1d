"""Loads, stores and bit operations for kernels, on raw addresses.

An address is an int64. Nothing here checks bounds, and an address does not keep its array alive:
take it inside the entry, from an array argument, with ``address_of``. All values are int64; narrower
loads are widened. Loads and stores are unaligned and little-endian.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_I64 = ir.IntType(64)


def _load(bits: int, signed: bool, scale: int) -> Callable[[int, int], int]:
    def load(typingctx: Any, base: Any, offset: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            base_value, offset_value = arguments
            position = builder.mul(offset_value, ir.Constant(_I64, scale)) if scale != 1 else offset_value
            pointer = builder.inttoptr(builder.add(base_value, position), ir.IntType(bits).as_pointer())
            value = builder.load(pointer, align=8 if scale == 8 else 1)
            if bits == 64:
                return value
            return builder.sext(value, _I64) if signed else builder.zext(value, _I64)

        return types.int64(types.int64, types.int64), generate

    return cast("Callable[[int, int], int]", intrinsic(load))


def _store(bits: int, scale: int) -> Callable[[int, int, int], None]:
    def store(typingctx: Any, base: Any, offset: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            base_value, offset_value, stored = arguments
            position = builder.mul(offset_value, ir.Constant(_I64, scale)) if scale != 1 else offset_value
            pointer = builder.inttoptr(builder.add(base_value, position), ir.IntType(bits).as_pointer())
            if bits != 64:
                stored = builder.trunc(stored, ir.IntType(bits))
            builder.store(stored, pointer, align=8 if scale == 8 else 1)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, types.int64), generate

    return cast("Callable[[int, int, int], None]", intrinsic(store))


get = _load(64, True, 8)
"""``get(base, slot)``: the int64 at ``base + 8 * slot``; base must be 8-byte aligned."""
put = _store(64, 8)
"""``put(base, slot, value)``: store an int64 at ``base + 8 * slot``; base must be 8-byte aligned."""

load_u8 = _load(8, False, 1)
load_i8 = _load(8, True, 1)
load_u16 = _load(16, False, 1)
load_i16 = _load(16, True, 1)
load_u32 = _load(32, False, 1)
load_i32 = _load(32, True, 1)
load_i64 = _load(64, True, 1)
store_8 = _store(8, 1)
store_16 = _store(16, 1)
store_32 = _store(32, 1)
store_64 = _store(64, 1)


def _address_of(typingctx: Any, buffer: Any) -> Any:
    if not isinstance(buffer, types.Buffer):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.ptrtoint(view.data, _I64)

    return types.int64(buffer), generate


def _trailing_zeros(typingctx: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], cgutils.true_bit)

    return types.int64(types.int64), generate


def _leading_zeros(typingctx: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctlz(arguments[0], cgutils.true_bit)

    return types.int64(types.int64), generate


def _shift_right_logical(typingctx: Any, word: Any, count: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.lshr(arguments[0], arguments[1])

    return types.int64(types.int64, types.int64), generate


def _byte_swap(typingctx: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bswap(arguments[0])

    return types.int64(types.int64), generate


def _cycle_counter(typingctx: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        counter = cgutils.get_or_insert_function(builder.module, ir.FunctionType(_I64, []), "llvm.readcyclecounter")
        return builder.call(counter, [])

    return types.int64(), generate


address_of = cast("Callable[[Any], int]", intrinsic(_address_of))
"""``address_of(buffer)``: address of the first byte of a contiguous array or a bytes object."""
trailing_zeros = cast("Callable[[int], int]", intrinsic(_trailing_zeros))
"""``trailing_zeros(word)``: number of zero bits below the lowest set bit; the word must not be 0."""
leading_zeros = cast("Callable[[int], int]", intrinsic(_leading_zeros))
"""``leading_zeros(word)``: number of zero bits above the highest set bit; the word must not be 0."""
shift_right_logical = cast("Callable[[int, int], int]", intrinsic(_shift_right_logical))
"""``shift_right_logical(word, count)``: shift right filling with zeros (``>>`` copies the sign bit)."""
byte_swap = cast("Callable[[int], int]", intrinsic(_byte_swap))
"""``byte_swap(word)``: the word's eight bytes in reverse order."""
cycle_counter = cast("Callable[[], int]", intrinsic(_cycle_counter))
"""``cycle_counter()``: the processor's time-stamp counter; for measuring our own work, never for a decision."""
