"""Faults of venues and networks: which, when, and what becomes of messages."""
