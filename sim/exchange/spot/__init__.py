"""Binance spot: what its endpoints take, do and answer."""
