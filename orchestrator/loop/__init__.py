"""The receive loop of software-only mode, seen from Python: its sockets, thread, host, event log and statistics.

``service`` puts them together from settings; the loop itself is ``market.receive.loop``.
"""
