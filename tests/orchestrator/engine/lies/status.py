"""A status has another parity."""

from __future__ import annotations

from market.fastpath import layout
from tests.orchestrator.engine import lies

if __name__ == "__main__":
    lies.serve(layout.TEMPLATE_STATUS, lambda message: [lies.flipped(message, layout.STATUS_PARITY)])
