"""How much of each order has been told of: what a message says beyond that was lost on the way."""

from __future__ import annotations

from typing import Final

_MOST: Final = 20_000
"""Orders that are remembered; of more the older half is forgotten, which costs a question at worst."""


class ExecutedSoFar:
    """Executed quantities by client order id, in counts.

    The user data stream numbers nothing, but every report says what was executed in all. Messages that come twice or in
    another order lose nothing; a report that is followed by none is not missed here.
    """

    def __init__(self) -> None:
        self._told: dict[str, int] = {}

    def tell(self, client_order_id: str, executed: int, last: int = 0) -> bool:
        """Take in a report of ``last``, after which ``executed`` was executed in all; whether all before was told."""
        told = self._told.get(client_order_id, 0)
        if executed > told:
            self._told[client_order_id] = executed
            if len(self._told) > _MOST:
                for name in list(self._told)[: _MOST // 2]:
                    del self._told[name]
        return executed - last <= told
