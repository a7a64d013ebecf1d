"""A matching engine: price-time priority on integers, compiled, deterministic.

``book.MatchingBook`` is one market's book from Python; ``engine`` holds the kernels, ``layout`` the rows that go in
(commands) and come out (events). Prices are counts of ticks, quantities counts of lots; nothing here knows of money.
"""
