"""What datagrams contain, one module per feed: a check of the whole datagram, then its events.

A feed's check reads a datagram without changing anything and says what it is; its ``apply`` runs only on a
datagram that passed, inside a step. ``binance`` has one message per datagram; ``packets`` reads the feeds whose packets
are numbered, ``order_messages`` is what their messages do to a book. ``market.fastpath.datagrams`` chooses.
"""
