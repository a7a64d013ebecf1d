"""Measurements on a GPU in one command, ``python -m benchmarks.gpu``: tests first, then the figures of docs/gpu.md."""
