"""Where in a journal the orders are that a run has forgotten."""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterable, Sequence

import numpy as np


class OrderIndex:
    """Twelve bytes per order: the checksum of its id and the place of the record that holds it.

    Different ids may have the same checksum, so that a place is where an order may be.
    """

    def __init__(self) -> None:
        self._checks = array("I")
        self._places = array("Q")

    def __len__(self) -> int:
        return len(self._places)

    def add(self, client_order_ids: Iterable[str], place: int) -> None:
        """Orders are in the record at a place."""
        for name in client_order_ids:
            self._checks.append(_check(name))
            self._places.append(place)

    def places(self, client_order_id: str) -> Sequence[int]:
        """Where an order may be, the latest place first; none for one that was never forgotten."""
        found = np.flatnonzero(np.frombuffer(self._checks, dtype=np.uint32) == _check(client_order_id))
        return [self._places[index] for index in reversed(found.tolist())]


def _check(client_order_id: str) -> int:
    return zlib.crc32(client_order_id.encode("ascii"))
