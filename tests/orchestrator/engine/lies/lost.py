"""A trigger is lost on its way."""

from __future__ import annotations

from market.fastpath import layout
from tests.orchestrator.engine import lies

if __name__ == "__main__":
    lies.serve(layout.TEMPLATE_TRIGGER, lambda message: [])
