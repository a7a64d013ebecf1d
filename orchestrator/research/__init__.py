"""Studies over recorded markets and files of trades: what an afternoon of computation can tell, and nothing live."""
