"""Backtests: the run loop of every mode over recordings, orders matched with queue positions and latencies."""
