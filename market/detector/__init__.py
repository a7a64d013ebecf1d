"""The flash-crash detector of one market: eight indicators and a state machine, compiled, one pass per event.

One file per indicator. ``settings`` is what a user chooses, ``streaming`` feeds everything from one market's events,
``events`` is the form over whole arrays, ``detector`` the class for the slow loop. docs/detector.md defines every
number.
"""
