"""Sources side by side as the compiled loops read them: of each the batch in hand, its books and its routes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from market.book.book import BOOK_WORDS
from market.errors import Fatal
from market.pipeline import layout
from market.protocols import FeedSource
from market.wire import records
from market.wire.records import Batch, Rows, Words


class Sources:
    """The flat state of several sources, and the arrays that it points to.

    Parameters
    ----------
    sources: their routes' exponents must carry the ticks and lots of their markets; raises Fatal else.

    Members
    -------
    words: int64 rows of ``layout.SOURCE_WORDS``, one per source; finished until a batch is given.
    """

    def __init__(self, sources: Sequence[FeedSource]) -> None:
        self.words: Words = np.zeros(len(sources) * layout.SOURCE_WORDS, dtype=np.int64)
        self._books = [source.new_books() for source in sources]
        self._routes = [_routes(source) for source in sources]
        self._held: list[Batch | None] = [None] * len(sources)
        self._rows = [self.words[index * layout.SOURCE_WORDS :][: layout.SOURCE_WORDS] for index in range(len(sources))]
        for index in range(len(sources)):
            row = self.row(index)
            row[layout.BOOKS] = self._books[index].ctypes.data
            row[layout.ROUTES] = self._routes[index].ctypes.data
            row[layout.FINISHED] = 1

    def __len__(self) -> int:
        return len(self._held)

    def row(self, index: int) -> Words:
        """A source's row."""
        return self._rows[index]

    def books(self, index: int) -> Rows:
        """A source's books, int64[markets, BOOK_WORDS]."""
        return self._books[index].reshape(-1, BOOK_WORDS)

    def give(self, index: int, batch: Batch | None) -> None:
        """Put a batch in the place of the source's last one; None is the end, for now or for good."""
        row = self._rows[index]
        row[layout.POSITION] = 0
        row[layout.COUNT] = batch.count if batch is not None else 0
        row[layout.FINISHED] = batch is None
        self._held[index] = batch
        if batch is not None:
            row[layout.RECORDS], row[layout.BIDS], row[layout.ASKS] = batch.addresses

    def start_ns(self) -> int | None:
        """Receive time of the first readable record in the batches in hand; None when there is none."""
        starts = []
        for batch in self._held:
            rows = batch.filled() if batch is not None else np.zeros((0, records.WIDTH), dtype=np.int64)
            readable = rows[rows[:, records.KIND] != records.REJECTED]
            if len(readable):
                starts.append(int(readable[0, records.RECEIVE_NS]))
        return min(starts, default=None)

    def last_market(self, index: int) -> int | None:
        """Number of the market of the record that was taken last from a source; None before the first of its batch."""
        batch, position = self._held[index], int(self.row(index)[layout.POSITION])
        return None if batch is None or position == 0 else int(batch.records[position - 1, records.MARKET])


def _routes(source: FeedSource) -> Words:
    """One row per market; raises Fatal when a route's exponents cannot carry the market's ticks and lots."""
    rows = np.zeros((len(source.markets), layout.ROUTE_WORDS), dtype=np.int64)
    for row, market, route in zip(rows, source.markets, source.routes, strict=True):
        row[layout.INSTRUMENT] = -1
        row[layout.PRICE_FACTOR] = row[layout.QUANTITY_FACTOR] = 1
        if route is None:
            continue
        price_digits = -route.price_exponent - market.price_decimals
        quantity_digits = -route.quantity_exponent - market.quantity_decimals
        if price_digits < 0 or quantity_digits < 0:
            raise Fatal(
                f"{source.name} {market.symbol}: exponents were {route.price_exponent} and {route.quantity_exponent}; "
                f"expected at most {-market.price_decimals} and {-market.quantity_decimals}, else they cannot carry "
                "the market's decimals"
            )
        row[layout.INSTRUMENT], row[layout.VENUE] = route.instrument, route.venue
        row[layout.PRICE_EXPONENT], row[layout.QUANTITY_EXPONENT] = route.price_exponent, route.quantity_exponent
        row[layout.PRICE_FACTOR], row[layout.QUANTITY_FACTOR] = 10**price_digits, 10**quantity_digits
        row[layout.NUMBERED] = source.numbered
    return rows.reshape(-1)
