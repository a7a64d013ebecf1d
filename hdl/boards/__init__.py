"""Boards: the line on one side, the core on the other."""
