"""The decoder generator: from the layouts of a schema to logic that takes fields off a bus as they pass.

Positions come from ``market.wire.sbe`` alone. Everything works on a bus of one or of eight bytes per cycle,
never stalls it, and has a fixed latency.
"""
