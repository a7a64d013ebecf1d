"""Everything that stands in for the outside world.

Replay of recordings, generated markets, the exchange simulator with its matching engine, the backtest
engine, the soft FPGA and injected faults: public parts that tests, demos and users share.
"""
