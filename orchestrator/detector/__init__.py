"""From settings to the flash-crash detector of each market."""
