"""Compiled code: how a Python function becomes a kernel, and how kernels touch memory.

``kernel`` declares compiled functions and warms them into a cache that is keyed by
content; ``memory`` has the loads, stores and bit operations that kernels are made of;
``cache`` finds the cached machine code again.
"""
