"""A test bench for the core in cocotb: bus models, a scoreboard beside the CPU engine, and functional coverage.

``simulator``    the core, verilated for cocotb, built once and kept; and a run of test modules in it
``frame_driver``, ``control_driver``  what goes in, with gaps as drawn
``monitors``     what comes out: messages, log, frames, strobes; ``back_pressure`` lets it wait
``scapy_frames`` Ethernet frames, whole or wrong, built with scapy
``scoreboard``   the CPU engine fed in the order that the core's log says
``sent_frames``  the frames that left, taken apart with scapy
``coverage``, ``goals``, ``recorder``  what must have been seen, and what has been
``core_bench``   all of it around one core
``desk``         scripts of a host and its markets, as in the conformance corpus

Imported inside a simulation; needs the extra ``fpga``.
"""
