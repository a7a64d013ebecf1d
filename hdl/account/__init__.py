"""The account: counters, volumes and parity, and every payload that leaves the core but frames of the log.

Records come in the order in which the steps made them; triggers, acknowledgements and status messages go out
as the bytes of ``market/fastpath/messages.xml``, in 8-byte words.
"""
