"""The top floor: what runs.

Feeds, the engine link with failover, strategies and their coordinator, the one run loop of every mode,
risk, execution, message bus, storage, research, monitoring, dashboard and the command line.
"""
