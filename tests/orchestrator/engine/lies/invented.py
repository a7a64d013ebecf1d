"""A step is logged twice."""

from __future__ import annotations

from market.fastpath import layout
from tests.orchestrator.engine import lies

if __name__ == "__main__":
    lies.serve(layout.TEMPLATE_LOG_STEP, lambda message: [message, message])
