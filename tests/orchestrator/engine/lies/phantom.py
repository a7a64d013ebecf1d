"""A trigger is followed by one that was never decided."""

from __future__ import annotations

from market.fastpath import layout
from tests.orchestrator.engine import lies

if __name__ == "__main__":
    lies.serve(layout.TEMPLATE_TRIGGER, lambda message: [message, lies.renumbered(message)])
