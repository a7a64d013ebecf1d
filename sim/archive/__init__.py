"""Public archives of trades: files, rows, bars, and a synthetic book around them."""
