"""Strategies for the run loop: causes and a view of the market in, intents out, whatever the mode.

``arbitrage`` trades the fast loop's cross-venue triggers by ``two_leg_plan``; ``market_making`` quotes both sides of a
market around prices of ``quoting``, guarded by ``protection``. Prices, quantities and money are integers; floats occur
only in signals and in what is reported of a run.
"""
