"""Top-of-book and flow signals of one market, as compiled kernels over flat int64 state.

One file per signal. Each has frozen settings, ``new_state``, kernels for larger kernels, a batch entry over
arrays and a small class for the slow loop. ``streaming`` feeds all of them from one market's events.
"""
