"""Steps: what each frame, control message and host event does to time, numbering, events and records.

The intake takes frames at their ends, numbers them and keeps them in order; the sequencer runs them one
after the other, and starts early on a quote that is still arriving.
"""
