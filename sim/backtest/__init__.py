"""Backtests over recordings: own orders matched against a recorded flow, with queue positions and latencies, compiled.

``tape`` puts recordings in the order of the exchange and in that of their receipt, ``engine`` holds the kernels,
``core.BacktestCore`` is the whole from Python. See docs/backtest.md.
"""
