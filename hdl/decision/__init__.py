"""The decision machine of FASTPATH in logic: tables, conditions, choice, gate and trigger of one quote event."""
