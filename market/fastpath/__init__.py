"""The fast loop: the specification of its integers and messages, and the compiled CPU engine.

``specification`` has the enums, limits and build sizes that every build of the fast loop shares,
``layout`` the offsets of its messages, ``engine`` the CPU engine as Python sees it. The other
modules are the engine's kernels, each one part of a step, on one flat array of state.
"""
