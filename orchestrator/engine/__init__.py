"""The fast loop seen from the host: its tables, its link and its failover."""
