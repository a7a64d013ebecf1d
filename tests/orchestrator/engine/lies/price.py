"""A trigger leaves with another price."""

from __future__ import annotations

from market.fastpath import layout
from tests.orchestrator.engine import lies

if __name__ == "__main__":
    lies.serve(layout.TEMPLATE_TRIGGER, lambda message: [lies.flipped(message, layout.TRIGGER_FIRST_PRICE)])
