"""Places of a book's window by their numbers, and what is known of an order at one of them."""

from __future__ import annotations

from amaranth.hdl import Shape, Value, unsigned
from amaranth.lib import data

from hdl.books.records import BookSide
from hdl.parameters import CoreParameters


def index_shape(parameters: CoreParameters) -> Shape:
    """Number of a price in the window, from its base on."""
    return unsigned(parameters.capacity.book_ticks.bit_length() - 1)


def book_shape(parameters: CoreParameters) -> Shape:
    """Number of a book that has memory for orders; without bits if there is one only."""
    return unsigned((parameters.capacity.order_books - 1).bit_length())


def held_layout(parameters: CoreParameters) -> data.StructLayout:
    """An order that is kept: its side (bid or ask of ``BookSide``), the number of its price, and its quantity."""
    return data.StructLayout(
        {
            "side": unsigned(1),
            "index": index_shape(parameters),
            "quantity": unsigned(parameters.price_bits),
        }
    )


def position_of(side: Value, index: Value) -> Value:
    """The place of a price among those of its side, the best first; also the index of such a place."""
    return index ^ (side == BookSide.BID).replicate(len(index))
