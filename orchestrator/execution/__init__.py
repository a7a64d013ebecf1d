"""Execution: where orders go and what comes back of them."""
