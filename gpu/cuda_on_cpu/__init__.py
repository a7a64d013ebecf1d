"""CUDA sources compiled for the CPU and run thread by thread: for tests of kernels where there is no GPU.

Every CUDA thread is a fiber; schedules decide who runs next. It is slow and exact, and never a production path:
that is the compiled CPU back end of each public function.
"""
