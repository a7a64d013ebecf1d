"""The flash-crash trader: asleep until the detector says that an event is on; docs/flash-crash.md.

``event_watch`` feeds the detector; ``seconds``, ``ranges`` and ``scoring`` say what a candle is worth; ``levels`` where
to buy and sell; ``entry`` whether; ``holding`` and ``exits`` what becomes of it; ``trader`` is the strategy.
"""
