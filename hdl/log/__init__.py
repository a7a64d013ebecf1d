"""The event log: every step with the bytes that it was made of, for an engine that follows this one."""
