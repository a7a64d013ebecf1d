"""The fast loop as hardware, described in Amaranth: streams in, streams out.

Feed decoders, quote table, conditions, risk gate and trigger egress as components; board tops and the
ECP5 build. The rules and layouts come from ``market.fastpath``, which the CPU engine shares.
"""
