"""Feeds that stand in for live market data."""
