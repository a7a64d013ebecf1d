"""Recordings as files: reading them block by block in bounded memory, damage included, and saying what they hold."""
