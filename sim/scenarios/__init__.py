"""Half hours of a market that never happened, quick to make: quiet, volatile, and crashes of published shapes.

``shapes`` draws what is to happen, ``market`` is the market itself in one compiled pass, ``recording`` writes it in
the venue's own format. Everything here is synthetic, and file names say so.
"""
