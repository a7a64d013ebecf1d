"""The simulated core runs only what may have changed: statements of Verilator's C++ in groups that sleep."""
