"""Ground floor: what a market is, in code.

Fixed-point numbers, venues and instruments, events, orders and their state machine, risk arithmetic,
the protocols that everything plugs into, wire formats, order books and their synchronisers, signals,
and ``fastpath``: the specification of the fast loop and the compiled CPU engine.
"""
