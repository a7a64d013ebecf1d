"""``tickwire import``: archived trades into columns, bars and recordings."""
