"""Binance USD-M futures: what its endpoints take, do and answer. One-way mode, cross margin."""
