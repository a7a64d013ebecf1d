"""Rules that every order must pass before it is sent, each a ``PreTradeCheck``: it raises Rejected or says nothing.

They look at the view alone, so that nothing can drift: the same orders, positions and quotes give the same answer.
Only rates and ratios count for themselves what was sent.
"""
