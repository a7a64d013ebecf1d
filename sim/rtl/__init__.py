"""The soft FPGA: the hardware's own description, compiled to machine code by Verilator, as an engine of the fast loop.

``top``          what stands around the core in the model: registers on every port, control messages word by word
``harness``      the C++ that clocks the model, behind a C interface
``tools``        where Verilator and the C++ compiler are found, and with which settings they run
``library``      Verilog and harness to a shared library, built once and kept
``build``        parameters of a core to its library
``model``        the library as Python sees it: frames, control messages and cycles
``sizes``, ``addresses``, ``host_events``  sizes, addresses and events as the core's ports take them
``engine``       ``SoftFpga``, the model behind the ``Engine`` protocol
``latency``      cycles from a frame's first byte to the decision and to the first byte sent
``bridge``       the model in place of a board: datagrams in, datagrams out
``mutations``    whether the benches notice when one bit of the core is wrong, and what they are
``netlist``      what synthesis makes of the core, simulated cell by cell

Needs the extra ``fpga`` and a C++ compiler.
"""
