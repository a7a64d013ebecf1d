"""The message bus: how other processes see a run and command it. Nothing of the fast or the slow loop crosses it.

Three ZeroMQ channels carry MessagePack: data (PUB), commands (PULL) and responses (PUB). ``messages`` and ``records``
are what they carry, ``envelope`` what is around it; ``publisher``, ``subscriber``, ``server`` and ``client`` are the
ends; ``operator`` is what a run must offer to be commanded. Times are nanoseconds since the epoch, prices and
quantities exact decimals.
"""
