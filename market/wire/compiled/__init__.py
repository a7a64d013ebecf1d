"""Kernels that ``market.wire.sbe.generator`` writes from the schemas, one module each."""
