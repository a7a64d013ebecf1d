"""Orders: what is wanted, what became of it, and the pure state machine between the two.

``cause`` derives an order's id from what it is for; ``order`` and ``events`` are the records;
``transitions`` is the table of allowed steps and ``machine`` takes them; ``reports`` is what gateways send.
"""
