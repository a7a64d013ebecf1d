"""A step has another time."""

from __future__ import annotations

from market.fastpath import layout
from tests.orchestrator.engine import lies

if __name__ == "__main__":
    lies.serve(layout.TEMPLATE_LOG_STEP, lambda message: [lies.flipped(message, layout.LOG_STEP_TIME + 2)])
