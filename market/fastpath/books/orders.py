"""One order book: totals of a window of prices, bits that say which are in use, and a store of orders.

``memory`` is the address of a book's memory, ``row`` that of its row. A side is ``BID`` or ``ASK``; a level is
``side x ticks + index``, the price's place in the window. Every operation checks first and then changes, or
changes nothing.
"""

from __future__ import annotations

from typing import Final

from market.fastpath import state
from market.fastpath.parity import crc32
from market.fastpath.specification import SET_ORDERS
from market.native.kernel import inline, part
from market.native.memory import get, leading_zeros, load_i64, put, trailing_zeros

BID: Final = 0
ASK: Final = 1
EMPTY: Final = -1
"""Index of the best price of a side without orders."""
_NO_SIDE: Final = 2
"""Sides are below this number."""
_ORDER_BYTES: Final = state.ORDER_WORDS * state.WORD
_SET_BYTES: Final = SET_ORDERS * _ORDER_BYTES
_SECOND_TABLE_BITS: Final = 16


@inline
def is_side(side: int) -> bool:
    """Whether a number is a side of a book."""
    return 0 <= side < _NO_SIDE


@part
def clear_memory(engine: int, memory: int) -> None:
    """Forget all orders."""
    for word in range(get(engine, state.BOOK_STRIDE) // state.WORD):
        put(memory, word, 0)


@inline
def _sets_of(engine: int, memory: int, identifier: int) -> tuple[int, int]:
    """Addresses of the two sets that an order may be in; ``identifier`` is the address of its id's eight bytes."""
    sets = get(engine, state.ORDER_SETS)
    crc = crc32(engine + get(engine, state.CRC_TABLE), identifier, 8, 0)
    orders = memory + get(engine, state.BOOK_ORDERS)
    first = orders + (crc & (sets - 1)) * _SET_BYTES
    second = orders + (sets + (crc >> _SECOND_TABLE_BITS & (sets - 1))) * _SET_BYTES
    return first, second


@inline
def _find_in_set(entry: int, number: int) -> int:
    """The order's address, or 0."""
    for _ in range(SET_ORDERS):
        if get(entry, state.ORDER_LEVEL) != 0 and get(entry, state.ORDER_ID) == number:
            return entry
        entry += _ORDER_BYTES
    return 0


@part
def find_order(engine: int, memory: int, identifier: int) -> int:
    """Address of an order that is kept, or 0; ``identifier`` is the address of its id's eight bytes."""
    first, second = _sets_of(engine, memory, identifier)
    number = load_i64(identifier, 0)
    found = _find_in_set(first, number)
    return found if found != 0 else _find_in_set(second, number)


@inline
def _free_place(entry: int) -> tuple[int, int]:
    """How many orders a set holds, and the address of a free place in it, 0 if it has none."""
    used, free = 0, 0
    for _ in range(SET_ORDERS):
        if get(entry, state.ORDER_LEVEL) != 0:
            used += 1
        else:
            free = entry
        entry += _ORDER_BYTES
    return used, free


@part
def _place_for(engine: int, memory: int, identifier: int) -> int:
    """A free place for a new order, in the set with fewer; 0 if both are full."""
    first, second = _sets_of(engine, memory, identifier)
    first_used, first_free = _free_place(first)
    second_used, second_free = _free_place(second)
    return first_free if first_used <= second_used else second_free


@inline
def _bit_words(engine: int, memory: int, level: int) -> tuple[int, int, int]:
    """Address of the side's summary, of its word of bits, and the index in the side of a level."""
    ticks = get(engine, state.BOOK_TICKS)
    bits = memory + get(engine, state.BOOK_BITS)
    side = BID if level < ticks else ASK
    index = level - side * ticks
    words = bits + state.SUMMARY_WORDS * state.WORD + side * (ticks // state.BITS_PER_WORD) * state.WORD
    return bits + side * state.WORD, words + index // state.BITS_PER_WORD * state.WORD, index


@part
def _set_total(engine: int, memory: int, level: int, total: int) -> None:
    """Store a level's total, and whether it is in use."""
    put(memory, level, total)
    summary, word, index = _bit_words(engine, memory, level)
    bit = 1 << index % state.BITS_PER_WORD
    put(word, 0, get(word, 0) | bit if total != 0 else get(word, 0) & ~bit)
    summary_bit = 1 << index // state.BITS_PER_WORD
    put(summary, 0, get(summary, 0) | summary_bit if get(word, 0) != 0 else get(summary, 0) & ~summary_bit)


@part
def _drop(engine: int, memory: int, order: int) -> None:
    level = get(order, state.ORDER_LEVEL) - 1
    _set_total(engine, memory, level, get(memory, level) - get(order, state.ORDER_QUANTITY))
    put(order, state.ORDER_LEVEL, 0)


@inline
def _side_of(engine: int, order: int) -> int:
    return BID if get(order, state.ORDER_LEVEL) <= get(engine, state.BOOK_TICKS) else ASK


@part
def put_order(engine: int, row: int, memory: int, identifier: int, side: int, price: int, quantity: int) -> bool:
    """Add an order or state it anew; False if the book cannot take it (rule 75)."""
    if not 1 <= quantity <= get(engine, state.TOP):
        return False
    base, span = get(row, state.BOOK_BASE), get(row, state.BOOK_SPAN)
    below, above = price < base, price >= base + span
    if (side == BID and above) or (side == ASK and below):
        return False
    order = find_order(engine, memory, identifier)
    if order != 0 and _side_of(engine, order) != side:
        return False
    if below or above:
        if order != 0:
            _drop(engine, memory, order)
        return True
    index = (price - base) // get(row, state.BOOK_TICK)
    if index * get(row, state.BOOK_TICK) != price - base:
        return False
    level = side * get(engine, state.BOOK_TICKS) + index
    same = order != 0 and get(order, state.ORDER_LEVEL) == level + 1
    total = get(memory, level) + quantity - (get(order, state.ORDER_QUANTITY) if same else 0)
    if total > get(engine, state.TOP):
        return False
    if order == 0:
        order = _place_for(engine, memory, identifier)
        if order == 0:
            return False
        put(order, state.ORDER_ID, load_i64(identifier, 0))
    elif not same:
        _drop(engine, memory, order)
    put(order, state.ORDER_LEVEL, level + 1)
    put(order, state.ORDER_QUANTITY, quantity)
    _set_total(engine, memory, level, total)
    return True


@part
def reduce_order(engine: int, memory: int, identifier: int, side: int, quantity: int) -> bool:
    """Give an order a smaller or equal quantity; False if the book cannot take that."""
    if not 1 <= quantity <= get(engine, state.TOP):
        return False
    order = find_order(engine, memory, identifier)
    if order == 0:
        return True
    if _side_of(engine, order) != side or quantity > get(order, state.ORDER_QUANTITY):
        return False
    level = get(order, state.ORDER_LEVEL) - 1
    _set_total(engine, memory, level, get(memory, level) - get(order, state.ORDER_QUANTITY) + quantity)
    put(order, state.ORDER_QUANTITY, quantity)
    return True


@part
def delete_order(engine: int, memory: int, identifier: int, side: int) -> bool:
    """Drop an order; False if it is on the other side."""
    order = find_order(engine, memory, identifier)
    if order == 0:
        return True
    if _side_of(engine, order) != side:
        return False
    _drop(engine, memory, order)
    return True


@part
def best_index(engine: int, memory: int, side: int) -> int:
    """Place in the window of a side's best price, or ``EMPTY``."""
    bits = memory + get(engine, state.BOOK_BITS)
    summary = get(bits, side)
    if summary == 0:
        return EMPTY
    words = bits + (state.SUMMARY_WORDS + side * (get(engine, state.BOOK_TICKS) // state.BITS_PER_WORD)) * state.WORD
    word = trailing_zeros(summary) if side == ASK else state.BITS_PER_WORD - 1 - leading_zeros(summary)
    bit_word = get(words, word)
    bit = trailing_zeros(bit_word) if side == ASK else state.BITS_PER_WORD - 1 - leading_zeros(bit_word)
    return word * state.BITS_PER_WORD + bit


@part
def best(engine: int, row: int, memory: int, side: int) -> tuple[int, int]:
    """Price and total of a side's best level, zeros if it has none."""
    index = best_index(engine, memory, side)
    if index == EMPTY:
        return 0, 0
    price = get(row, state.BOOK_BASE) + index * get(row, state.BOOK_TICK)
    return price, get(memory, side * get(engine, state.BOOK_TICKS) + index)
