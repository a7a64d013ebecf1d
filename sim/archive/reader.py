"""Trades of archived files, part by part, with what was wrong counted by reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from market.errors import MissingInput
from sim.archive.files import PIECE_BYTES, ArchiveFile, read_text
from sim.archive.rows import SHORTEST_ROW, Column, Integers, Reason, Slot, parse_rows


@dataclass
class RowCount:
    """What was read. ``first_refused``: file name and line of the first row of a reason."""

    rows: int = 0
    gaps: int = 0
    missing_ids: int = 0
    refused: dict[Reason, int] = field(default_factory=dict)
    first_refused: dict[Reason, str] = field(default_factory=dict)
    columns: int = 0


class TradeReader:
    """Reads files in order; ids and times must go on from one to the next.

    Parameters
    ----------
    price_decimals, quantity_decimals: of a tick and of a lot.
    """

    def __init__(self, price_decimals: int, quantity_decimals: int) -> None:
        self.count = RowCount()
        self._decimals = price_decimals, quantity_decimals
        self._state = np.zeros(Slot.WIDTH, np.int64)
        self._state[Slot.SEEN_ID] = -1

    def parts(self, files: Sequence[ArchiveFile], read: Callable[[int], object]) -> Iterator[Integers]:
        """Rows as int64[n, len(Column)], n of any size but 0; ``read`` is told the bytes of text so far.

        Raises MissingInput for a file that cannot be read, is damaged, or has more decimals than it should.
        """
        total = 0
        for file in files:
            for rows, length in self._file(file):
                total += length
                read(total)
                if len(rows):
                    self.count.rows += len(rows)
                    yield rows

    def _file(self, file: ArchiveFile) -> Iterator[tuple[Integers, int]]:
        state = self._state
        state[Slot.LINE] = state[Slot.COLUMNS] = 0
        state[Slot.COUNTS :] = 0
        rest = b""
        for piece in read_text(file.path):
            end = piece.rfind(b"\n") + 1
            if end:
                yield self._parse(file, rest + piece[:end])
                rest = piece[end:]
            elif len(rest) > PIECE_BYTES:
                raise MissingInput(f"{file.path} has a line of more than {len(rest):,} bytes: it is no csv of trades")
            else:
                rest += piece
        if rest:
            yield self._parse(file, rest + b"\n")
        columns = int(state[Slot.COLUMNS])
        if columns and self.count.columns not in (0, columns):
            raise MissingInput(
                f"{file.path} has {columns} columns, the files before it {self.count.columns}: spot has 8, futures 7"
            )
        self.count.columns = self.count.columns or columns
        self._note(file)

    def _parse(self, file: ArchiveFile, text: bytes) -> tuple[Integers, int]:
        state = self._state
        rows = np.empty((len(text) // SHORTEST_ROW + 1, len(Column)), np.int64)
        content = np.frombuffer(bytearray(text), np.uint8)
        count = parse_rows(content, len(text), state, *self._decimals, rows)
        if state[Slot.COUNTS + Reason.TOO_FINE]:
            raise MissingInput(
                f"{file.path}, line {state[Slot.FIRST_LINES + Reason.TOO_FINE]}: a price with more than "
                f"{self._decimals[0]} or a quantity with more than {self._decimals[1]} decimals: "
                "state them with --price-decimals and --quantity-decimals"
            )
        return rows[:count], len(text)

    def _note(self, file: ArchiveFile) -> None:
        count, state = self.count, self._state
        count.gaps, count.missing_ids = int(state[Slot.GAPS]), int(state[Slot.MISSING_IDS])
        for reason in Reason:
            if refused := int(state[Slot.COUNTS + reason]):
                count.refused[reason] = count.refused.get(reason, 0) + refused
                count.first_refused.setdefault(reason, f"{file.path.name}, line {state[Slot.FIRST_LINES + reason]}")
