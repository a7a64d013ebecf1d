"""Virtual time: a clock over an agenda, and venues behind lines with latencies and faults, all in one thread.

A run over these is one computation: the same settings and seeds give the same run, however long it takes.
"""
