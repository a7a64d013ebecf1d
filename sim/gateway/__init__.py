"""Gateways that stand in for venues."""
