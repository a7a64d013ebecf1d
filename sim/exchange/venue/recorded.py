"""A recorded market in place of background traders: its books are laid in, its trades are made, at their times.

Accounts stand in the queues of the recorded book: what was ahead of them when they came trades first. A recorded trade
that meets an account's order fills it, and the recorded book does not know of that; the next change of the level sets
it right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from market.errors import Fatal
from market.orders.kinds import Side
from market.wire import records
from market.wire.records import Batch, Rows
from sim.exchange.venue.nobody import SideLevel
from sim.exchange.venue.venue import SimulatedVenue

_SIDES = ((Side.BUY, records.BIDS_START, records.BIDS), (Side.SELL, records.ASKS_START, records.ASKS))
_PLAYED = (records.DIFF, records.SNAPSHOT, records.TRADE, records.GAP)


class RecordedMarket:
    """Plays one market of a recording into a venue's symbol.

    The book begins with the first snapshot, joined by the changes that came before it and are newer, and ends with a
    hole in the recording, until the next snapshot.

    Parameters
    ----------
    batches: decoded records, in order of receive time; ticks are those of the venue's symbol.
    market: which of the recording's markets.
    lots_per_lot: how many of the recording's lots are one of the symbol's; parts of one are left out.
    start_ns: when the first record is played; the others follow as far apart as they were received.
    """

    def __init__(
        self,
        venue: SimulatedVenue,
        symbol: str,
        batches: Iterable[Batch],
        *,
        market: int = 0,
        lots_per_lot: int = 1,
        start_ns: int,
    ) -> None:
        self._venue = venue
        self._symbol = symbol
        self._market = market
        self._lots_per_lot = lots_per_lot
        self._rows = self._of_market(batches)
        self._start_ns = start_ns
        self._first_ns: int | None = None
        self._next: tuple[int, list[int], list[SideLevel]] | None = None
        self._standing: set[tuple[Side, int]] = set()
        self._book_id: int | None = None
        self._early: list[tuple[int, list[SideLevel]]] = []
        self._has_begun = False
        self.played = 0

    def next_ns(self) -> int | None:
        """When the next record is due; None at the end."""
        if not self._has_begun:
            self._has_begun = True
            self._fetch()
        return None if self._next is None else self._next[0]

    def advance(self, now_ns: int) -> None:
        """Play what is due until a time."""
        due_ns = self.next_ns()
        while due_ns is not None and due_ns <= now_ns and self._next is not None:
            _, row, levels = self._next
            self._play(due_ns, row, levels)
            self.played += 1
            self._fetch()
            due_ns = self.next_ns()

    def _fetch(self) -> None:
        found = next(self._rows, None)
        if found is None:
            self._next = None
            return
        row, levels = found
        if self._first_ns is None:
            self._first_ns = row[records.RECEIVE_NS]
        self._next = (self._start_ns + row[records.RECEIVE_NS] - self._first_ns, row, levels)

    def _play(self, due_ns: int, row: list[int], levels: list[SideLevel]) -> None:
        kind = row[records.KIND]
        if kind == records.TRADE:
            side = Side.SELL if row[records.AGGRESSOR] == records.AGGRESSOR_SELL else Side.BUY
            lots = row[records.QUANTITY] // self._lots_per_lot
            if lots:
                self._venue.take(self._symbol, side, row[records.PRICE], lots, due_ns)
            return
        last_id = row[records.LAST_ID]
        if kind == records.GAP:
            self._book_id = None
            self._replace([], due_ns)
        elif kind == records.SNAPSHOT:
            self._begin(last_id, levels, due_ns)
        elif self._book_id is None:
            self._early.append((last_id, levels))
        elif last_id > self._book_id:
            self._lay_in(last_id, levels, due_ns)

    def _begin(self, last_id: int, levels: list[SideLevel], due_ns: int) -> None:
        """A whole book, unless it is older than the one that stands."""
        if self._book_id is not None and last_id <= self._book_id:
            return
        self._book_id = last_id
        self._replace(levels, due_ns)
        early, self._early = self._early, []
        for newer_id, changes in early:
            if newer_id > last_id:
                self._lay_in(newer_id, changes, due_ns)

    def _replace(self, levels: list[SideLevel], due_ns: int) -> None:
        """Have these levels and no others."""
        stays = {(side, price) for side, price, _ in levels}
        gone = [(side, price, 0) for side, price in sorted(self._standing - stays)]
        self._change(levels + gone, due_ns)

    def _lay_in(self, last_id: int, levels: list[SideLevel], due_ns: int) -> None:
        self._book_id = last_id
        self._change(levels, due_ns)

    def _change(self, levels: list[SideLevel], due_ns: int) -> None:
        for side, price, lots in levels:
            if lots:
                self._standing.add((side, price))
            else:
                self._standing.discard((side, price))
        self._venue.set_levels(self._symbol, levels, due_ns)

    def _of_market(self, batches: Iterable[Batch]) -> Iterator[tuple[list[int], list[SideLevel]]]:
        """Records of the market's book and trades, with their levels; raises Fatal when time goes back."""
        last_ns = 0
        for batch in batches:
            for row in batch.filled().tolist():
                kind = row[records.KIND]
                if row[records.MARKET] != self._market or kind not in _PLAYED:
                    continue
                if row[records.RECEIVE_NS] < last_ns:
                    raise Fatal(f"a record was received at {row[records.RECEIVE_NS]} ns, after one at {last_ns} ns")
                last_ns = row[records.RECEIVE_NS]
                has_levels = kind in (records.DIFF, records.SNAPSHOT)
                yield row, self._levels(row, batch.bids, batch.asks) if has_levels else []

    def _levels(self, row: list[int], bids: Rows, asks: Rows) -> list[SideLevel]:
        """The levels of a record; of a price that it states twice the last."""
        found: dict[tuple[Side, int], int] = {}
        for (side, start, count), rows in zip(_SIDES, (bids, asks), strict=True):
            for price, lots in rows[row[start] : row[start] + row[count]].tolist():
                found[side, price] = lots // self._lots_per_lot
        return [(side, price, lots) for (side, price), lots in found.items()]
