"""A venue in process: matching, accounts, balances, margin, positions, fees, filters, error codes and events.

No networking and no clock: every call that changes something is given the time. Prices are counts of the symbol's
tick, quantities counts of its lot, money counts of 1e-8 of the asset (``model.UNITS``); there are no floats.
``venue.SimulatedVenue`` is the way in; the same settings, seed, calls and times give the same events.
"""
