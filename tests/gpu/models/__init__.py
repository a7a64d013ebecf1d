"""Models over arrays."""
