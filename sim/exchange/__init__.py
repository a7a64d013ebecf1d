"""The simulated exchange: venues in process (``venue``) and servers in front of them that speak Binance."""
