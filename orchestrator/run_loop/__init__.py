"""The one run loop of every mode: market data into the fast loop, its triggers and all else to strategies, their orders
to a gateway, and what becomes of them back into the fast loop.

``beginning`` waits until a run can start; ``loop`` decides what comes next; ``intake`` turns the feed's records into
events; ``fast_loop`` speaks to the engine; ``settlement`` tells it what became of its triggers; ``desk`` carries out
intents and books reports; ``ledger`` holds orders and positions; ``view`` is what strategies see. See docs/seams.md.
"""
