"""Formal proofs about the hardware, with mutations that must break them: ``python -m hdl.formal`` prints a table."""
