"""Live market data: connections in the network's thread, decoded in the run loop's.

``arrivals`` orders what the connections bring; ``connection`` keeps one of them alive; ``line_source``, ``sbe_source``,
``datagram_source`` and ``ccxt_source`` are the kinds of sources; ``feed`` puts them side by side as a
``market.protocols.Feed``. ``capture`` writes down what was taken so that a replay takes the same.
"""
