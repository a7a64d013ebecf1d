"""Models in their folders."""
