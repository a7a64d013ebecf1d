"""The tape of a run: every answer that its loop got from outside, so that it can be run again, decision for decision.

A run loop depends on nothing but its settings and what clock, feed, gateway and engine answer. ``recording`` wraps
these and writes down each answer; ``playing`` gives the same answers again, and stops at the first call that differs;
``calls`` is what a tape holds and ``file`` where it lies.
"""
