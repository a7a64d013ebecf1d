"""A paper or live run beside its backtest: every difference in decisions and fills, with its cause and its money.

``run`` plays the run's tape again and puts the same market data through the backtester; both are told as ``story``:
orders with all that was heard of them. ``matching`` finds the orders that belong together, ``refill`` has the run's own
orders matched once more under other assumptions, ``knowledge`` says what a strategy knew when it decided, ``fills`` and
``explaining`` find the cause of each difference, and ``money`` adds up what they brought. See docs/diff.md.
"""
