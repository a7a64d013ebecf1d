"""Risk arithmetic in exact integers: what an order is worth, what room is left, what has been won or lost.

Prices and quantities are counts of an instrument's scales; notional, cash, fees and profit are notional counts,
price times quantity, which grow beyond 64 bits and therefore stay Python integers. Nothing here refuses an order:
limits are judged by whoever asks.
"""
