"""The simulated exchange as a command: venues made from settings, served until interrupted."""
