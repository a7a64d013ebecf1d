"""Frames on the wire: check sequences, the way in to a UDP payload, and the table of destinations."""
