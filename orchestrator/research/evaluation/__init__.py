"""How good predictions are, and how sure one may be of that."""
