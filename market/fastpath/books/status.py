"""Where the books of an engine stand, for a host that loads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from market.fastpath import state


class BookState(IntEnum):
    """How far a book is; only a live one makes events."""

    UNLOADED = state.UNLOADED
    LOADING = state.LOADING
    LIVE = state.LIVE


@dataclass(frozen=True, slots=True)
class BookStatus:
    """One enabled book row with memory for orders.

    Parameters
    ----------
    book, line, instrument: numbers of the rows. wire_instrument: the venue's number.
    passed: of a loading book, the least number that BookReady may name.
    expected: the line's next number, None before its first packet; BookReady must name a lower one.
    """

    book: int
    line: int
    instrument: int
    wire_instrument: int
    state: BookState
    passed: int
    expected: int | None


def book_statuses(words: NDArray[np.int64]) -> Iterator[BookStatus]:
    """The books of an engine's state in the order of their rows."""
    lines = int(words[state.LINE_ROWS]) // state.WORD
    rows = int(words[state.BOOK_ROWS]) // state.WORD
    for book in range(min(int(words[state.ORDER_BOOKS]), int(words[state.BOOKS_IN_USE]))):
        row = [int(word) for word in words[rows + book * state.BOOK_WORDS :][: state.BOOK_WORDS]]
        line = [int(word) for word in words[lines + row[state.BOOK_LINE] * state.LINE_WORDS :][: state.LINE_WORDS]]
        if row[state.BOOK_ENABLED]:
            yield BookStatus(
                book=book,
                line=row[state.BOOK_LINE],
                instrument=row[state.BOOK_INSTRUMENT],
                wire_instrument=row[state.BOOK_WIRE],
                state=BookState(row[state.BOOK_STATE]),
                passed=row[state.BOOK_PASSED],
                expected=line[state.LINE_EXPECTED] if line[state.LINE_KNOWN] else None,
            )
