"""A seeded market of two coins on three correlated venues that writes recordings in the venues' own formats.

``market.generate`` yields the lines, ``recording.write_recordings`` writes them to files. Everything here is
synthetic, and file names say so.
"""
