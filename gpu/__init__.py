"""Batch kernels over arrays: the same numbers from a GPU as from the CPU.

Array in, array out; the package knows nothing of venues, feeds or settings. CuPy is an extra and is
imported where a GPU is used; without one, or without a device, compiled CPU kernels do the work.
"""
