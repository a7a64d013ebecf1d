"""``tickwire codec``: SBE messages between bytes and something that people read.

``recognise`` finds the schema of bytes; ``places`` says where each value of a message stands; ``values`` turns
messages into JSON and back.
"""
