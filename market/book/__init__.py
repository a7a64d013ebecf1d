"""Order books in flat arrays, and the rules that keep them in step with their venue.

``ladder`` holds the levels of one L2 book; ``continuity`` has each venue's sequence rule; ``synchroniser``
joins snapshots and diffs; ``top`` merges the book's best prices with those that the venue states itself.
"""
