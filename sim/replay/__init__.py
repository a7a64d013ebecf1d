"""Replaying recordings through the fast loop: sources merged by receive time, in bounded memory, bit-exact.

``source`` reads and decodes one recording; ``session`` runs sources through the compiled loop; ``stepping`` does the
same event by event with any engine; ``arming`` brings an engine from reset to trading.
"""
