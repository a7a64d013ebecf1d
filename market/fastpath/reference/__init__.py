"""The fast loop once more, slow and exact: plain integers without bounds, one file per section of the contract.

It exists to be read beside the specification and to judge every other build. It shares enums and build sizes with them,
and no arithmetic, layout or table. Where the specification claims that a value fits 64 bits, it raises if it does not.

``integers``    Numbers: rounding, truncation, the split product, the bound of 64 bits
``tables``      State: the rows that the host writes
``state``       State: everything else
``admission``   One event, 1 and 2: admit, store, usable; trades
``conditions``  One event, 3
``choice``      One event, 4 to 6: edges, choice, size
``gate``        One event, 7
``payloads``    One event, 8, and status, acknowledgement, log: bytes
``basis``       One event, 9
``control``     Control messages; ``messages`` reads them, ``rows`` has the checks of table rows
``frames``      Steps: a frame, from the FCS inwards; ``binance`` is the feed of one message per datagram
``lines``       Feeds: packets of numbered messages, as ``starbase``, ``coinbase`` and ``deribit`` read them;
                ``order_book`` is one book, ``loading`` the control messages about it
``engine``      Steps and time
"""

from __future__ import annotations

from market.fastpath.reference.engine import ReferenceEngine
from market.fastpath.reference.integers import BoundViolated

__all__ = ["BoundViolated", "ReferenceEngine"]
