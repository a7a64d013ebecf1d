"""The hardware from the command line."""
