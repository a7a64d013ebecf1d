"""``tickwire record``: live feeds into files that ``tickwire replay`` and ``tickwire inspect`` read.

``capture_file`` writes, compresses and rotates; ``recorder`` turns messages into its content and counts them;
``websocket`` and ``datagrams`` receive; ``snapshot`` fetches order books; ``presets`` knows venues' addresses.
"""
