"""Order books of the frame path (docs/fastpath.md, rules 53 to 80).

``orders``   the window of prices and the store of orders of one book
``lines``    sequences of packets, breaking books, and the events at the end of a transaction
``loading``  the control messages about lines, wire instruments and books
``status``   where the books stand, as Python sees it
"""
